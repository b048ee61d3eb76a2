// Made by coefficients/fit.py, which says what each polynomial is and how it was fitted. Lowest power first.
#pragma once

namespace nabla::NABLA_ISA {
namespace {

template <class T>
constexpr T kLog2E = static_cast<T>(0xb8aa3b295c17fp-51);
template <class T>
constexpr T kInvPi = static_cast<T>(0x145f306dc9c883p-54);
template <class T>
constexpr T kInvHalfPi = static_cast<T>(0x145f306dc9c883p-53);
template <class T>
constexpr T kInvLn10 = static_cast<T>(0xde5bd8a937287p-53);
template <class T>
constexpr T kTwoOverSqrtPi = static_cast<T>(0x120dd750429b6dp-52);
template <class T>
constexpr T kInvSqrt2Pi = static_cast<T>(0x19884533d43651p-54);
template <class T>
constexpr T kSqrt2 = static_cast<T>(0x16a09e667f3bcdp-52);
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

// (sin(r) / r - 1) / r^2 in r^2, |r| <= pi / 2
template <class T>
constexpr T kSin[1] = {};
template <>
constexpr float kSin<float>[] = {
    -0xaaaaabp-26f, 0x88889bp-30f, -0x6808f3p-35f, 0xb966e9p-42f, -0xdb10c7p-49f};
template <>
constexpr double kSin<double>[] = {
    -0x15555555555555p-55, 0x444444444442dp-57, -0x3403403402579p-62, 0xb8ef1d28a22f1p-70, -0x1ae6453ee0f3c3p-78,
    0x16123776effe09p-85, -0x1ae1f5b4f01bc9p-93, 0x1801521075d277p-101, 0x6031e4dfb32d1p-108};

// the same, |r| <= pi / 4
template <class T>
constexpr T kSinSmall[1] = {};
template <>
constexpr double kSinSmall<double>[] = {
    -0x2aaaaaaaaaaa9p-52, 0x2222222221ef7p-56, -0x1a01a019bfaa3p-61, 0x171de3564b78b1p-71, -0xd72f2bfa1e8d1p-77,
    0x15d8f03682b9d5p-85};

// (cos(r) - 1 + r^2 / 2) / r^4 in r^2, |r| <= pi / 4
template <class T>
constexpr T kCosSmall[1] = {};
template <>
constexpr double kCosSmall<double>[] = {
    0x1555555555554bp-57, -0x16c16c16c1500dp-62, 0x1a01a019c8dcbdp-68, -0x127e4f7f045afbp-74, 0x11ee9dac03d5b3p-81,
    -0x63e9792cf30c1p-87};

// (tanh(x) / x - 1) / x^2 in x^2, |x| <= 0.6
template <class T>
constexpr T kTanh[1] = {};
template <>
constexpr float kTanh<float>[] = {
    -0x555555p-24f, 0x444421p-25f, -0xdcfa5fp-28f, 0x58f4a1p-28f, -0x86b373p-30f, 0x8f385fp-32f};
template <>
constexpr double kTanh<double>[] = {
    -0x15555555555555p-54, 0x8888888888847p-54, -0x1ba1ba1ba15fbp-53, 0x1664f48821e10dp-58, -0x1226e3562c0087p-59,
    0x75b4f5988a01p-55, -0x17da3fa8d09ab3p-62, 0x4d5820af2f37bp-61, -0x1f609b48964725p-65, 0x1991816dc2305p-62,
    -0xa737a9e9b353dp-66, 0x1fcfdb5f19f843p-69, -0x7fb91afcadbc1p-69};

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

// exp(x^2 / 2) Phi(-x) (x + 3 / 4) in (x - 5) / (x + 5), x >= 0
template <class T>
constexpr T kTail[1] = {};
template <>
constexpr float kTail<float>[] = {
    0xe2735p-21f, -0xe418fbp-28f, 0x83f007p-32f, 0x7bcb33p-28f, -0x13a4b5p-25f, 0x7c7d45p-28f, -0x23a66bp-27f,
    0x7480f3p-30f, -0x1d1e03p-30f, -0xbe9123p-38f, 0x451d0fp-34f, 0x9ee9c9p-39f};
template <>
constexpr double kTail<double>[] = {
    0xe2734fa1ef611p-53, -0xe418fcf4ba4b9p-56, 0x107de9f93a2d1fp-61, 0x1ef2dcc922279fp-58, -0x13a48fcabd8979p-57,
    0xf8f55e5c92c2bp-57, -0x8eb0bc147095p-53, 0x1d2669c3a8ed59p-60, -0x38b85858090c3p-59, -0x1b079d326445dp-64,
    0x6784147d64181p-63, -0xe1dafa71c3e77p-66, -0x3079563d587afp-66, 0x9d565bfc77853p-68, 0x1a5d99d4db7ba9p-76,
    -0x5becefc0dff2dp-70, 0x74d1674610335p-74, 0x1bf454be20d4f3p-75, -0x1943353022831p-74, -0x1281834bbe2bd3p-77,
    0x1941f9f5249d19p-81, 0x18b17c631717dfp-80, -0x2b729e5f3b1e9p-91, -0x194789613c8135p-83, -0xa1eaf8c6be6b7p-85,
    0x10e117a071846dp-87};

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

// log(gamma(2 + d)) / d, |d| <= 1 / 2
template <class T>
constexpr T kLogGamma[1] = {};
template <>
constexpr double kLogGamma<double>[] = {
    0xd8773039049e7p-53, 0x294699894c1f5p-51, -0x89f000d2aba9p-51, 0xa8991563eb7b1p-57, -0x1e404fc21ef25bp-60,
    0x17add6eb018bedp-61, -0x138ac5beecf62fp-62, 0x859b5745b5661p-62, -0xe9feb9c26aa03p-64, 0x1a12820d07ea6fp-66,
    -0x178d75f2e9a4dp-63, 0x157ff26e423355p-68, -0x13d77cad146e4fp-69, 0x936001e2a3b7dp-69, -0x1065ee2bdfbfcbp-71,
    0xf299897c3991p-68, -0x537f24a4a28d5p-71, 0x9d937d08ecdbbp-73, 0x4cd7ee5324215p-75};

// (log(gamma(x)) - (x - 1 / 2) log(x) + x - log(2 pi) / 2) x in x^-2, x >= 8
template <class T>
constexpr T kStirling[1] = {};
template <>
constexpr double kStirling<double>[] = {
    0x15555555555555p-56, -0x16c16c16c14af7p-61, 0x1a01a017e8adc5p-63, -0x138134e166afcdp-63, 0xdc9649c6a01e9p-62,
    -0x3df30184a10fbp-59, 0x14c3829132c98bp-60};

// (log(x) - 1 / (2 x) - digamma(x)) x^2 in x^-2, x >= 10
template <class T>
constexpr T kDigamma[1] = {};
template <>
constexpr double kDigamma<double>[] = {
    0x15555555555555p-56, -0x8888888885573p-58, 0x1041040b42c7d7p-60, -0x88882acf300fp-55, 0x1efaa9a395a1e1p-60,
    -0x27701e95a7595p-55, -0x1a0626ed5ace5bp-57, 0x1b942a4368fdabp-51};

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

}  // namespace
}  // namespace nabla::NABLA_ISA
