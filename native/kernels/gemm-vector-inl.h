// A few rows times a matrix, in the order of the register tile: bound by memory, so that each value of B is loaded
// once and nothing is packed.
#pragma once
#include <cstdint>
#include <type_traits>

#include "kernels/gemm-dot-inl.h"
#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

// Columns whose sums stay in L1 together: rows of B are read in runs of this length.
template <class T>
constexpr int64_t gemm_vector_tile(int64_t rows) {
  return (rows == 1 ? 16384 : rows == 2 ? 8192 : rows <= 4 ? 4096 : 2048) / static_cast<int64_t>(sizeof(T));
}

// The distance between rows of sums: a line more than the tile, else the rows would map to the same cache sets.
template <class T>
constexpr int64_t gemm_sum_stride(int64_t rows) {
  return gemm_vector_tile<T>(rows) + 64 / static_cast<int64_t>(sizeof(T));
}

template <class T>
struct GemmSums {
  alignas(64) T sum[kGemmVectorRows * gemm_sum_stride<T>(kGemmVectorRows)];
  alignas(64) T x[kGemmVectorRows][kGemmDepth];
};

// sum[row][j, j + VECTORS vectors) continues over `depth` rows of B, which is stored in rows. In a TAIL the
// only vector holds `lanes` columns.
template <class T, int ROWS, int VECTORS, bool TAIL, class S>
void gemm_add_rows(GemmSums<T>& v, int64_t k, const S* b, int64_t b_k, int64_t depth, int64_t j, int lanes) {
  using V = Vec<T>;
  V s[ROWS][VECTORS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < VECTORS; c++) s[r][c] = V::load(v.sum + r * gemm_sum_stride<T>(ROWS) + j + c * V::kLanes);
  }
#pragma GCC unroll 4
  for (int64_t i = 0; i < depth; i++, b += b_k) {
    V columns[VECTORS];
#pragma GCC unroll 8
    for (int c = 0; c < VECTORS; c++) columns[c] = TAIL ? gemm_load_n(b, lanes) : gemm_load(b + c * V::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      const V value = V::set1(v.x[r][k + i]);
#pragma GCC unroll 8
      for (int c = 0; c < VECTORS; c++) s[r][c] = fma(value, columns[c], s[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int c = 0; c < VECTORS; c++) V::store(v.sum + r * gemm_sum_stride<T>(ROWS) + j + c * V::kLanes, s[r][c]);
  }
}

// All sums continue over DEPTH rows of B, read side by side, while the values of x stay in registers: for so few ROWS
// that loading B is all that takes time, and the hardware prefetcher needs long runs.
template <class T, int ROWS, int DEPTH, class S>
void gemm_sweep_rows(GemmSums<T>& v, int64_t k, const S* b, int64_t b_k, int64_t n) {
  using V = Vec<T>;
  V x[ROWS][DEPTH];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int i = 0; i < DEPTH; i++) x[r][i] = V::set1(v.x[r][k + i]);
  }
  const auto add = [&](int64_t j, auto vectors, const auto& load) __attribute__((always_inline)) {
    constexpr int kVectors = decltype(vectors)::value;
#pragma GCC unroll 8
    for (int i = 0; i < DEPTH; i++) __builtin_prefetch(b + (DEPTH + i) * b_k + j);  // runs too short for the hardware
    V s[ROWS][kVectors];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
      for (int c = 0; c < kVectors; c++) s[r][c] = V::load(v.sum + r * gemm_sum_stride<T>(ROWS) + j + c * V::kLanes);
    }
#pragma GCC unroll 8
    for (int i = 0; i < DEPTH; i++) {
#pragma GCC unroll 8
      for (int c = 0; c < kVectors; c++) {
        const V column = load(b + i * b_k + j + c * V::kLanes);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) s[r][c] = fma(x[r][i], column, s[r][c]);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
      for (int c = 0; c < kVectors; c++) V::store(v.sum + r * gemm_sum_stride<T>(ROWS) + j + c * V::kLanes, s[r][c]);
    }
  };
  constexpr std::integral_constant<int, 2> kTwo;
  constexpr std::integral_constant<int, 1> kOne;
  const auto whole = [](const S* p) { return gemm_load(p); };
  int64_t j = 0;
  for (; j + 2 * V::kLanes <= n; j += 2 * V::kLanes) add(j, kTwo, whole);
  for (; j + V::kLanes <= n; j += V::kLanes) add(j, kOne, whole);
  if (j < n) add(j, kOne, [&](const S* p) { return gemm_load_n(p, static_cast<int>(n - j)); });
}

// Enough independent sums to hide latency, few enough for registers.
template <class T, class S, int ROWS>
void gemm_sum_rows(GemmSums<T>& v, const S* b, int64_t b_k, int64_t n, int64_t k) {
  constexpr int kLanes = Vec<T>::kLanes, kVectors = ROWS == 1 ? 8 : ROWS <= 3 ? 4 : ROWS <= 6 ? 2 : 1;
  if constexpr (ROWS <= 2) {
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) gemm_sweep_rows<T, ROWS, 4>(v, i, b + i * b_k, b_k, n);
    for (; i < k; i++) gemm_sweep_rows<T, ROWS, 1>(v, i, b + i * b_k, b_k, n);
    return;
  }
  constexpr int64_t kDepth = 8;
  for (int64_t i = 0; i < k; i += kDepth) {
    const int64_t depth = k - i < kDepth ? k - i : kDepth;
    const S* rows = b + i * b_k;
    int64_t j = 0;
    for (; j + kVectors * kLanes <= n; j += kVectors * kLanes) {
      gemm_add_rows<T, ROWS, kVectors, false>(v, i, rows + j, b_k, depth, j, kLanes);
    }
    for (; j + kLanes <= n; j += kLanes) gemm_add_rows<T, ROWS, 1, false>(v, i, rows + j, b_k, depth, j, kLanes);
    if (j < n) gemm_add_rows<T, ROWS, 1, true>(v, i, rows + j, b_k, depth, j, static_cast<int>(n - j));
  }
}

// ROWS rows of sums over GROUPS vectors of columns, B stored in columns; the last vector holds `last` of them.
// The groups take turns, to hide the latency of each other's chains.
template <class T, int ROWS, int GROUPS, class S>
void gemm_sum_column_groups(GemmSums<T>& v, const S* b, int64_t b_col, int64_t j, int last, int64_t k) {
  using V = Vec<T>;
  using Columns = GemmTurnedRows<T, S>;
  constexpr int kLanes = V::kLanes, kTransposed = Columns::kTransposed;
  V s[ROWS][GROUPS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) s[r][g] = V::set1(T(0));
  }
  const auto add = [&](int64_t i, int depth) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) {
      V transposed[kTransposed];
      Columns(b + (j + g * kLanes) * b_col, b_col, g + 1 == GROUPS ? last : kLanes).load(transposed, i, depth);
#pragma GCC unroll 8
      for (int t = 0; t < kTransposed; t++) {
        if (t >= depth) break;
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) s[r][g] = fma(V::set1(v.x[r][i + t]), transposed[t], s[r][g]);
      }
    }
  };
  int64_t i = 0;
  for (; i + kTransposed <= k; i += kTransposed) add(i, kTransposed);
  if (i < k) add(i, static_cast<int>(k - i));
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) V::store(v.sum + r * gemm_sum_stride<T>(ROWS) + j + g * kLanes, s[r][g]);
  }
}

template <class T, class S, int ROWS>
void gemm_sum_columns(GemmSums<T>& v, const S* b, int64_t b_col, int64_t n, int64_t k) {
  constexpr int kLanes = Vec<T>::kLanes, kGroups = ROWS <= 4 ? 2 : 1;
  int64_t j = 0;
  for (; j + kGroups * kLanes <= n; j += kGroups * kLanes) {
    gemm_sum_column_groups<T, ROWS, kGroups>(v, b, b_col, j, kLanes, k);
  }
  for (; j < n; j += kLanes) gemm_sum_column_groups<T, ROWS, 1>(v, b, b_col, j, gemm_clamped(n - j, kLanes), k);
}

template <class T, class S>
using GemmSum = void (*)(GemmSums<T>&, const S*, int64_t, int64_t, int64_t);

// Indexed by the number of rows minus 1.
template <class T, class S>
constexpr GemmSum<T, S> kGemmSumRows[kGemmVectorRows] = {
    gemm_sum_rows<T, S, 1>, gemm_sum_rows<T, S, 2>, gemm_sum_rows<T, S, 3>, gemm_sum_rows<T, S, 4>,
    gemm_sum_rows<T, S, 5>, gemm_sum_rows<T, S, 6>, gemm_sum_rows<T, S, 7>, gemm_sum_rows<T, S, 8>};
template <class T, class S>
constexpr GemmSum<T, S> kGemmSumColumns[kGemmVectorRows] = {
    gemm_sum_columns<T, S, 1>, gemm_sum_columns<T, S, 2>, gemm_sum_columns<T, S, 3>, gemm_sum_columns<T, S, 4>,
    gemm_sum_columns<T, S, 5>, gemm_sum_columns<T, S, 6>, gemm_sum_columns<T, S, 7>, gemm_sum_columns<T, S, 8>};

template <class T, class S>
void gemm_vector(const GemmVector<T, S>& g) {
  GemmSums<T> v;
  const int64_t tile = gemm_vector_tile<T>(g.m), stride = gemm_sum_stride<T>(g.m);
  const bool dots = gemm_takes_dots(g.m, g.n, g.k, g.x_k, g.b_k);
  const int64_t step = dots ? kGemmDotDepth<T> : kGemmDepth;
  for (int64_t j = 0; j < g.n; j += tile) {
    const int64_t n = g.n - j < tile ? g.n - j : tile;
    T* y = g.y + j * g.y_col;
    for (int64_t k = 0; k == 0 || k < g.k; k += step) {
      const int64_t depth = g.k - k < step ? g.k - k : step;
      const S* b = g.b + k * g.b_k + j * g.b_col;
      if (dots) {
        gemm_dots(v.sum, stride, g.m, n, g.x + k, g.x_row, b, g.b_col, depth);
      } else {
        for (int64_t r = 0; r < g.m; r++) {
          for (int64_t i = 0; i < depth; i++) v.x[r][i] = g.x[r * g.x_row + (k + i) * g.x_k];
          for (int64_t i = 0; i < n; i += Vec<T>::kLanes) Vec<T>::store(v.sum + r * stride + i, Vec<T>::set1(T(0)));
        }
        if (g.b_col == 1) {
          kGemmSumRows<T, S>[g.m - 1](v, b, g.b_k, n, depth);
        } else {
          kGemmSumColumns<T, S>[g.m - 1](v, b, g.b_col, n, depth);
        }
      }
      for (int64_t r = 0; r < g.m; r++) {
        const T* sum = v.sum + r * stride;
        T* out = y + r * g.y_row;
        if (k > 0) {
          for (int64_t i = 0; i < n; i++) out[i * g.y_col] += sum[i];
        } else if (g.addend) {
          const T* addend = g.addend + r * g.addend_row + j * g.addend_col;
          for (int64_t i = 0; i < n; i++) out[i * g.y_col] = addend[i * g.addend_col] + sum[i];
        } else {
          for (int64_t i = 0; i < n; i++) out[i * g.y_col] = sum[i];
        }
      }
    }
    for (int64_t r = 0; r < g.m; r++) {
      T* out = y + r * g.y_row;
      if (g.bias) {
        for (int64_t i = 0; i < n; i++) out[i * g.y_col] += g.bias[(j + i) * g.bias_col];
      }
      if (g.relu) {
        for (int64_t i = 0; i < n; i++) out[i * g.y_col] = T(0) > out[i * g.y_col] ? T(0) : out[i * g.y_col];
      }
    }
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
