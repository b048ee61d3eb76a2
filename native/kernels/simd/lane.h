// One lane: the vector interface for a single element of any type. It is all of the scalar tier; elsewhere the compiler
// vectorizes loops over it where there is no hand-written vector (small integers, bool).
#pragma once
#include <cstdint>

#include "base/half.h"

namespace nabla::NABLA_ISA {
namespace {

// Bits: the type that holds a lane's bits (of a float), or its float (of an integer). Arithmetic: where + - * happen,
// so that integers wrap. kFar: the first power of two from which on every float is an integer.
template <class T>
struct LaneTraits;
template <>
struct LaneTraits<float> {
  using Bits = int32_t;
  using Arithmetic = float;
  static constexpr float kFar = 0x1p23f;
};
template <>
struct LaneTraits<double> {
  using Bits = int64_t;
  using Arithmetic = double;
  static constexpr double kFar = 0x1p52;
};
template <>
struct LaneTraits<int32_t> {
  using Bits = float;
  using Arithmetic = uint32_t;
};
template <>
struct LaneTraits<int64_t> {
  using Bits = double;
  using Arithmetic = uint64_t;
};
template <>
struct LaneTraits<uint8_t> {
  using Bits = uint8_t;
  using Arithmetic = uint32_t;
};
template <>
struct LaneTraits<bool> {
  using Bits = bool;
  using Arithmetic = bool;
};

template <class T>
constexpr bool kIsFloat = false;
template <>
constexpr bool kIsFloat<float> = true;
template <>
constexpr bool kIsFloat<double> = true;

template <class T>
struct Lane {
  using Scalar = T;
  using Arithmetic = typename LaneTraits<T>::Arithmetic;
  using Bits = Lane<typename LaneTraits<T>::Bits>;
  static constexpr int kLanes = 1;
  T v;

  Lane() = default;
  Lane(T x) : v(x) {}
  static Lane set1(T x) { return x; }
  static Lane load(const T* p) { return *p; }
  static Lane load_n(const T* p, int n) { return n > 0 ? *p : T(0); }
  static void store(T* p, Lane x) { *p = x.v; }
  static void stream(T* p, Lane x) { *p = x.v; }
  static void store_n(T* p, Lane x, int n) {
    if (n > 0) *p = x.v;
  }

  friend bool operator==(Lane a, Lane b) { return a.v == b.v; }
  friend bool operator!=(Lane a, Lane b) { return a.v != b.v; }
  friend bool operator<(Lane a, Lane b) { return a.v < b.v; }
  friend bool operator<=(Lane a, Lane b) { return a.v <= b.v; }
  friend bool operator>(Lane a, Lane b) { return a.v > b.v; }
  friend bool operator>=(Lane a, Lane b) { return a.v >= b.v; }
  friend Lane select(bool m, Lane a, Lane b) { return m ? a.v : b.v; }
  friend Lane min(Lane a, Lane b) { return a.v < b.v ? a.v : b.v; }
  friend Lane max(Lane a, Lane b) { return a.v > b.v ? a.v : b.v; }

  friend Lane operator+(Lane a, Lane b) { return static_cast<T>(Arithmetic(a.v) + Arithmetic(b.v)); }
  friend Lane operator-(Lane a, Lane b) { return static_cast<T>(Arithmetic(a.v) - Arithmetic(b.v)); }
  friend Lane operator*(Lane a, Lane b) { return static_cast<T>(Arithmetic(a.v) * Arithmetic(b.v)); }
  friend Lane operator-(Lane a) {
    if constexpr (kIsFloat<T>) return -a.v;
    return static_cast<T>(Arithmetic(0) - Arithmetic(a.v));
  }

  // Floats.
  friend Lane operator/(Lane a, Lane b) { return a.v / b.v; }
  friend Lane fma(Lane a, Lane b, Lane c) {
    if constexpr (sizeof(T) == 4) return __builtin_fmaf(a.v, b.v, c.v);
    return __builtin_fma(a.v, b.v, c.v);
  }
  friend Lane fnma(Lane a, Lane b, Lane c) { return fma(-a, b, c); }
  friend Lane sqrt(Lane a) {
    if constexpr (sizeof(T) == 4) return __builtin_sqrtf(a.v);
    return __builtin_sqrt(a.v);
  }
  friend Lane abs(Lane a) {
    if constexpr (sizeof(T) == 4) return __builtin_fabsf(a.v);
    return __builtin_fabs(a.v);
  }
  friend Lane copysign(Lane a, Lane b) {
    if constexpr (sizeof(T) == 4) return __builtin_copysignf(a.v, b.v);
    return __builtin_copysign(a.v, b.v);
  }
  friend Lane round(Lane a) {
    constexpr T kFar = LaneTraits<T>::kFar;
    const Lane size = abs(a);
    return select(size < Lane(kFar), copysign((size + kFar) - kFar, a), a);
  }
  friend Lane floor(Lane a) {
    const Lane r = round(a);
    return copysign(select(r > a, r - T(1), r), a);
  }
  friend Lane ceil(Lane a) { return -floor(-a); }
  friend Lane trunc(Lane a) { return copysign(floor(abs(a)), a); }
  friend Bits to_bits(Lane a) { return __builtin_bit_cast(typename LaneTraits<T>::Bits, a.v); }

  // Integers.
  friend Lane operator&(Lane a, Lane b) { return static_cast<T>(a.v & b.v); }
  friend Lane operator|(Lane a, Lane b) { return static_cast<T>(a.v | b.v); }
  friend Lane operator^(Lane a, Lane b) { return static_cast<T>(a.v ^ b.v); }
  friend Lane shift_left(Lane a, int n) { return static_cast<T>(Arithmetic(a.v) << n); }
  friend Lane shift_right(Lane a, int n) { return static_cast<T>(Arithmetic(a.v) >> n); }
  friend Lane shift_right_signed(Lane a, int n) { return static_cast<T>(a.v >> n); }
  friend Bits from_bits(Lane a) { return __builtin_bit_cast(typename LaneTraits<T>::Bits, a.v); }
};

inline bool any(bool m) { return m; }
inline bool all(bool m) { return m; }

inline Lane<float> to_float(Lane<int32_t> a) { return static_cast<float>(a.v); }
// Halfway to even; what an int32 cannot hold becomes -2^31.
inline Lane<int32_t> to_int(Lane<float> a) {
  const float r = round(a).v;
  return r >= -0x1p31f && r < 0x1p31f ? static_cast<int32_t>(r) : INT32_MIN;
}

}  // namespace
}  // namespace nabla::NABLA_ISA
