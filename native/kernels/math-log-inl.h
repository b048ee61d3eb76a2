// Logarithms, powers and the inverse hyperbolic functions.
#pragma once
#include "kernels/math-exp-inl.h"

namespace nabla::NABLA_ISA {
namespace {

template <class V>
struct LogParts {
  V k, f;  // x = 2^k (1 + f), 1 / sqrt(2) <= 1 + f < sqrt(2)
};

// x is a positive normal number.
template <class V>
NABLA_INLINE LogParts<V> log_parts(V x) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  using Int = typename F::Int;
  constexpr Int kOne = Int(F::kBias) << F::kMantissa, kMask = (Int(1) << F::kMantissa) - 1;
  constexpr T kUnit = T(Int(1) << F::kMantissa);
  const auto bits = to_bits(x) + (kOne - F::kSqrtHalf);
  const V k = from_bits(shift_right(bits, F::kMantissa) | to_bits(V(kUnit))) - (kUnit + F::kBias);
  return {k, from_bits((bits & kMask) + F::kSqrtHalf) - 1};
}

// The same for any positive finite number.
template <class V>
NABLA_INLINE LogParts<V> log_parts_tiny(V x) {
  using F = Traits<V>;
  constexpr int kShift = F::kMantissa + 2;
  const auto tiny = x < F::kMinNormal;
  const LogParts<V> parts = log_parts(select(tiny, x * V(typename V::Scalar(int64_t(1) << kShift)), x));
  return {parts.k - select(tiny, V(kShift), V(0)), parts.f};
}

// log(1 + f) + k log(2).
template <class V>
NABLA_INLINE V log_sum(LogParts<V> parts) {
  using T = typename V::Scalar;
  const V f = parts.f, k = parts.k;
  const V half_square = 0.5f * f * f;
  const V s = f / (2 + f);
  const V z = s * s;
  const V correction = s * fma(z, polynomial(z, kLog<T>), half_square);
  return fma(k, kLn2Short<T>[0], f - (half_square - fma(k, kLn2Short<T>[1], correction)));
}

template <class V>
NABLA_INLINE auto positive_normal(V x) {
  return (x >= Traits<V>::kMinNormal) & (x < Traits<V>::kInfinity);
}

// The results of logarithms outside (0, inf), y elsewhere.
template <class V>
NABLA_INLINE V log_limits(V x, V y) {
  using F = Traits<V>;
  y = select(x < F::kInfinity, y, x);
  y = select(x > 0, y, V(F::kNaN));
  y = select(x == 0, V(-F::kInfinity), y);
  return select(x != x, x, y);
}

template <class V>
NABLA_INLINE V log(V x) {
  if (__builtin_expect(all(positive_normal(x)), 1)) return log_sum(log_parts(x));
  return log_limits(x, log_sum(log_parts_tiny(x)));
}

template <class V>
NABLA_INLINE V log1p(V x) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  constexpr T kLimit = kIsSingle<V> ? 0x1p60f : 0x1p60;  // from here on 1 + x is x, and 2^-k no longer safe
  const auto near = (x > -1) & (x < kLimit);
  const V inside = select(near, x, V(0));
  const V k = log_parts(1 + inside).k;
  const V power = power_of_two(-k);
  V y = log_sum(LogParts<V>{k, fma(inside, power, power - 1)});
  if (__builtin_expect(!all(near), 0)) {
    const V large = log_limits(x, log_sum(log_parts(x)));
    y = select(near, y, select(x == -1, V(-F::kInfinity), large));
  }
  return select(x == 0, x, y);
}

// The logarithm as two words, to about 2^-66 of its size, of a positive finite number: for double.
template <class V>
NABLA_INLINE TwoWords<V> log_words(LogParts<V> parts) {
  using T = typename V::Scalar;
  const V f = parts.f;
  const TwoWords<V> d = quick_sum(V(2), f);
  const V inverse = 1 / d.high;
  const V s_high = f * inverse;
  const TwoWords<V> s = {s_high, inverse * fnma(s_high, d.low, fnma(s_high, d.high, f))};
  const TwoWords<V> z = product(s, s);
  TwoWords<V> c = quick_sum(V(kTwoThirds<T>[0]), z.high * polynomial(z.high, kLogTail<T>));
  c.low = c.low + kTwoThirds<T>[1];
  const TwoWords<V> rest = product(s, product(z, c));
  TwoWords<V> sum = quick_sum(2 * s.high, rest.high);
  sum.low = sum.low + fma(V(2), s.low, rest.low);
  return sum;
}

// log(1 + f) + k log(2), likewise.
template <class V>
NABLA_INLINE TwoWords<V> log_in_words(LogParts<V> parts) {
  using T = typename V::Scalar;
  const TwoWords<V> log = log_words(parts);
  const TwoWords<V> sum = quick_sum(parts.k * kLn2Short<T>[0], log.high);
  return quick_sum(sum.high, fma(parts.k, kLn2Short<T>[1], sum.low + log.low));
}

// k + log(1 + f), times (high, low), a constant in two words.
template <class V, class T>
NABLA_INLINE V log_to_base(LogParts<V> parts, const T (&unit)[2], V k_high, V k_low) {
  const TwoWords<V> y = product(log_words(parts), TwoWords<V>{unit[0], unit[1]});
  const TwoWords<V> sum = quick_sum(k_high, y.high);
  return sum.high + (sum.low + (y.low + k_low));
}

// In float's precision, computed in double: log(x) unit, where k unit = k_unit.
template <class V>
NABLA_INLINE V log_to_base_short(V x, double unit, double k_unit) {
  const LogParts<V> parts = log_parts_tiny(x);
  return log_limits(x, fma(parts.k, k_unit, log_sum(LogParts<V>{V(0), parts.f}) * unit));
}

template <class V>
NABLA_INLINE V log2(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) {
    return in_double([](auto v) { return log_to_base_short(v, kLog2E<double>, 1); }, x);
  } else {
    const LogParts<V> parts = log_parts_tiny(x);
    return log_limits(x, log_to_base(parts, kLog2EWords<T>, parts.k, V(0)));
  }
}

template <class V>
NABLA_INLINE V log10(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) {
    return in_double([](auto v) { return log_to_base_short(v, kInvLn10<double>, kInvLn10<double> / kLog2E<double>); },
                     x);
  } else {
    const LogParts<V> parts = log_parts_tiny(x);
    return log_limits(x, log_to_base(parts, kInvLn10Words<T>, parts.k * kLog10Of2<T>[0], parts.k * kLog10Of2<T>[1]));
  }
}

// |x|^y; WORDS: 1 for an error of 2^-44 or so, which is plenty for float, 2 for one of double's.
template <int WORDS, class V>
NABLA_INLINE V power_of_size(V size, V y) {
  if constexpr (WORDS == 1) {
    return exp(y * log(size));
  } else {
    const TwoWords<V> log = log_in_words(log_parts_tiny(size));
    const V high = log_limits(size, log.high);
    TwoWords<V> exponent = exact_product(y, high);
    // Beyond, the exponential is 0 or infinite, and the low word may be anything.
    exponent.low = select(abs(exponent.high) < 1000, fma(y, log.low, exponent.low), V(0));
    return exp(exponent);
  }
}

// IEEE 754's pow.
template <int WORDS, class V>
NABLA_INLINE V pow_words(V x, V y) {
  using F = Traits<V>;
  const V size = abs(x), half = 0.5 * y;
  const auto whole = round(y) == y;
  const auto odd = whole & (round(half) != half);
  V z = power_of_size<WORDS>(size, y);
  z = select((size == 1) & (abs(y) == F::kInfinity), V(1), z);
  z = select(odd, copysign(z, x), z);
  z = select((x < 0) & (size < F::kInfinity) & (whole == (x != x)), V(F::kNaN), z);
  return select((y == 0) | (x == 1), V(1), z);
}

template <class V>
NABLA_INLINE V pow(V x, V y) {
  if constexpr (kIsSingle<V>) {
    return in_double([](auto a, auto b) { return pow_words<1>(a, b); }, x, y);
  } else {
    return pow_words<2>(x, y);
  }
}

template <class V>
NABLA_INLINE V asinh(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return asinh(v); }, x);
  const V size = abs(x), near = min(V(0x1p30), size);
  const V square = near * near;
  V y = log1p(near + square / (1 + sqrt(1 + square)));
  const auto large = size >= 0x1p28;
  if (__builtin_expect(any(large), 0)) y = select(large, log(size) + kLn2<T>[0], y);
  return copysign(y, x);
}

template <class V>
NABLA_INLINE V acosh(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return acosh(v); }, x);
  const V above = min(V(0x1p30), x - 1);
  const V y = log1p(above + sqrt(fma(above, above, 2 * above)));
  const auto ordinary = (x >= 1) & (x <= 0x1p28);
  if (__builtin_expect(all(ordinary), 1)) return y;
  return select(ordinary, y, select(x < 1, V(Traits<V>::kNaN), log(x) + kLn2<T>[0]));
}

template <class V>
NABLA_INLINE V atanh(V x) {
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return atanh(v); }, x);
  const V size = abs(x);
  return copysign(0.5 * log1p(2 * size / (1 - size)), x);
}

}  // namespace
}  // namespace nabla::NABLA_ISA
