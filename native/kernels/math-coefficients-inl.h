// Made by coefficients/fit.py, which says what each polynomial is and how it was fitted. Lowest power first.
// clang-format off
#pragma once

namespace nabla::NABLA_ISA {
namespace {

template <class T>
constexpr T kLog2E = static_cast<T>(0xb8aa3b295c17fp-51);
template <class T>
constexpr T kInvHalfPi = static_cast<T>(0x145f306dc9c883p-53);
template <class T>
constexpr T kInvLn10 = static_cast<T>(0xde5bd8a937287p-53);
template <class T>
constexpr T kTwoOverSqrtPi = static_cast<T>(0x120dd750429b6dp-52);
template <class T>
constexpr T kInvSqrt2Pi = static_cast<T>(0x19884533d43651p-54);
template <class T>
constexpr T kSqrt2Pi = static_cast<T>(0xa06c98ffb1383p-50);
template <class T>
constexpr T kSqrt2 = static_cast<T>(0x16a09e667f3bcdp-52);
template <class T>
constexpr T kSqrtHalf = static_cast<T>(0x16a09e667f3bcdp-53);
template <class T>
constexpr T kHalfLog2Pi = static_cast<T>(0x1d67f1c864beb5p-53);

template <class T>
constexpr T kLn2[2] = {};
template <>
constexpr float kLn2<float>[] = {
    0x162e43p-21f, -0x105c61p-49f};
template <>
constexpr double kLn2<double>[] = {
    0x162e42fefa39efp-53, 0x1abc9e3b39803fp-108};

template <class T>
constexpr T kLn2Short[2] = {};
template <>
constexpr float kLn2Short<float>[] = {
    0x58b9p-15f, 0x5fdf47p-42f};
template <>
constexpr double kLn2Short<double>[] = {
    0x2c5c85fdf47p-42, 0x1ef35793c7673p-93};

template <class T>
constexpr T kPi[3] = {};
template <>
constexpr float kPi<float>[] = {
    0xc90fdbp-22f, -0x5dde97p-46f, -0xf72cedp-72f};
template <>
constexpr double kPi<double>[] = {
    0x3243f6a8885a3p-48, 0x11a62633145c07p-105, -0x7c65dadfb63efp-159};

template <class T>
constexpr T kLog10Of2[2] = {};
template <>
constexpr float kLog10Of2<float>[] = {
    0x4d1p-12f, 0x26a13fp-39f};
template <>
constexpr double kLog10Of2<double>[] = {
    0x268826a13efp-43, 0x3fde623e2566bp-95};

template <class T>
constexpr T kLog2EWords[2] = {};
template <>
constexpr float kLog2EWords<float>[] = {
    0xb8aa3bp-23f, 0x52b83p-44f};
template <>
constexpr double kLog2EWords<double>[] = {
    0xb8aa3b295c17fp-51, 0x5ddf43ff68349p-106};

template <class T>
constexpr T kInvLn10Words[2] = {};
template <>
constexpr float kInvLn10Words<float>[] = {
    0xde5bd9p-25f, -0xad91afp-50f};
template <>
constexpr double kInvLn10Words<double>[] = {
    0xde5bd8a937287p-53, 0x195355baaafad3p-109};

template <class T>
constexpr T kTwoThirds[2] = {};
template <>
constexpr float kTwoThirds<float>[] = {
    0xaaaaabp-24f, -0xaaaaabp-49f};
template <>
constexpr double kTwoThirds<double>[] = {
    0x15555555555555p-53, 0x15555555555555p-107};

template <class T>
constexpr T kGeluLinear[2] = {};
template <>
constexpr float kGeluLinear<float>[] = {
    0x662115p-22f, -0xc2bc9bp-48f};
template <>
constexpr double kGeluLinear<double>[] = {
    0x19884533d43651p-52, -0x1cbc0d30ebfd15p-106};

template <class T>
constexpr T kGeluCubic[2] = {};
template <>
constexpr float kGeluCubic<float>[] = {
    0x922279p-27f, 0xa4d8b5p-52f};
template <>
constexpr double kGeluCubic<double>[] = {
    0x12444f2a4d8b4bp-56, -0x16c843a29d1c7p-109};

// (exp(r) - 1 - r) / r^2, |r| <= log(2) / 2
template <class T>
constexpr T kExp[1] = {};
template <>
constexpr float kExp<float>[] = {
    0x1p-1f, 0x55554bp-25f, 0xaaaa81p-28f, 0x88aad5p-30f, 0x5b4b87p-32f, 0x9dbca9p-36f};
template <>
constexpr double kExp<double>[] = {
    0x1p-1, 0x15555555555559p-55, 0x1555555555553fp-57, 0x8888888887b7p-54, 0xb60b60b60f863p-61, 0x1a01a01afd16a3p-65,
    0xd00d00bdd5b83p-67, 0x171ddf8857f3b1p-71, 0x93f29b361483bp-73, 0xd7af341ec1b95p-77, 0x11ee81ba566b6bp-81};

// (log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2, 1 / sqrt(2) <= (1 + s) / (1 - s) <= sqrt(2)
template <class T>
constexpr T kLog[1] = {};
template <>
constexpr float kLog<float>[] = {
    0xaaaabdp-24f, 0xccaf6bp-25f, 0x4c7821p-24f};
template <>
constexpr double kLog<double>[] = {
    0x555555555555fp-51, 0x66666666615d9p-52, 0x12492493ddd9c5p-54, 0x1c71c54e4dce55p-55, 0x2e8cb72f054bdp-52,
    0x4e6b7bf3ebed7p-53, 0x974a09e3b17b3p-54};

// the same less its first term, over s^2: for the double-word logarithm
template <class T>
constexpr T kLogTail[1] = {};
template <>
constexpr double kLogTail<double>[] = {
    0xccccccccccccbp-53, 0x12492492492f51p-54, 0x1c71c71c5966d1p-55, 0xba2e8c14bd52dp-54, 0x13b1364bab7cd3p-55,
    0x111207206ae567p-55, 0x1de3ce60172919p-56, 0x1eacae48dafa3dp-56};

// (sin(r) / r - 1) / r^2 in r^2, |r| <= pi / 4
template <class T>
constexpr T kSin[1] = {};
template <>
constexpr float kSin<float>[] = {
    -0xaaaaa3p-26f, 0x8883bbp-30f, -0x19953p-29f};
template <>
constexpr double kSin<double>[] = {
    -0x2aaaaaaaaaaa9p-52, 0x2222222221ef7p-56, -0x1a01a019bfaa3p-61, 0x171de3564b78b1p-71, -0xd72f2bfa1e8d1p-77,
    0x15d8f03682b9d5p-85};

// (cos(r) - 1 + r^2 / 2) / r^4 in r^2, |r| <= pi / 4
template <class T>
constexpr T kCos[1] = {};
template <>
constexpr float kCos<float>[] = {
    0xaaaaa5p-28f, -0x2d8185p-31f, 0xccf409p-39f};
template <>
constexpr double kCos<double>[] = {
    0x1555555555554bp-57, -0x16c16c16c1500dp-62, 0x1a01a019c8dcbdp-68, -0x127e4f7f045afbp-74, 0x11ee9dac03d5b3p-81,
    -0x63e9792cf30c1p-87};

// erf(x) / x - 1 in x^2, |x| <= 0.9
template <class T>
constexpr T kErf[1] = {};
template <>
constexpr float kErf<float>[] = {
    0x20dd75p-24f, -0x6049d1p-24f, 0x738b95p-26f, -0x6e0549p-28f, 0xaa8525p-31f, -0x6b28e9p-33f, 0xb2885bp-37f};
template <>
constexpr double kErf<double>[] = {
    0x106eba8214db69p-55, -0x1812746b0379e7p-54, 0x1ce2f21a042bcdp-56, -0x6e0b38c4a20b1p-56, 0x5596f3439317fp-58,
    -0xe016d9fc374a3p-62, 0x1f9a325a989757p-66, -0xfa691b2acd7a3p-68, 0x1b9e3dac762233p-72, -0x57d306f25e8d5p-73,
    0xfcee95d5e5b7dp-78, -0x1402ec50dfac99p-82, 0x8ea22291568ebp-85};

// exp(x^2 / 2) Phi(-x) (x + 5) in (x - 5) / (x + 5), x >= 0
template <class T>
constexpr T kTail[1] = {};
template <>
constexpr double kTail<double>[] = {
    0xc4e9d5f0fcad7p-52, -0x2a95a07e4f943p-50, 0x1fb31653876f89p-54, -0x1410ed5f87594bp-54, 0x2a3ec653e036dp-52,
    -0x236384a99481p-49, 0x154b4d4f48dd15p-58, -0x621643a60d9c5p-59, -0xd1281bbebc353p-62, 0x8ed78d6cfa5p-54,
    -0x1f2149076cd2a7p-67, -0xd0b8083edf82bp-66, 0x117defccc4c5a7p-68, 0x10b147511169cbp-70, -0x173de87b3fe96fp-71,
    -0x16733f458b3d79p-74, 0x75136a3495ef9p-72, 0x56051419f6103p-75, -0x12c88b5467de5bp-76, -0x47d6e97b1e27dp-77,
    0x1700c0c0496d33p-79, 0x11b6d3b6c4a52fp-81, -0xa080f94a4e307p-81, -0x1682c1b1e129f5p-84, 0x141b0490c62fadp-88};

// (asin(x) / x - 1) / x^2 in x^2, |x| <= 1 / 2
template <class T>
constexpr T kAsin[1] = {};
template <>
constexpr double kAsin<double>[] = {
    0x15555555555391p-55, 0x1333333336e6c1p-56, 0x2db6db68509dp-50, 0xf8e3961b1592dp-57, 0x16e89f4794c3b3p-58,
    0x11c6bdebbcf48fp-58, 0x1c6fdf44db87afp-59, 0xc760ea9f3549dp-58, 0xd5ec26d03577fp-59, 0x13fef26a21cf57p-58,
    -0x109cb54e8be227p-58, 0x1056afd88d97e1p-57};

// (atan(x) / x - 1) / x^2 in x^2, |x| <= tan(pi / 8)
template <class T>
constexpr T kAtan[1] = {};
template <>
constexpr double kAtan<double>[] = {
    -0xaaaaaaaaaaaa5p-53, 0x19999999996e1dp-55, -0x1249249231acf9p-55, 0x1c71c7109f1fa9p-56, -0xba2e7e2ca0c8dp-55,
    0x4ec453fbcc485p-54, -0x110ede7a2a9183p-56, 0xef9616ab720ddp-56, -0x675284de0a9e1p-55, 0x138edcd4607765p-57,
    -0x127a4e84922a19p-58};

// log(gamma(2 + d)) / (d (1 + d)), -3 / 4 <= d <= 1 / 4
template <class T>
constexpr T kLogGamma[1] = {};
template <>
constexpr double kLogGamma<double>[] = {
    0xd8773039049e7p-53, -0x19ae6509ea109fp-56, 0x10e0c9df293545p-57, -0x195ce223a9cc79p-59, 0xa3cba429d1453p-59,
    -0x228a243f34963p-58, 0xeff5e7cfec56dp-62, -0xd4b51fdea23b5p-63, 0x5fb5cab314f5dp-63, -0x15c87023e3be27p-66,
    0x14030c6048538dp-67, -0x941a3237f2eb1p-67, 0x8a044d9a433edp-68, -0x418a02e0a1175p-68, 0x1b6b2057754c83p-72,
    -0x1d3a0c58d4fecdp-73, 0x151bbd0dac14c9p-72, 0x1007109e1e94fbp-71, 0x15b6505abf711dp-71, 0x19e886da8b0b5dp-72,
    0x1ff83c90061c87p-74};

// (log(gamma(x)) - (x - 1 / 2) log(x) + x - log(2 pi) / 2) x in x^-2, x >= 8
template <class T>
constexpr T kStirling[1] = {};
template <>
constexpr double kStirling<double>[] = {
    0x15555555555555p-56, -0x16c16c16c14af7p-61, 0x1a01a017e8adc5p-63, -0x138134e166afcdp-63, 0xdc9649c6a01e9p-62,
    -0x3df30184a10fbp-59, 0x14c3829132c98bp-60};

// (log(x) - 1 / (2 x) - digamma(x)) x^2 in x^-2, x >= 6
template <class T>
constexpr T kDigamma[1] = {};
template <>
constexpr double kDigamma<double>[] = {
    0x15555555555555p-56, -0x11111111111089p-59, 0x104104103bf29p-56, -0x11111107a96b0dp-60, 0xf83dc83edcbbbp-59,
    -0x15982080790327p-58, 0x153abd91922379p-56, -0x1aed92426db23bp-54, 0x1202b8dfeae4cdp-51, -0x1025b2647b40b1p-49};

// erfinv(x) / x in w - 2, w = -log(1 - x^2) <= 4
template <class T>
constexpr T kErfinvMiddle[1] = {};
template <>
constexpr double kErfinvMiddle<double>[] = {
    0xb0489577fb61p-47, 0xffc33e10ccb23p-54, -0x203aa1f79183dp-58, -0xddda163d2c571p-61, 0x3842f746562c7p-62,
    0x10a58428918bbdp-69, -0x919a7ba011053p-69, 0xdd6d602b93373p-74};

// erfinv(x) / x in v - 4, v = sqrt(w), 2 <= v <= 6.2
template <class T>
constexpr T kErfinvTail[1] = {};
template <>
constexpr double kErfinvTail<double>[] = {
    0x1eb7e12a51b223p-51, 0x8137287665f2dp-51, 0xa286a1616ec09p-61, -0x73a7e49da20d1p-61, 0xc62f0c405d845p-63,
    -0x1a752203344501p-66, -0x15deceda899eddp-70, -0x13cfe837295b7dp-67, 0x1956f56325761p-63, -0x176528c1a80a6fp-69,
    -0x72333d07462fbp-69, 0x13c358c72f1147p-72};

// v(x), 0 <= x <= 15, numerator and denominator, where exp(x^2 / 2) Phi(-x) = 1 / (2 + x (sqrt(2 pi) - v(x)))
template <class T>
constexpr T kTailTop[1] = {};
template <>
constexpr float kTailTop<float>[] = {
    0xe92df7p-24f, 0x47a7e3p-23f, 0xa18749p-26f, 0x9ed3a9p-29f};
template <class T>
constexpr T kTailBottom[1] = {};
template <>
constexpr float kTailBottom<float>[] = {
    0x1p+0f, 0xea2063p-24f, 0xca3913p-25f, 0x5d26dbp-26f, 0x9ed891p-30f};

}  // namespace
}  // namespace nabla::NABLA_ISA
