// The remainder of a division rounded down: it has the sign of the divisor, as in Python. Exact.
#pragma once
#include "kernels/math-core-inl.h"

namespace nabla::NABLA_ISA {
namespace {

struct Magnitude {
  uint64_t mantissa;
  int exponent;  // |x| = mantissa * 2^(exponent - 1075)
};
inline Magnitude magnitude(double x) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, x) & 0x7fffffffffffffff, fraction = bits & 0xfffffffffffff;
  const int exponent = static_cast<int>(bits >> 52);
  return exponent ? Magnitude{fraction | 0x10000000000000, exponent} : Magnitude{fraction, 1};
}

// Long division, bit by bit; the sign is that of x.
__attribute__((noinline)) double fmod_far(double x, double y) {
  if (x != x || y != y || y == 0 || !(x - x == 0)) return FloatTraits<double>::kNaN;
  if (!(y - y == 0)) return x;
  const Magnitude a = magnitude(x), b = magnitude(y);
  if (a.exponent < b.exponent) return x;
  uint64_t rest = a.mantissa % b.mantissa;
  for (int i = a.exponent; i > b.exponent; i--) rest = (rest << 1) % b.mantissa;
  int exponent = b.exponent;
  while (rest && !(rest >> 52) && exponent > 1) {
    rest <<= 1;
    exponent--;
  }
  const uint64_t bits = rest >> 52 ? (rest & 0xfffffffffffff) | static_cast<uint64_t>(exponent) << 52 : rest;
  return __builtin_copysign(__builtin_bit_cast(double, bits), x);
}

template <class V>
NABLA_INLINE V remainder_float(V x, V y) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  const V quotient = x / y, width = abs(y);
  // With so few bits in the quotient, x - q y is exact for the integers next to it.
  const auto near = (abs(quotient) < F::kMagic * 0.25f) & (width < F::kInfinity);
  V rest = fnma(trunc(quotient), y, x);
  // The quotient may have been rounded up to a whole number, or trunc(x / y) be one too many.
  rest = select((rest != 0) & ((rest < 0) != (x < 0)), rest + copysign(width, x), rest);
  rest = copysign(rest, x);
  if (__builtin_expect(!all(near), 0)) {
    T xs[V::kLanes], ys[V::kLanes], zs[V::kLanes];
    V::store(xs, x);
    V::store(ys, y);
    for (int i = 0; i < V::kLanes; i++) zs[i] = static_cast<T>(fmod_far(xs[i], ys[i]));
    rest = select(near, rest, V::load(zs));
  }
  return select((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest);
}

// 0 where y is 0.
template <class T>
NABLA_INLINE Lane<T> remainder_integer(Lane<T> x, Lane<T> y) {
  constexpr bool kSigned = T(-1) < T(0);
  if (y.v == 0 || (kSigned && y.v == T(-1))) return T(0);
  const T rest = static_cast<T>(x.v % y.v);
  if constexpr (kSigned) {
    if (rest != 0 && (rest < 0) != (y.v < 0)) return static_cast<T>(rest + y.v);
  }
  return rest;
}

template <class V>
NABLA_INLINE V remainder(V x, V y) {
  if constexpr (kFloating<V>) {
    return remainder_float(x, y);
  } else {
    return remainder_integer(x, y);
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
