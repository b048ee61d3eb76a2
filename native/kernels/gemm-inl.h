// The register tile and the loops around it.
#pragma once
#include <cstdint>

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm-vector-inl.h"
#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

// ROWS x VECTORS registers of C. In a TAIL tile the last vector holds `lanes` columns. While a PREFETCH tile is
// multiplied, the panel of B after this one comes into L2.
template <class T, int ROWS, int VECTORS, bool TAIL, bool PREFETCH>
void gemm_tile(const GemmBlock<T>& g, const T* a, const T* b, T* c, int lanes, const T* addend, const T* bias) {
  using V = Vec<T>;
  constexpr int kLast = VECTORS - 1;
  const int64_t row = g.a_row * static_cast<int64_t>(sizeof(T));
  const int64_t step = g.a_k * static_cast<int64_t>(sizeof(T));
  const int64_t b_step = g.b_k, ldc = g.ldc;
  [[maybe_unused]] const int64_t next = g.b_panel;
  V sum[ROWS][VECTORS];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) {
#pragma GCC unroll 8
    for (int j = 0; j < VECTORS; j++) sum[i][j] = V::set1(T(0));
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) {
    __builtin_prefetch(c + i * ldc, 1, 2);
    __builtin_prefetch(c + i * ldc + VECTORS * V::kLanes - 1, 1, 2);
  }
  // A pointer reaches three rows: base, base + row and base + 2 * row are addressing modes.
  constexpr int kPointers = (ROWS + 2) / 3;
  const char* rows[kPointers];
#pragma GCC unroll 8
  for (int i = 0; i < kPointers; i++) rows[i] = reinterpret_cast<const char*>(a) + 3 * i * row;
  for (int64_t k = g.k; k > 0; k--) {
    V columns[VECTORS];
#pragma GCC unroll 8
    for (int j = 0; j < VECTORS; j++) {
      const T* p = b + j * V::kLanes;
      columns[j] = TAIL && j == kLast ? V::load_n(p, lanes) : V::load(p);
      if constexpr (PREFETCH) __builtin_prefetch(p + next, 0, 2);
    }
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      const char* p = rows[i / 3] + i % 3 * row;
      const V value = V::set1(*reinterpret_cast<const T*>(p));
#pragma GCC unroll 8
      for (int j = 0; j < VECTORS; j++) sum[i][j] = fma(value, columns[j], sum[i][j]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kPointers; i++) rows[i] += step;
    b += b_step;
  }
#pragma GCC unroll 8
  for (int j = 0; j < VECTORS; j++) {
    const bool partial = TAIL && j == kLast;
    const int64_t at = j * V::kLanes;
    if (addend) {
#pragma GCC unroll 16
      for (int i = 0; i < ROWS; i++) {
        const T* p = addend + i * g.addend_row + at;
        sum[i][j] = (partial ? V::load_n(p, lanes) : V::load(p)) + sum[i][j];
      }
    }
    if (bias) {
      const V v = partial ? V::load_n(bias + at, lanes) : V::load(bias + at);
#pragma GCC unroll 16
      for (int i = 0; i < ROWS; i++) sum[i][j] = sum[i][j] + v;
    }
    if (g.relu) {
#pragma GCC unroll 16
      for (int i = 0; i < ROWS; i++) sum[i][j] = max(V::set1(T(0)), sum[i][j]);
    }
#pragma GCC unroll 16
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
using GemmTile = void (*)(const GemmBlock<T>&, const T*, const T*, T*, int, const T*, const T*);

template <class T>
struct GemmTiles {
  GemmTile<T> by_rows[kGemmRows + 1];
  template <int VECTORS, bool TAIL, bool PREFETCH, int ROWS = kGemmRows>
  constexpr void fill() {
    by_rows[ROWS] = gemm_tile<T, ROWS, VECTORS, TAIL, PREFETCH>;
    if constexpr (ROWS > 1) fill<VECTORS, TAIL, PREFETCH, ROWS - 1>();
  }
};

// Tiles of `VECTORS` vectors of columns, those for the first rows where they meet a far B, and those with a tail in
// their last vector by the number of vectors.
template <class T>
struct GemmAllTiles {
  GemmTiles<T> whole, first, tail[kGemmVectors + 1];
  template <int VECTORS = kGemmVectors>
  constexpr void fill() {
    tail[VECTORS].template fill<VECTORS, true, false>();
    if constexpr (VECTORS > 1) fill<VECTORS - 1>();
  }
};
template <class T>
constexpr GemmAllTiles<T> kGemmTiles = [] {
  GemmAllTiles<T> tiles{};
  tiles.whole.template fill<kGemmVectors, false, false>();
  tiles.first.template fill<kGemmVectors, false, kGemmPrefetches>();
  tiles.fill();
  return tiles;
}();

template <class T>
void gemm_block(const GemmBlock<T>& g) {
  constexpr int64_t kLanes = Vec<T>::kLanes, kColumns = kGemmVectors * kLanes;
  const GemmRowPanels rows(g.m);
  const auto multiply = [&](int64_t p, int64_t j) {
    const int64_t width = g.n - j, vectors = (width - 1) / kLanes, row = rows.start(p);
    const bool whole = width >= kColumns;
    const GemmTiles<T>& tiles =
        whole ? (p > 0 || !g.far ? kGemmTiles<T>.whole : kGemmTiles<T>.first) : kGemmTiles<T>.tail[vectors + 1];
    const T* a = g.a + (g.a_panel ? p * g.a_panel : row * g.a_row);
    const T* addend = g.addend ? g.addend + row * g.addend_row + j : nullptr;
    tiles.by_rows[rows.height(p)](g, a, g.b + j / kColumns * g.b_panel, g.c + row * g.ldc + j,
                                  static_cast<int>(width - vectors * kLanes), addend, g.bias ? g.bias + j : nullptr);
  };
  if constexpr (kGemmKeepsA) {
    for (int64_t p = 0; p < rows.count; p++) {
      for (int64_t j = 0; j < g.n; j += kColumns) multiply(p, j);
    }
  } else {
    for (int64_t j = 0; j < g.n; j += kColumns) {
      for (int64_t p = 0; p < rows.count; p++) multiply(p, j);
    }
  }
}

// Integers wrap, in any order of summation.
template <class T, class Unsigned>
void gemm_integer(const GemmProblem<T>& g) {
  for (int64_t i = 0; i < g.m; i++) {
    T* c = g.c + i * g.ldc;
    const T* addend = g.addend ? g.addend + i * g.addend_row : nullptr;
    for (int64_t j = 0; j < g.n; j++) {
      c[j] = static_cast<T>((addend ? Unsigned(addend[j]) : 0) + (g.bias ? Unsigned(g.bias[j]) : 0));
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

template <class T, class S>
constexpr GemmReaders<T, S> make_gemm_readers() {
  return {gemm_pack_a<T, S>, gemm_pack_b<T, S>, gemm_vector<T, S>};
}

template <class T>
constexpr GemmKernels<T> make_gemm_kernels() {
  return {make_gemm_readers<T, T>(), kGemmRows, kGemmVectors * Vec<T>::kLanes, kGemmCaches, gemm_block<T>};
}

constexpr GemmTable make_gemm_table() {
  return {make_gemm_kernels<float>(), make_gemm_readers<float, BFloat16>(), make_gemm_kernels<double>(),
          gemm_integer<int32_t, uint32_t>, gemm_integer<int64_t, uint64_t>};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
