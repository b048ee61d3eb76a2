// The vector interface without vectors: the reference, and the fallback.
#pragma once
#include "kernels/gemm.h"
#include "kernels/simd/lane.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
using Vec = Lane<T>;
template <class T>
using Mask = bool;

inline Lane<double> load_double(const float* p) { return static_cast<double>(*p); }
inline Lane<float> load_float(const BFloat16* p) { return widen(*p); }

template <class T, class F>
inline T fold(Lane<T> v, F) {
  return v.v;
}

// f, written for vectors of double, over vectors of float.
template <class F, class... V>
inline Lane<float> in_double(F f, V... x) {
  return static_cast<float>(f(Lane<double>(x.v)...).v);
}

// low + 2^32 high = a * m, of unsigned numbers.
struct Product {
  Lane<int32_t> high, low;
};
inline Product multiply_wide(Lane<int32_t> a, uint32_t m) {
  const uint64_t p = static_cast<uint64_t>(static_cast<uint32_t>(a.v)) * m;
  return {static_cast<int32_t>(p >> 32), static_cast<int32_t>(p)};
}

inline bool mask_of_bool(const bool* p, Lane<int32_t>) { return *p; }
inline bool mask_of_bool(const bool* p, Lane<int64_t>) { return *p; }

template <class T>
constexpr int kGemmTransposed = 1;
template <class T>
inline void load_transposed(Lane<T> (&v)[1], const T* const (&row)[1]) {
  v[0] = *row[0];
}
inline void load_transposed(Lane<float> (&v)[1], const BFloat16* const (&row)[1]) { v[0] = load_float(row[0]); }

constexpr int kGemmRows = 6, kGemmVectors = 2;
constexpr bool kGemmKeepsA = false, kGemmPrefetches = false;
constexpr GemmCaches kGemmCaches = kGemmSmallCaches;
constexpr int64_t kWritePrefetch = 0, kReadPrefetch = 0;

}  // namespace
}  // namespace nabla::NABLA_ISA
