// Packing: operands of any strides become panels that the register tile reads from front to back.
#pragma once
#include <cstdint>

#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

// Shares m rows out to the fewest panels, none more than one row higher than another: 8 rows are 4 + 4, not 6 + 2.
struct GemmRowPanels {
  int64_t count, low, higher;
  explicit GemmRowPanels(int64_t m)
      : count((m + kGemmRows - 1) / kGemmRows), low(count ? m / count : 0), higher(count ? m % count : 0) {}
  int64_t height(int64_t panel) const { return low + (panel < higher); }
};

// Rows of T, `stride` apart; in place of those past `count` the first one is repeated.
template <class T>
struct GemmTurnedRows {
  static constexpr int kLanes = Vec<T>::kLanes, kTurned = kGemmTurned<T>;
  const T* row[kLanes];

  GemmTurnedRows(const T* src, int64_t stride, int count) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; i++) row[i] = i < count ? src + i * stride : src;
  }
  // Values [at, at + depth) of each, turned; depth is at most kTurned.
  void load(Vec<T> (&v)[kTurned], int64_t at, int depth) const {
    const T* p[kLanes];
    T copy[kLanes][kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; i++) {
      p[i] = row[i] + at;
      if (depth == kTurned) continue;
      Vec<T>::store(copy[i], Vec<T>::load_n(p[i], depth));
      p[i] = copy[i];
    }
    load_turned(v, p);
  }
};

constexpr int gemm_clamped(int64_t n, int64_t most) { return static_cast<int>(n < 0 ? 0 : n < most ? n : most); }

// One panel: WIDTH places per step of k, `width` of them filled from src; nobody reads the others.
// Vectors are stored whole: what they spill over is written again by a later store, or lies behind the panel.
template <class T, int WIDTH>
void pack_panel(T* dst, const T* src, int64_t stride, int64_t k_stride, int64_t width, int64_t depth) {
  using V = Vec<T>;
  constexpr int kLanes = V::kLanes, kGroups = (WIDTH + kLanes - 1) / kLanes;
  if (stride == 1 && width == WIDTH) {
    for (int64_t k = 0; k < depth; k++, src += k_stride, dst += WIDTH) {
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; g++) {
        const T* p = src + g * kLanes;
        constexpr int kRest = WIDTH - (kGroups - 1) * kLanes;
        V::store(dst + g * kLanes, g + 1 == kGroups && kRest < kLanes ? V::load_n(p, kRest) : V::load(p));
      }
    }
  } else if (stride == 1) {
    for (int64_t k = 0; k < depth; k++, src += k_stride, dst += WIDTH) {
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; g++) {
        V::store(dst + g * kLanes, V::load_n(src + g * kLanes, gemm_clamped(width - g * kLanes, kLanes)));
      }
    }
  } else if (k_stride == 1) {
    // From the last group on: what it spills, the groups before it overwrite.
    for (int g = static_cast<int>((width - 1) / kLanes); g >= 0; g--) {
      const GemmTurnedRows<T> rows(src + g * kLanes * stride, stride, gemm_clamped(width - g * kLanes, kLanes));
      T* out = dst + g * kLanes;
      constexpr int kTurned = kGemmTurned<T>;
      V v[kTurned];
      int64_t k = 0;
      for (; k + kTurned <= depth; k += kTurned) {
        rows.load(v, k, kTurned);
#pragma GCC unroll 8
        for (int i = 0; i < kTurned; i++) V::store(out + (k + i) * WIDTH, v[i]);
      }
      if (k == depth) continue;
      rows.load(v, k, static_cast<int>(depth - k));
      for (int i = 0; i < depth - k; i++) V::store(out + (k + i) * WIDTH, v[i]);
    }
  } else {
    for (int64_t k = 0; k < depth; k++, src += k_stride, dst += WIDTH) {
      for (int64_t i = 0; i < width; i++) dst[i] = src[i * stride];
    }
  }
}

template <class T>
void gemm_pack_a(T* panels, const T* a, int64_t a_row, int64_t a_k, int64_t m, int64_t k) {
  const GemmRowPanels rows(m);
  // Where a step of k is one run of memory, all panels take it up while it is in the cache.
  const int64_t step = a_row == 1 ? 4 : k;
  for (int64_t start = 0; start < k; start += step) {
    const int64_t depth = k - start < step ? k - start : step;
    for (int64_t p = 0, row = 0; p < rows.count; p++) {
      const int64_t height = rows.height(p);
      pack_panel<T, kGemmRows>(panels + p * gemm_panel(kGemmRows, k) + start * kGemmRows, a + row * a_row + start * a_k,
                               a_row, a_k, height, depth);
      row += height;
    }
  }
}

template <class T>
void gemm_pack_b(T* panels, const T* b, int64_t b_k, int64_t b_col, int64_t n, int64_t k) {
  constexpr int64_t kColumns = kGemmVectors * Vec<T>::kLanes;
  const int64_t step = b_col == 1 ? 8 : k;
  for (int64_t start = 0; start < k; start += step) {
    const int64_t depth = k - start < step ? k - start : step;
    for (int64_t j = 0; j < n; j += kColumns) {
      pack_panel<T, kColumns>(panels + j / kColumns * gemm_panel(kColumns, k) + start * kColumns,
                              b + start * b_k + j * b_col, b_col, b_k, n - j < kColumns ? n - j : kColumns, depth);
    }
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
