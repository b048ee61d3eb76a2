// Sine, cosine and tangent, accurate for arguments of any size.
#pragma once
#include "kernels/math-core-inl.h"

namespace nabla::NABLA_ISA {
namespace {

// sin and cos of r, |r| <= pi / 4.
template <class V>
NABLA_INLINE V sin_small(V r) {
  const V z = r * r;
  return fma(r * z, polynomial(z, kSin<typename V::Scalar>), r);
}
template <class V>
NABLA_INLINE V cos_small(V r) {
  const V z = r * r, half = 0.5 * z, y = 1 - half;
  return y + fma(z * z, polynomial(z, kCos<typename V::Scalar>), (1 - y) - half);
}

// The bits of 2 / pi after the binary point.
constexpr uint64_t kTwoOverPi[] = {0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
                                   0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
                                   0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
                                   0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
                                   0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};

struct Quadrant {
  int n;     // modulo 4
  double r;  // x = n pi / 2 + r, |r| <= pi / 4
};

// Payne and Hanek: of 2 / pi, only the bits that make whole turns no multiple of 4 quadrants are multiplied by x. For
// 1 <= |x| < inf.
inline Quadrant reduce_far(double x) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, x);
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1075;
  const uint64_t mantissa = (bits & 0xfffffffffffff) | 0x10000000000000;
  // w = 192 bits of 2 / pi from the bit of weight 2^(1 - exponent) on: mantissa * w / 2^190 is the angle in quadrants.
  const int first = exponent - 2 + 64;  // into the table, which one zero word precedes here
  uint64_t w[3];
  for (int i = 0; i < 3; i++) {
    const int word = (first >> 6) + i - 1, shift = first & 63;
    const uint64_t high = word < 0 ? 0 : kTwoOverPi[word], low = word + 1 < 0 ? 0 : kTwoOverPi[word + 1];
    w[i] = shift ? high << shift | low >> (64 - shift) : high;
  }
  using Wide = unsigned __int128;
  const Wide p2 = Wide(mantissa) * w[2];
  const Wide p1 = Wide(mantissa) * w[1] + static_cast<uint64_t>(p2 >> 64);
  const uint64_t top = mantissa * w[0] + static_cast<uint64_t>(p1 >> 64);
  const uint64_t middle = static_cast<uint64_t>(p1), bottom = static_cast<uint64_t>(p2);
  int n = static_cast<int>(top >> 62);
  Wide fraction = Wide(top << 2 | middle >> 62) << 64 | (middle << 2 | bottom >> 62);
  bool negative = x < 0;
  if (fraction >> 127) {
    n++;
    fraction = -fraction;
    negative = !negative;
  }
  if (x < 0) n = -n;
  // No double is closer than 2^-62 or so to a multiple of pi / 2: 64 bits from the first one on are there.
  const uint64_t upper = static_cast<uint64_t>(fraction >> 64);
  const int zeros = upper ? __builtin_clzll(upper) : 64;
  const uint64_t lead = static_cast<uint64_t>(fraction << zeros >> 64);
  const double unit = __builtin_bit_cast(double, static_cast<uint64_t>(1023 - 64 - zeros) << 52);
  const double high = static_cast<double>(lead >> 11 << 11) * unit, low = static_cast<double>(lead & 0x7ff) * unit;
  const double half_pi = kPi<double>[0] * 0.5, half_pi_low = kPi<double>[1] * 0.5;
  const double product = high * half_pi;
  const double rest = __builtin_fma(high, half_pi, -product) + (high * half_pi_low + low * half_pi);
  const double r = product + rest;
  return {n & 3, negative ? -r : r};
}

// sin(x + n pi / 2).
__attribute__((noinline)) double sin_far(double x, int n) {
  if (!(x - x == 0)) return FloatTraits<double>::kNaN;
  const Quadrant q = reduce_far(x);
  const int turn = q.n + n;
  const double y = turn & 1 ? cos_small(Lane<double>(q.r)).v : sin_small(Lane<double>(q.r)).v;
  return turn & 2 ? -y : y;
}

__attribute__((noinline)) double tan_far(double x) {
  if (!(x - x == 0)) return FloatTraits<double>::kNaN;
  const Quadrant q = reduce_far(x);
  const double s = sin_small(Lane<double>(q.r)).v, c = cos_small(Lane<double>(q.r)).v;
  return q.n & 1 ? -c / s : s / c;
}

// Up to here a multiple of pi in three words is exact enough.
template <class V>
constexpr typename V::Scalar kNearTurns = kIsSingle<V> ? 0x1p15 : 0x1p21;

template <class V>
struct Reduced {
  V r, shifted;  // x = n pi / 2 + r; n in the low bits of `shifted`
};

template <class V>
NABLA_INLINE Reduced<V> reduce_near(V x) {
  using T = typename V::Scalar;
  constexpr T kMagic = Traits<V>::kMagic;
  const V shifted = fma(x, kInvHalfPi<T>, kMagic);
  const V turns = 0.5f * (shifted - kMagic);
  return {fnma(turns, kPi<T>[2], fnma(turns, kPi<T>[1], fnma(turns, kPi<T>[0], x))), shifted};
}

// sin(n pi / 2 + r).
template <class V>
NABLA_INLINE V sin_of_quadrant(V r, typename V::Bits n) {
  constexpr int kBits = sizeof(typename V::Scalar) * 8;
  const V y = select((n & 1) != 0, cos_small(r), sin_small(r));
  return from_bits(to_bits(y) ^ shift_left(shift_right(n, 1), kBits - 1));
}

template <class V>
NABLA_INLINE V sin(V x) {
  using T = typename V::Scalar;
  const Reduced<V> reduced = reduce_near(x);
  V y = sin_of_quadrant(reduced.r, to_bits(reduced.shifted));
  const auto near = abs(x) <= kNearTurns<V>;
  if (__builtin_expect(!all(near), 0)) y = patch(y, x, [](T v) { return T(sin_far(v, 0)); }, near);
  return select(x == 0, x, y);
}

template <class V>
NABLA_INLINE V cos(V x) {
  using T = typename V::Scalar;
  const Reduced<V> reduced = reduce_near(x);
  V y = sin_of_quadrant(reduced.r, to_bits(reduced.shifted) + 1);
  const auto near = abs(x) <= kNearTurns<V>;
  if (__builtin_expect(!all(near), 0)) y = patch(y, x, [](T v) { return T(sin_far(v, 1)); }, near);
  return y;
}

template <class V>
NABLA_INLINE V tan(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return tan(v); }, x);
  const Reduced<V> reduced = reduce_near(x);
  const V s = sin_small(reduced.r), c = cos_small(reduced.r);
  const auto odd = (to_bits(reduced.shifted) & 1) != 0;
  V y = select(odd, -c, s) / select(odd, s, c);
  const auto near = abs(x) <= kNearTurns<V>;
  if (__builtin_expect(!all(near), 0)) y = patch(y, x, [](T v) { return T(tan_far(v)); }, near);
  return select(x == 0, x, y);
}

}  // namespace
}  // namespace nabla::NABLA_ISA
