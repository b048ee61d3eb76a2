// The normal distribution: erf and its inverse, gelu.
#pragma once
#include "kernels/math-log-inl.h"

namespace nabla::NABLA_ISA {
namespace {

// Phi(-x) exp(x^2 / 2), x >= 0; the low word is what rounding lost on the way, as a fraction of the high one.
template <class V>
NABLA_INLINE TwoWords<V> normal_tail(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) {
    const V v = horner(x, kTailTop<T>) / horner(x, kTailBottom<T>);
    return {1 / fma(x, kSqrt2Pi<T> - v, 2), V(0)};
  }
  const V sum = x + 5, inverse = 1 / sum, rough = (x - 5) * inverse;
  // u = (x - 5) / (x + 5) to the last digit: near -1 the polynomial is steep.
  const V u = fma(inverse, fnma(rough, x, fnma(rough + 1, V(5), x)), rough);
  const V low = fnma(inverse, x - (sum - 5), fnma(inverse, sum, V(1)));
  return {inverse * horner(u, kTail<typename V::Scalar>), low};
}

// y exp(x), where x comes in parts and y with its lost fraction `low`, which is 0 for float.
template <bool INSIDE = false, class V>
NABLA_INLINE V times_exp(V y, V low, ExpParts<V> e) {
  const V fraction = kIsSingle<V> ? e.fraction : fma(1 + e.fraction, low, e.fraction);
  return scale<INSIDE>(fma(y, fraction, y), e);
}

// exp(-x^2 / 2): the square keeps the word that rounding would lose.
template <bool INSIDE = false, class V>
NABLA_INLINE ExpParts<V> normal_parts(V x) {
  const V half = 0.5f * x, square = half * x, lost = fnma(half, x, square);
  return exp_parts<INSIDE>(-square, lost);
}

// erfc(x), x >= 0.
template <class V>
NABLA_INLINE V erfc_positive(V x) {
  const TwoWords<V> square = exact_product(x, x);
  const ExpParts<V> e = exp_parts(-square.high, -square.low);
  const TwoWords<V> tail = normal_tail(x * kSqrt2<typename V::Scalar>);
  return times_exp(2 * tail.high, tail.low, e);
}

template <class V>
NABLA_INLINE V erf_small(V x) {
  return fma(x, polynomial(x * x, kErf<typename V::Scalar>), x);
}

template <class V>
NABLA_INLINE V erf(V x) {
  const V size = min(V(10), abs(x));
  return copysign(select(size < 0.9f, erf_small(size), 1 - erfc_positive(size)), x);
}

// Up to here x Phi(-x) is a normal number; beyond the second, 0.
template <class V>
constexpr typename V::Scalar kGeluInside = kIsSingle<V> ? 12.5f : 36;
template <bool INSIDE, class V>
NABLA_INLINE V clamp_to_tail(V x) {
  const V end = kIsSingle<V> ? 15 : 39.5f;
  return INSIDE ? x : max(-end, min(end, x));
}

template <bool INSIDE, class V>
NABLA_INLINE V gelu(V x) {
  const V near = clamp_to_tail<INSIDE>(x), size = abs(near);
  const ExpParts<V> e = normal_parts<INSIDE>(size);
  const TwoWords<V> tail = normal_tail(size);
  V part = times_exp<INSIDE>(near * tail.high, tail.low, e);  // x Phi(-|x|)
  if constexpr (!kIsSingle<V>) {
    const V middle = near * fnma(V(0.5), erf_small(size * kSqrtHalf<double>), V(0.5));
    part = select(size < 0.7, middle, part);
  }
  return select(x > 0, x - part, part);
}

// Phi(x) + x phi(x).
template <bool INSIDE, class V>
NABLA_INLINE V gelu_slope(V x) {
  const V size = abs(clamp_to_tail<INSIDE>(x));
  const ExpParts<V> e = normal_parts<INSIDE>(size);
  const V factor = fnma(size, kInvSqrt2Pi<typename V::Scalar>, normal_tail(size).high);
  const V below = scale<INSIDE>((1 + e.fraction) * factor, e);
  return select(x < 0, below, 1 - below);
}

template <class V>
NABLA_INLINE V erfinv(V x) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return erfinv(v); }, x);
  const V size = abs(x), distance = 1 - size;
  const V w = -log1p(-(size * size));
  V y = size * select(w < 4, polynomial(w - 2, kErfinvMiddle<T>), polynomial(sqrt(w) - 4, kErfinvTail<T>));
  // One step of Halley's method: three times the digits.
  const V error = select(y < 0.9, erf_small(y) - size, distance - erfc_positive(y));
  const V step = error / (kTwoOverSqrtPi<T> * exp(-y * y));
  y = y - step / fma(y, step, 1);
  y = select(size < 1, y, select(size == 1, V(F::kInfinity), V(F::kNaN)));
  return copysign(y, x);
}

}  // namespace
}  // namespace nabla::NABLA_ISA
