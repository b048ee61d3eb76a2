// A vector times a matrix, in the order of the register tile: bound by memory, so nothing is packed.
#pragma once
#include <cstdint>

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int kVectorTile = 512;  // columns whose sums wait in L1
constexpr int kVectorRows = 8;    // rows of B taken up in one pass over the tile

// sum[0, n) continues over ROWS rows of B.
template <class T, int ROWS>
void add_rows(T* sum, const T* x, const T* b, int64_t b_k, int64_t n) {
  using V = Vec<T>;
  V value[ROWS];
#pragma GCC unroll 8
  for (int i = 0; i < ROWS; i++) value[i] = V::set1(x[i]);
  int64_t j = 0;
  for (; j + V::kLanes <= n; j += V::kLanes) {
    V s = V::load(sum + j);
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++) s = fma(value[i], V::load(b + i * b_k + j), s);
    V::store(sum + j, s);
  }
  if (j < n) {
    const int rest = static_cast<int>(n - j);
    V s = V::load(sum + j);
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++) s = fma(value[i], V::load_n(b + i * b_k + j, rest), s);
    V::store(sum + j, s);
  }
}

template <class T>
void sum_rows(T* sum, const T* x, const T* b, int64_t b_k, int64_t n, int64_t k) {
  for (int64_t j = 0; j < n; j += Vec<T>::kLanes) Vec<T>::store(sum + j, Vec<T>::set1(T(0)));
  int64_t i = 0;
  for (; i + kVectorRows <= k; i += kVectorRows) add_rows<T, kVectorRows>(sum, x + i, b + i * b_k, b_k, n);
  for (; i < k; i++) add_rows<T, 1>(sum, x + i, b + i * b_k, b_k, n);
}

// GROUPS vectors of columns, each column contiguous along k; the last vector holds `last` of them.
template <class T, int GROUPS>
void sum_columns(T* sum, const T* x, const T* b, int64_t b_col, int last, int64_t k) {
  using V = Vec<T>;
  constexpr int kLanes = V::kLanes;
  V s[GROUPS];
#pragma GCC unroll 8
  for (int g = 0; g < GROUPS; g++) s[g] = V::set1(T(0));
  for (int64_t i = 0; i < k; i += kLanes) {
    const int lanes = static_cast<int>(k - i < kLanes ? k - i : kLanes);
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) {
      V v[kLanes];
      load_transposed(v, b + g * kLanes * b_col + i, b_col, g + 1 == GROUPS ? last : kLanes, lanes);
      if (lanes == kLanes) {
#pragma GCC unroll 8
        for (int t = 0; t < kLanes; t++) s[g] = fma(V::set1(x[i + t]), v[t], s[g]);
      } else {
#pragma GCC unroll 8
        for (int t = 0; t < kLanes; t++) {
          if (t < lanes) s[g] = fma(V::set1(x[i + t]), v[t], s[g]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int g = 0; g < GROUPS; g++) V::store(sum + g * kLanes, s[g]);
}

template <class T>
void sum_columns(T* sum, const T* x, const T* b, int64_t b_col, int64_t n, int64_t k) {
  constexpr int64_t kLanes = Vec<T>::kLanes, kGroups = 4;
  int64_t j = 0;
  for (; j + kGroups * kLanes <= n; j += kGroups * kLanes) {
    sum_columns<T, kGroups>(sum + j, x, b + j * b_col, b_col, kLanes, k);
  }
  for (; j < n; j += kLanes) {
    const int last = static_cast<int>(n - j < kLanes ? n - j : kLanes);
    sum_columns<T, 1>(sum + j, x, b + j * b_col, b_col, last, k);
  }
}

template <class T>
void gemm_vector(const GemmVector<T>& g) {
  alignas(64) T sum[kVectorTile], x[kGemmDepth];
  for (int64_t j = 0; j < g.n; j += kVectorTile) {
    const int64_t n = g.n - j < kVectorTile ? g.n - j : kVectorTile;
    T* y = g.y + j * g.y_stride;
    int64_t k = 0;
    do {
      const int64_t depth = g.k - k < kGemmDepth ? g.k - k : kGemmDepth;
      for (int64_t i = 0; i < depth; i++) x[i] = g.x[(k + i) * g.x_stride];
      const T* b = g.b + k * g.b_k + j * g.b_col;
      if (g.b_col == 1) {
        sum_rows(sum, x, b, g.b_k, n, depth);
      } else {
        sum_columns(sum, x, b, g.b_col, n, depth);
      }
      if (g.accumulate || k > 0) {
        for (int64_t i = 0; i < n; i++) y[i * g.y_stride] += sum[i];
      } else {
        for (int64_t i = 0; i < n; i++) y[i * g.y_stride] = sum[i];
      }
      k += depth;
    } while (k < g.k);
    if (g.bias) {
      for (int64_t i = 0; i < n; i++) y[i * g.y_stride] += g.bias[(j + i) * g.bias_stride];
    }
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
