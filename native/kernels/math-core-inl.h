// Shared by the math functions. Each is written once, over any vector of float or double; float functions that need
// more precision compute in double.
#pragma once
#include "kernels/math-coefficients-inl.h"

// Forces inlining: otherwise the compiler calls the larger functions and reloads their constants for every vector.
#define NABLA_INLINE inline __attribute__((always_inline))

// Iterations are independent even if the output is one of the inputs.
#if defined(__clang__)
#define NABLA_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define NABLA_INDEPENDENT _Pragma("GCC ivdep")
#endif

// Has the compiler interleave the vectors of a block: computed one after the other, long chains of dependent operations
// fill the processor's schedulers.
#if defined(__GNUC__) && !defined(__clang__)
#define NABLA_INTERLEAVED __attribute__((optimize("schedule-insns", "sched-pressure")))
#else
#define NABLA_INTERLEAVED
#endif

namespace nabla::NABLA_ISA {
namespace {

template <class T>
struct FloatTraits;
template <>
struct FloatTraits<float> {
  using Int = int32_t;
  static constexpr int kMantissa = 23, kBias = 127;
  static constexpr float kMinNormal = 0x1p-126f, kInfinity = __builtin_inff(), kNaN = __builtin_nanf("");
  static constexpr float kMagic = 0x1.8p23f;  // adding it rounds to an integer, held in the low bits
  static constexpr Int kSqrtHalf = 0x3f3504f3, kSignBit = INT32_MIN;
};
template <>
struct FloatTraits<double> {
  using Int = int64_t;
  static constexpr int kMantissa = 52, kBias = 1023;
  static constexpr double kMinNormal = 0x1p-1022, kInfinity = __builtin_inf(), kNaN = __builtin_nan("");
  static constexpr double kMagic = 0x1.8p52;
  static constexpr Int kSqrtHalf = 0x3fe6a09e667f3bcd, kSignBit = INT64_MIN;
};
template <class V>
using Traits = FloatTraits<typename V::Scalar>;
template <class V>
constexpr bool kFloating = kIsFloat<typename V::Scalar>;
template <class V>
constexpr bool kIsSingle = sizeof(typename V::Scalar) == 4;

// The sum of c[k] x^k, one power after the other.
template <class V, class T, int N>
NABLA_INLINE V horner(V x, const T (&c)[N]) {
  V y = c[N - 1];
#pragma GCC unroll 32
  for (int k = N - 2; k >= 0; k--) y = fma(y, x, c[k]);
  return y;
}

// The same with even and odd powers separate: half the latency, but inaccurate if the two cancel.
template <class V, class T, int N>
NABLA_INLINE V polynomial(V x, const T (&c)[N]) {
  if constexpr (N < 6) {
    return horner(x, c);
  } else {
    const V x2 = x * x;
    V y = c[N - 1], z = c[N - 2];
#pragma GCC unroll 16
    for (int k = N - 3; k >= 0; k -= 2) {
      y = fma(y, x2, c[k]);
      if (k > 0) z = fma(z, x2, c[k - 1]);
    }
    return N % 2 == 1 ? fma(z, x, y) : fma(y, x, z);
  }
}

// A value as a sum of two words, the second far smaller.
template <class V>
struct TwoWords {
  V high, low;
};

// Exact, where |a| >= |b| or a is 0.
template <class V>
NABLA_INLINE TwoWords<V> quick_sum(V a, V b) {
  const V sum = a + b;
  return {sum, b - (sum - a)};
}

// Exact.
template <class V>
NABLA_INLINE TwoWords<V> exact_product(V a, V b) {
  const V product = a * b;
  return {product, fma(a, b, -product)};
}

template <class V>
NABLA_INLINE TwoWords<V> product(TwoWords<V> a, TwoWords<V> b) {
  const TwoWords<V> p = exact_product(a.high, b.high);
  return {p.high, fma(a.high, b.low, fma(a.low, b.high, p.low))};
}

// y, each lane outside the mask replaced by far(its lane of x).
template <class V, class F>
NABLA_INLINE V patch(V y, V x, F far, Mask<typename V::Scalar> in_range) {
  using T = typename V::Scalar;
  T xs[V::kLanes], ys[V::kLanes], near[V::kLanes];
  V::store(xs, x);
  V::store(ys, y);
  V::store(near, select(in_range, V(T(1)), V(T(0))));
  for (int i = 0; i < V::kLanes; i++) {
    if (near[i] == T(0)) ys[i] = far(xs[i]);
  }
  return V::load(ys);
}

}  // namespace
}  // namespace nabla::NABLA_ISA
