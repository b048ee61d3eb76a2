// Exponentials and hyperbolic functions.
#pragma once
#include "kernels/math-core-inl.h"

namespace nabla::NABLA_ISA {
namespace {

// 2^n for an integer n for which it is a normal number.
template <class V>
NABLA_INLINE V power_of_two(V n) {
  using F = Traits<V>;
  return from_bits(shift_left(to_bits(n + F::kMagic), F::kMantissa) + (typename F::Int(F::kBias) << F::kMantissa));
}

// In functions with INSIDE, the argument is known to be where nothing overflows or underflows on the way: what they
// leave out would not change a bit there.

// p * 2^n, rounded once, for an integer |n| < 2 kBias. Unless n is 0, p is within 2^-16 and 2^16.
template <class V>
NABLA_INLINE V scale(V p, V n) {
  using F = Traits<V>;
  if (__builtin_expect(all(abs(n) <= F::kBias - 20), 1)) {
    return from_bits(to_bits(p) + shift_left(to_bits(n + F::kMagic), F::kMantissa));
  }
  const V half = fma(n, 0.5f, F::kMagic) - F::kMagic;
  return p * power_of_two(half) * power_of_two(n - half);
}

template <class V>
struct ExpParts {
  V fraction, n;  // exp(x) = (1 + fraction) 2^n
  V shifted;      // n + kMagic
};

// Of x, or of x + low. Clamped, but well beyond where exp is 0 or infinite: a factor may bring the result back.
template <bool INSIDE = false, class V, class... Low>
NABLA_INLINE ExpParts<V> exp_parts(V x, Low... low) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  if constexpr (!INSIDE) x = max(V(kIsSingle<V> ? -170 : -1400), min(V(kIsSingle<V> ? 100 : 720), x));
  const V shifted = fma(x, kLog2E<T>, F::kMagic), n = shifted - F::kMagic;
  const V r = (fnma(n, kLn2<T>[1], fnma(n, kLn2<T>[0], x)) + ... + low);
  return {fma(r * r, polynomial(r, kExp<T>), r), n, shifted};
}

// p 2^n.
template <bool INSIDE, class V>
NABLA_INLINE V scale(V p, ExpParts<V> e) {
  if constexpr (INSIDE) return from_bits(to_bits(p) + shift_left(to_bits(e.shifted), Traits<V>::kMantissa));
  return scale(p, e.n);
}

template <bool INSIDE, class V>
NABLA_INLINE V exp(V x) {
  const ExpParts<V> e = exp_parts<INSIDE>(x);
  return scale<INSIDE>(1 + e.fraction, e);
}
template <class V>
NABLA_INLINE V exp(V x) {
  return exp<false>(x);
}

template <class V>
NABLA_INLINE V exp(TwoWords<V> x) {
  const ExpParts<V> e = exp_parts(x.high, x.low);
  return scale(1 + e.fraction, e.n);
}

// Up to here exp(x) and exp(-x) are normal numbers.
template <class V>
constexpr typename V::Scalar kExpInside = kIsSingle<V> ? 87 : 708;

template <class V>
NABLA_INLINE V expm1(V x) {
  using F = Traits<V>;
  const ExpParts<V> e = exp_parts(max(V(kIsSingle<V> ? -20 : -40), x));
  const V power = power_of_two(e.n);
  V y = fma(e.fraction, power, power - 1);
  const auto high = e.n > F::kBias;
  if (__builtin_expect(any(high), 0)) y = select(high, scale(1 + e.fraction, e.n), y);
  return copysign(y, x);
}

template <bool INSIDE, class V>
NABLA_INLINE V sigmoid(V x) {
  const V y = 1 / (1 + exp<INSIDE>(-x));
  if constexpr (INSIDE) return y;
  return select(x < -kExpInside<V>, exp(x), y);
}
template <class V>
NABLA_INLINE V sigmoid(V x) {
  return sigmoid<false>(x);
}

// h / (1 + h) with h = (exp(2 |x|) - 1) / 2, as h - h^2 / (1 + h), or 1 - 1 / (1 + h) where that rounds less. The
// second word of log(2) would not count.
template <class V>
NABLA_INLINE V tanh(V x) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  using Int = typename F::Int;
  const V twice = min(V(kIsSingle<V> ? 20 : 40), abs(x + x));
  const V shifted = fma(twice, kLog2E<T>, F::kMagic);
  const V r = fnma(shifted - F::kMagic, kLn2<T>[0], twice);
  const V fraction = fma(r * r, polynomial(r, kExp<T>), r);
  const V power = from_bits(shift_left(to_bits(shifted), F::kMantissa) + (Int(F::kBias - 1) << F::kMantissa));
  const V half = fma(fraction, power, power - 0.5f);
  const V base = select(shifted > F::kMagic + 1, V(1), half);
  const V y = fnma(base, base / (1 + half), base);
  return from_bits(to_bits(y) | (to_bits(x) & F::kSignBit));
}

template <class V>
NABLA_INLINE V sinh(V x) {
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return sinh(v); }, x);
  const V size = abs(x), e = expm1(size);
  V y = 0.5 * (e + e / (e + 1));
  const auto large = size > 700;
  if (__builtin_expect(any(large), 0)) {
    const ExpParts<V> parts = exp_parts(size);
    y = select(large, scale(1 + parts.fraction, parts.n - 1), y);
  }
  return copysign(y, x);
}

template <class V>
NABLA_INLINE V cosh(V x) {
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return cosh(v); }, x);
  const ExpParts<V> parts = exp_parts(abs(x));
  const V half = scale(1 + parts.fraction, parts.n - 1);
  return half + 0.25 / half;
}

}  // namespace
}  // namespace nabla::NABLA_ISA
