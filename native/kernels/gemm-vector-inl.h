// One row or two times a matrix, in the order of the register tile: bound by memory, so that each value of B is
// fetched once and nothing is packed.
#pragma once
#include <cstdint>

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

// Columns whose sums wait in L1.
template <class T>
constexpr int64_t kGemmVectorTile = 2048 / sizeof(T);

template <class T>
struct GemmSums {
  int64_t m;  // rows, at most kGemmVectorRows
  alignas(64) T sum[kGemmVectorRows][kGemmVectorTile<T>];
  alignas(64) T x[kGemmVectorRows][kGemmDepth];
};

// sum[0, n) continues over ROWS rows of B, which is stored in rows.
template <class T, int ROWS>
void gemm_add_rows(T* sum, const T* x, const T* b, int64_t b_k, int64_t n) {
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
void gemm_sum_rows(GemmSums<T>& v, const T* b, int64_t b_k, int64_t n, int64_t k) {
  constexpr int64_t kRows = 8;
  int64_t i = 0;
  for (; i + kRows <= k; i += kRows) {
    for (int64_t r = 0; r < v.m; r++) gemm_add_rows<T, kRows>(v.sum[r], v.x[r] + i, b + i * b_k, b_k, n);
  }
  for (; i < k; i++) {
    for (int64_t r = 0; r < v.m; r++) gemm_add_rows<T, 1>(v.sum[r], v.x[r] + i, b + i * b_k, b_k, n);
  }
}

// ROWS rows of sums over GROUPS vectors of columns, B stored in columns; the last vector holds `last` of them.
// Several groups hide the latency of each other's chains. A line of each column is used up before the next one's.
template <class T, int ROWS, int GROUPS>
void gemm_sum_column_groups(GemmSums<T>& v, const T* b, int64_t b_col, int64_t j, int last, int64_t k) {
  using V = Vec<T>;
  constexpr int kLanes = V::kLanes;
  constexpr int64_t kLine = 64 / sizeof(T);
  V s[ROWS][GROUPS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) s[r][g] = V::set1(T(0));
  }
  const auto add = [&](int g, int64_t i, int depth) __attribute__((always_inline)) {
    V turned[kLanes];
    const GemmTurnedRows<T> columns(b + (j + g * kLanes) * b_col, b_col, g + 1 == GROUPS ? last : kLanes);
    columns.load(turned, i, depth);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 16
      for (int t = 0; t < kLanes; t++) {
        if (t < depth) s[r][g] = fma(V::set1(v.x[r][i + t]), turned[t], s[r][g]);
      }
    }
  };
  int64_t line = 0;
  for (; line + kLine <= k; line += kLine) {
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) {
      for (int64_t i = line; i < line + kLine; i += kLanes) add(g, i, kLanes);
    }
  }
  for (; line < k; line += kLanes) {
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) add(g, line, gemm_clamped(k - line, kLanes));
  }
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) V::store(v.sum[r] + j + g * kLanes, s[r][g]);
  }
}

template <class T, int ROWS>
void gemm_sum_columns(GemmSums<T>& v, const T* b, int64_t b_col, int64_t n, int64_t k) {
  constexpr int kLanes = Vec<T>::kLanes, kGroups = 4;
  int64_t j = 0;
  for (; j + kGroups * kLanes <= n; j += kGroups * kLanes) {
    gemm_sum_column_groups<T, ROWS, kGroups>(v, b, b_col, j, kLanes, k);
  }
  for (; j < n; j += kLanes) gemm_sum_column_groups<T, ROWS, 1>(v, b, b_col, j, gemm_clamped(n - j, kLanes), k);
}

// A single product of vectors has one chain in each partial sum, so the lanes take one partial sum each.
template <class T>
void gemm_dot(const GemmVector<T>& g) {
  using V = Vec<T>;
  constexpr int kLanes = V::kLanes;
  T total = g.accumulate ? *g.y : T(0);
  for (int64_t k = 0; k == 0 || k < g.k;) {
    const int64_t rest = g.k - k, depth = rest < kGemmDepth ? rest : kGemmDepth;
    const int count = rest < kGemmDepth ? 1 : gemm_clamped(rest / kGemmDepth, kLanes);
    const GemmTurnedRows<T> x(g.x + k, kGemmDepth, count), b(g.b + k, kGemmDepth, count);
    V s = V::set1(T(0));
    for (int64_t i = 0; i < depth; i += kLanes) {
      const int lanes = gemm_clamped(depth - i, kLanes);
      V xs[kLanes], bs[kLanes];
      x.load(xs, i, lanes);
      b.load(bs, i, lanes);
#pragma GCC unroll 16
      for (int t = 0; t < kLanes; t++) {
        if (t < lanes) s = fma(xs[t], bs[t], s);
      }
    }
    T partial[kLanes];
    V::store(partial, s);
    for (int c = 0; c < count; c++) total = g.accumulate || k > 0 || c > 0 ? total + partial[c] : partial[c];
    k += count * kGemmDepth;
  }
  *g.y = g.bias ? total + *g.bias : total;
}

template <class T>
void gemm_vector(const GemmVector<T>& g) {
  if (g.m == 1 && g.n == 1 && g.x_k == 1 && g.b_k == 1) return gemm_dot(g);
  GemmSums<T> v;
  v.m = g.m;
  for (int64_t j = 0; j < g.n; j += kGemmVectorTile<T>) {
    const int64_t n = g.n - j < kGemmVectorTile<T> ? g.n - j : kGemmVectorTile<T>;
    T* y = g.y + j * g.y_col;
    for (int64_t k = 0; k == 0 || k < g.k; k += kGemmDepth) {
      const int64_t depth = g.k - k < kGemmDepth ? g.k - k : kGemmDepth;
      for (int64_t r = 0; r < g.m; r++) {
        for (int64_t i = 0; i < depth; i++) v.x[r][i] = g.x[r * g.x_row + (k + i) * g.x_k];
        for (int64_t i = 0; i < n; i += Vec<T>::kLanes) Vec<T>::store(v.sum[r] + i, Vec<T>::set1(T(0)));
      }
      const T* b = g.b + k * g.b_k + j * g.b_col;
      if (g.b_col == 1) {
        gemm_sum_rows(v, b, g.b_k, n, depth);
      } else if (g.m == 1) {
        gemm_sum_columns<T, 1>(v, b, g.b_col, n, depth);
      } else {
        gemm_sum_columns<T, 2>(v, b, g.b_col, n, depth);
      }
      for (int64_t r = 0; r < g.m; r++) {
        T* out = y + r * g.y_row;
        if (g.accumulate || k > 0) {
          for (int64_t i = 0; i < n; i++) out[i * g.y_col] += v.sum[r][i];
        } else {
          for (int64_t i = 0; i < n; i++) out[i * g.y_col] = v.sum[r][i];
        }
      }
    }
    if (!g.bias) continue;
    for (int64_t r = 0; r < g.m; r++) {
      for (int64_t i = 0; i < n; i++) y[r * g.y_row + i * g.y_col] += g.bias[(j + i) * g.bias_col];
    }
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
