// The logarithm of the gamma function and its derivative; float passes through double.
#pragma once
#include "kernels/math-log-inl.h"
#include "kernels/math-trig-inl.h"

namespace nabla::NABLA_ISA {
namespace {

// log(gamma(x)), x >= 0.
template <class V>
NABLA_INLINE V lgamma_positive(V x) {
  using T = typename V::Scalar;
  // From 1.25 to 2.25 a polynomial; below 8 the product p of what lies between x and there; Stirling's series from 8
  // on.
  const auto below = x < 1.25, far = x >= 8;
  V y = select(below, x + 1, x), p = select(below, x, V(1));
  const auto twice = x < 0.25;
  V d = select(twice, x, select(below, x - 1, x - 2));
  p = select(twice, x * y, p);
  for (int k = 0; k < 6; k++) {
    const auto above = (d >= 0.25) & !far;
    y = select(above, y - 1, y);
    d = select(above, d - 1, d);
    p = select(above, p * y, p);
  }
  const V log_of = log(select(far, x, p));
  const V near = fma(d * (1 + d), polynomial(d, kLogGamma<T>), select(below, -log_of, log_of));
  const V inverse = 1 / x;
  const V series = fma(inverse, polynomial(inverse * inverse, kStirling<T>), kHalfLog2Pi<T> - 0.5);
  return select(far, fma(x - 0.5, log_of - 1, series), near);
}

template <class V>
NABLA_INLINE V lgamma(V x) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return lgamma(v); }, x);
  const V size = abs(x);
  const V y = lgamma_positive(size);
  const auto negative = x < 0;
  if (__builtin_expect(!any(negative), 1)) return y;
  // gamma(x) gamma(-x) = -pi / (x sin(pi x))
  const V sine = abs(sin((size - round(size)) * kPi<T>[0]));
  V mirrored = log(kPi<T>[0] / (size * sine)) - y;
  mirrored = select(size < 0x1p-60, y, mirrored);
  mirrored = select(round(size) == size, V(F::kInfinity), mirrored);
  return select(negative, mirrored, y);
}

// pi / tan(pi x), |x| <= 1 / 2.
template <class V>
NABLA_INLINE V pi_cotangent(V x) {
  using T = typename V::Scalar;
  const V size = abs(x);
  const auto steep = size > 0.25;
  const V near = select(steep, 0.5 - size, size);
  const TwoWords<V> angle = product(TwoWords<V>{near, V(0)}, TwoWords<V>{kPi<T>[0], kPi<T>[1]});
  const V s0 = sin_small(angle.high), c0 = cos_small(angle.high);
  const V s = fma(angle.low, c0, s0), c = fnma(angle.low, s0, c0);
  return copysign(kPi<T>[0] * (select(steep, s, c) / select(steep, c, s)), x);
}

template <class V>
NABLA_INLINE V digamma(V x) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return digamma(v); }, x);
  const auto negative = x < 0;
  V y = select(negative, 1 - x, x);
  // digamma(y) = digamma(y + 1) - 1 / y; the smallest terms come first.
  V sum = 0, far = y;
  for (int k = 5; k >= 0; k--) {
    const V at = y + k;
    const auto below = at < 6;
    sum = select(below, sum + 1 / at, sum);
    far = select(below & (far < 6), at + 1, far);
  }
  const V inverse = 1 / far, square = inverse * inverse;
  V z = log(far) - fma(square, polynomial(square, kDigamma<T>), fma(V(0.5), inverse, sum));
  if (__builtin_expect(any(negative), 0)) {
    const V fraction = x - round(x);
    const V mirrored = z - pi_cotangent(fraction);
    z = select(negative, select(fraction == 0, V(F::kNaN), mirrored), z);
  }
  return select(x == 0, copysign(V(F::kInfinity), -x), z);
}

}  // namespace
}  // namespace nabla::NABLA_ISA
