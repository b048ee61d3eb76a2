// bfloat16 and float16 to float and back: integer code and exact float steps, so that every ISA gives the same bits.
// Compiled once per ISA, hence static.
#pragma once
#include "base/dtype.h"

#define NABLA_HALF_INLINE static inline __attribute__((always_inline))

namespace nabla {

NABLA_HALF_INLINE float widen(BFloat16 x) { return __builtin_bit_cast(float, static_cast<uint32_t>(x.bits) << 16); }

NABLA_HALF_INLINE float widen(Float16 x) {
  constexpr uint32_t kRebias = 112u << 23, kExponent = 0x1fu << 23, kLeast = 113u << 23;
  const uint32_t moved = static_cast<uint32_t>(x.bits & 0x7fff) << 13, exponent = moved & kExponent;
  const uint32_t normal = moved + kRebias + (exponent == kExponent ? kRebias : 0);
  // A subnormal is the fraction of 2^-14 (1 + fraction).
  const float subnormal = __builtin_bit_cast(float, moved | kLeast) - __builtin_bit_cast(float, kLeast);
  const uint32_t magnitude = exponent == 0 ? __builtin_bit_cast(uint32_t, subnormal) : normal;
  return __builtin_bit_cast(float, magnitude | static_cast<uint32_t>(x.bits & 0x8000) << 16);
}

// To nearest, ties to even; NaN stays NaN, and quiet.
NABLA_HALF_INLINE BFloat16 to_bfloat16(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  const bool nan = (bits & 0x7fffffff) > 0x7f800000;
  return {static_cast<uint16_t>(nan ? bits >> 16 | 0x40 : rounded)};
}

NABLA_HALF_INLINE Float16 to_float16(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x), sign = bits & 0x80000000, size = bits ^ sign;
  const uint32_t moved = size - (112u << 23);
  const uint32_t normal = (moved + 0xfff + (moved >> 13 & 1)) >> 13;
  // The last place of floats near 1/2 is 2^-24, as that of subnormals, so adding 1/2 rounds.
  const uint32_t subnormal =
      __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, size) + 0.5f) - __builtin_bit_cast(uint32_t, 0.5f);
  const uint32_t special = size > 0x7f800000 ? 0x7e00 | (size >> 13 & 0x3ff) : 0x7c00;
  const uint32_t magnitude = size >= 0x47800000 ? special : size < 0x38800000 ? subnormal : normal;
  return {static_cast<uint16_t>(magnitude | sign >> 16)};
}

template <class Half>
NABLA_HALF_INLINE Half narrow(float x) {
  if constexpr (__is_same(Half, BFloat16))
    return to_bfloat16(x);
  else
    return to_float16(x);
}

// Rounds to odd: between two floats, to the one whose last bit is 1. Rounding the result again is then as exact as
// rounding x once (Boldo and Melquiond, "When double rounding is odd", 2005).
NABLA_HALF_INLINE float to_odd(double x) {
  const float nearest = static_cast<float>(x);
  const double back = nearest, size = x < 0 ? -x : x, got = back < 0 ? -back : back;
  const uint32_t bits = __builtin_bit_cast(uint32_t, nearest), below = got > size ? bits - 1 : bits;
  return got == size || x != x ? nearest : __builtin_bit_cast(float, below | 1);
}
NABLA_HALF_INLINE float to_odd(float x) { return x; }
template <class Integer>
NABLA_HALF_INLINE float to_odd(Integer x) {
  if constexpr (sizeof(Integer) == 8) {
    // If there are more bits than a double holds, the lost ones set the lowest bit that it holds.
    const int64_t marked = (x >> 11 | ((x & 2047) != 0)) * 2048;
    return to_odd(static_cast<double>(x >= -(int64_t{1} << 53) && x <= int64_t{1} << 53 ? x : marked));
  } else {
    return to_odd(static_cast<double>(x));
  }
}

}  // namespace nabla
