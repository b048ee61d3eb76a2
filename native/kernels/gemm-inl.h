// The register tile and the loops around it.
#pragma once
#include <cstdint>

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm-vector-inl.h"
#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

// ROWS x VECTORS registers of C. In a TAIL tile the last vector holds `lanes` columns.
template <class T, int ROWS, int VECTORS, bool TAIL>
void gemm_tile(const GemmBlock<T>& g, const T* a, const T* b, T* c, int lanes, const T* bias) {
  using V = Vec<T>;
  constexpr int kLast = VECTORS - 1;
  const int64_t row = g.a_row * static_cast<int64_t>(sizeof(T));
  const int64_t step = g.a_k * static_cast<int64_t>(sizeof(T));
  const int64_t b_step = g.b_k, ldc = g.ldc;
  V sum[ROWS][VECTORS];
#pragma GCC unroll 8
  for (int i = 0; i < ROWS; i++) {
#pragma GCC unroll 8
    for (int j = 0; j < VECTORS; j++) sum[i][j] = V::set1(T(0));
  }
#pragma GCC unroll 8
  for (int i = 0; i < ROWS; i++) {
    __builtin_prefetch(c + i * ldc, 1, 2);
    __builtin_prefetch(c + i * ldc + VECTORS * V::kLanes - 1, 1, 2);
  }
  // Two pointers reach six rows: base, base + row and base + 2 * row are addressing modes.
  const char* low = reinterpret_cast<const char*>(a);
  const char* high = low + 3 * row;
  for (int64_t k = g.k; k > 0; k--) {
    V columns[VECTORS];
#pragma GCC unroll 8
    for (int j = 0; j < VECTORS; j++) {
      const T* p = b + j * V::kLanes;
      columns[j] = TAIL && j == kLast ? V::load_n(p, lanes) : V::load(p);
    }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++) {
      const char* p = i < 3 ? low + i * row : high + (i - 3) * row;
      const V value = V::set1(*reinterpret_cast<const T*>(p));
#pragma GCC unroll 8
      for (int j = 0; j < VECTORS; j++) sum[i][j] = fma(value, columns[j], sum[i][j]);
    }
    low += step;
    high += step;
    b += b_step;
  }
#pragma GCC unroll 8
  for (int j = 0; j < VECTORS; j++) {
    const bool partial = TAIL && j == kLast;
    const int64_t at = j * V::kLanes;
    if (g.accumulate) {
#pragma GCC unroll 8
      for (int i = 0; i < ROWS; i++) {
        const T* p = c + i * ldc + at;
        sum[i][j] = (partial ? V::load_n(p, lanes) : V::load(p)) + sum[i][j];
      }
    }
    if (bias) {
      const V v = partial ? V::load_n(bias + at, lanes) : V::load(bias + at);
#pragma GCC unroll 8
      for (int i = 0; i < ROWS; i++) sum[i][j] = sum[i][j] + v;
    }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; i++) {
      T* p = c + i * ldc + at;
      if (partial) {
        V::store_n(p, sum[i][j], lanes);
      } else {
        V::store(p, sum[i][j]);
      }
    }
  }
}

template <class T>
using GemmTile = void (*)(const GemmBlock<T>&, const T*, const T*, T*, int, const T*);

// By the number of rows, less one.
template <class T, int VECTORS, bool TAIL>
constexpr GemmTile<T> kGemmTiles[kGemmRows] = {gemm_tile<T, 1, VECTORS, TAIL>, gemm_tile<T, 2, VECTORS, TAIL>,
                                               gemm_tile<T, 3, VECTORS, TAIL>, gemm_tile<T, 4, VECTORS, TAIL>,
                                               gemm_tile<T, 5, VECTORS, TAIL>, gemm_tile<T, 6, VECTORS, TAIL>};

template <class T>
void gemm_block(const GemmBlock<T>& g) {
  constexpr int64_t kLanes = Vec<T>::kLanes, kColumns = 2 * kLanes;
  const GemmRowPanels rows(g.m);
  for (int64_t j = 0; j < g.n; j += kColumns) {
    const int64_t width = g.n - j;
    const GemmTile<T>* tiles = width >= kColumns ? kGemmTiles<T, 2, false>
                               : width > kLanes  ? kGemmTiles<T, 2, true>
                                                 : kGemmTiles<T, 1, true>;
    const int lanes = static_cast<int>(width > kLanes ? width - kLanes : width);
    const T* b = g.b + j / kColumns * g.b_panel;
    const T* bias = g.bias ? g.bias + j : nullptr;
    for (int64_t p = 0, row = 0; p < rows.count; p++) {
      const int64_t height = rows.height(p);
      const T* a = g.a + (g.a_panel ? p * g.a_panel : row * g.a_row);
      tiles[height - 1](g, a, b, g.c + row * g.ldc + j, lanes, bias);
      row += height;
    }
  }
}

// Integers wrap, in any order of summation.
template <class T, class Unsigned>
void gemm_integer(const GemmProblem<T>& g) {
  for (int64_t i = 0; i < g.m; i++) {
    T* __restrict c = g.c + i * g.ldc;
    for (int64_t j = 0; j < g.n; j++) {
      c[j] = static_cast<T>((g.accumulate ? Unsigned(c[j]) : 0) + (g.bias ? Unsigned(g.bias[j]) : 0));
    }
    for (int64_t k = 0; k < g.k; k++) {
      const Unsigned value = static_cast<Unsigned>(g.a[i * g.a_row + k * g.a_k]);
      const T* __restrict b = g.b + k * g.b_k;
      if (g.b_col == 1) {
        for (int64_t j = 0; j < g.n; j++) c[j] = static_cast<T>(Unsigned(c[j]) + value * Unsigned(b[j]));
      } else {
        for (int64_t j = 0; j < g.n; j++) c[j] = static_cast<T>(Unsigned(c[j]) + value * Unsigned(b[j * g.b_col]));
      }
    }
  }
}

template <class T>
constexpr GemmKernels<T> make_gemm_kernels() {
  return {kGemmRows, 2 * Vec<T>::kLanes, gemm_pack_a<T>, gemm_pack_b<T>, gemm_block<T>, gemm_vector<T>};
}

constexpr GemmTable make_gemm_table() {
  return {make_gemm_kernels<float>(), make_gemm_kernels<double>(), gemm_integer<int32_t, uint32_t>,
          gemm_integer<int64_t, uint64_t>};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
