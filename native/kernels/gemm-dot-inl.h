// Dot products of rows of X and columns of B, both contiguous along k: B is read sequentially in place, whatever the
// distance of its columns.
#pragma once
#include <cstdint>

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int kGemmDotColumns = 48;  // taken together; a multiple of every vector and of the tiles below

// What is left of each sum once its virtual lanes are folded to those of a vector.
template <class T>
struct GemmDots {
  alignas(64) T lanes[kGemmVectorRows][kGemmDotColumns][Vec<T>::kLanes];
};

// ROWS x COLUMNS sums from row r and column j on. An incomplete last step of k is padded with zeros. Meanwhile
// PREFETCHED columns from `next` on are prefetched.
template <class T, int ROWS, int COLUMNS, int PREFETCHED, class S>
void gemm_dot_tile(GemmDots<T>& dots, int64_t r, int64_t j, const T* x, int64_t x_row, const S* b, int64_t b_col,
                   int64_t depth, const S* next) {
  using V = Vec<T>;
  constexpr int kStep = kGemmDotLanes<T>, kParts = kStep / V::kLanes;
  V s[ROWS][COLUMNS][kParts];
#pragma GCC unroll 2
  for (int i = 0; i < ROWS; i++) {
#pragma GCC unroll 6
    for (int c = 0; c < COLUMNS; c++) {
#pragma GCC unroll 16
      for (int p = 0; p < kParts; p++) s[i][c][p] = V::set1(T(0));
    }
  }
  const auto add = [&](const auto& load) __attribute__((always_inline)) {
#pragma GCC unroll 6
    for (int c = 0; c < PREFETCHED; c++) __builtin_prefetch(next + c * b_col);
#pragma GCC unroll 16
    for (int p = 0; p < kParts; p++) {
      V row[ROWS];
#pragma GCC unroll 2
      for (int i = 0; i < ROWS; i++) row[i] = load(x + i * x_row, p * V::kLanes);
#pragma GCC unroll 6
      for (int c = 0; c < COLUMNS; c++) {
        const V column = load(b + c * b_col, p * V::kLanes);
#pragma GCC unroll 2
        for (int i = 0; i < ROWS; i++) s[i][c][p] = fma(row[i], column, s[i][c][p]);
      }
    }
  };
  int64_t k = depth;
  for (; k >= kStep; k -= kStep, x += kStep, b += kStep, next += kStep)
    add([](const auto* p, int at) { return gemm_load(p + at); });
  if (k > 0)
    add([&](const auto* p, int at) { return gemm_load_n(p + (at < k ? at : 0), gemm_clamped(k - at, V::kLanes)); });
#pragma GCC unroll 2
  for (int i = 0; i < ROWS; i++) {
#pragma GCC unroll 6
    for (int c = 0; c < COLUMNS; c++) {
#pragma GCC unroll 4
      for (int half = kParts / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (int p = 0; p < half; p++) s[i][c][p] = s[i][c][p] + s[i][c][p + half];
      }
      V::store(dots.lanes[r + i][j + c], s[i][c][0]);
    }
  }
}

// All rows of a few columns while those are in L1. The columns behind them are prefetched meanwhile, a few for each
// pair of rows.
template <class T, int COLUMNS, int PREFETCHED, class S>
void gemm_dot_columns(GemmDots<T>& dots, int64_t m, int64_t j, const T* x, int64_t x_row, const S* b, int64_t b_col,
                      int64_t depth) {
  const S* columns = b + j * b_col;
  const S* next = columns + COLUMNS * b_col;
  int64_t r = 0;
  for (; r + 2 <= m; r += 2, x += 2 * x_row, next += PREFETCHED * b_col) {
    gemm_dot_tile<T, 2, COLUMNS, PREFETCHED>(dots, r, j, x, x_row, columns, b_col, depth, next);
  }
  if (r < m) gemm_dot_tile<T, 1, COLUMNS, PREFETCHED>(dots, r, j, x, x_row, columns, b_col, depth, next);
}

// Folds the lanes of `n` sums, as many at a time as a vector holds, into sum[0, n), rounded up to whole vectors.
template <class T>
void gemm_fold_dots(const T (&lanes)[kGemmDotColumns][Vec<T>::kLanes], T* sum, int64_t n) {
  using V = Vec<T>;
  constexpr int kLanes = V::kLanes, kTransposed = kGemmTransposed<T>;
  for (int64_t j = 0; j < n; j += kLanes) {
    const GemmTurnedRows<T, T> rows(lanes[j], kLanes, gemm_clamped(n - j, kLanes));
    V lane[kLanes];
#pragma GCC unroll 16
    for (int at = 0; at < kLanes; at += kTransposed) {
      V transposed[kTransposed];
      rows.load(transposed, at, kTransposed);
#pragma GCC unroll 4
      for (int i = 0; i < kTransposed; i++) lane[at + i] = transposed[i];
    }
#pragma GCC unroll 4
    for (int half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
      for (int i = 0; i < half; i++) lane[i] = lane[i] + lane[i + half];
    }
    V::store(sum + j, lane[0]);
  }
}

// sum[row * sum_row + column] over at most kGemmDotDepth values of k.
template <class T, class S>
void gemm_dots(T* sum, int64_t sum_row, int64_t m, int64_t n, const T* x, int64_t x_row, const S* b, int64_t b_col,
               int64_t depth) {
  GemmDots<T> dots;
  for (int64_t first = 0; first < n; first += kGemmDotColumns) {
    const int64_t width = n - first < kGemmDotColumns ? n - first : kGemmDotColumns;
    const S* columns = b + first * b_col;
    int64_t j = 0;
    if (m == 1) {
      for (; j + 6 <= width; j += 6) {
        const S* six = columns + j * b_col;
        gemm_dot_tile<T, 1, 6, 6>(dots, 0, j, x, x_row, six, b_col, depth, six + 6 * b_col);
      }
    }
    for (; j + 3 <= width; j += 3) {
      if (m <= 2) {
        gemm_dot_columns<T, 3, 3>(dots, m, j, x, x_row, columns, b_col, depth);
      } else {
        gemm_dot_columns<T, 3, 1>(dots, m, j, x, x_row, columns, b_col, depth);
      }
    }
    for (; j < width; j++) gemm_dot_columns<T, 1, 1>(dots, m, j, x, x_row, columns, b_col, depth);
    for (int64_t r = 0; r < m; r++) gemm_fold_dots<T>(dots.lanes[r], sum + r * sum_row + first, width);
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
