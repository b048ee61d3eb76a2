// Packing: copies operands of any strides into panels that the register tile reads sequentially.
#pragma once
#include <cstdint>

#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

// Divides m rows into the fewest panels of nearly equal height: 8 rows are 4 + 4, not 6 + 2.
struct GemmRowPanels {
  int64_t count, low, higher;
  explicit GemmRowPanels(int64_t m)
      : count((m + kGemmRows - 1) / kGemmRows), low(count ? m / count : 0), higher(count ? m % count : 0) {}
  int64_t start(int64_t panel) const { return panel * low + (panel < higher ? panel : higher); }
  int64_t height(int64_t panel) const { return low + (panel < higher); }
};

// Loads elements stored in the compute type, or in half precision.
template <class T>
Vec<T> gemm_load(const T* p) {
  return Vec<T>::load(p);
}
inline Vec<float> gemm_load(const BFloat16* p) { return load_float(p); }

template <class T>
Vec<T> gemm_load_n(const T* p, int n) {
  return Vec<T>::load_n(p, n);
}
inline Vec<float> gemm_load_n(const BFloat16* p, int n) {
  if (n == Vec<float>::kLanes) return load_float(p);
  BFloat16 copy[Vec<float>::kLanes] = {};
  for (int i = 0; i < n; i++) copy[i] = p[i];
  return load_float(copy);
}

template <class T>
T gemm_value(T x) {
  return x;
}
inline float gemm_value(BFloat16 x) { return widen(x); }

// Rows of S, `stride` apart; rows from `count` on repeat the first one.
template <class T, class S>
struct GemmTurnedRows {
  static constexpr int kLanes = Vec<T>::kLanes, kTransposed = kGemmTransposed<T>;
  const S* row[kLanes];

  GemmTurnedRows(const S* src, int64_t stride, int count) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; i++) row[i] = i < count ? src + i * stride : src;
  }
  // Values [at, at + depth) of each, transposed; depth is at most kTransposed.
  void load(Vec<T> (&v)[kTransposed], int64_t at, int depth) const {
    if (depth == kTransposed) {
      const S* p[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; i++) p[i] = row[i] + at;
      load_transposed(v, p);
    } else {
      const T* p[kLanes];
      T copy[kLanes][kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; i++) {
        Vec<T>::store(copy[i], gemm_load_n(row[i] + at, depth));
        p[i] = copy[i];
      }
      load_transposed(v, p);
    }
  }
};

// Rows of B that are packed side by side; the same number of following rows is prefetched.
constexpr int64_t kGemmPackedRows = 8;

constexpr int gemm_clamped(int64_t n, int64_t most) { return static_cast<int>(n < 0 ? 0 : n < most ? n : most); }

// One panel: WIDTH elements per step of k, `width` of them from src; the others are never read. Vectors are stored
// whole: the excess is overwritten by a later store, or lies behind the panel.
template <class T, int WIDTH, class S>
void pack_panel(T* dst, const S* src, int64_t stride, int64_t k_stride, int64_t width, int64_t depth) {
  using V = Vec<T>;
  constexpr int kLanes = V::kLanes, kGroups = (WIDTH + kLanes - 1) / kLanes;
  if (stride == 1 && width == WIDTH) {
    for (int64_t k = 0; k < depth; k++, src += k_stride, dst += WIDTH) {
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; g++) {
        const S* p = src + g * kLanes;
        if constexpr (kGemmPrefetches) __builtin_prefetch(p + kGemmPackedRows * k_stride);
        constexpr int kRest = WIDTH - (kGroups - 1) * kLanes;
        V::store(dst + g * kLanes, g + 1 == kGroups && kRest < kLanes ? gemm_load_n(p, kRest) : gemm_load(p));
      }
    }
  } else if (stride == 1) {
    for (int64_t k = 0; k < depth; k++, src += k_stride, dst += WIDTH) {
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; g++) {
        V::store(dst + g * kLanes, gemm_load_n(src + g * kLanes, gemm_clamped(width - g * kLanes, kLanes)));
      }
    }
  } else if (k_stride == 1) {
    // From the last group backwards: earlier groups overwrite the excess of later ones.
    for (int g = static_cast<int>((width - 1) / kLanes); g >= 0; g--) {
      const GemmTurnedRows<T, S> rows(src + g * kLanes * stride, stride, gemm_clamped(width - g * kLanes, kLanes));
      T* out = dst + g * kLanes;
      constexpr int kTransposed = kGemmTransposed<T>;
      V v[kTransposed];
      int64_t k = 0;
      for (; k + kTransposed <= depth; k += kTransposed) {
        rows.load(v, k, kTransposed);
#pragma GCC unroll 8
        for (int i = 0; i < kTransposed; i++) V::store(out + (k + i) * WIDTH, v[i]);
      }
      if (k == depth) continue;
      rows.load(v, k, static_cast<int>(depth - k));
      for (int i = 0; i < depth - k; i++) V::store(out + (k + i) * WIDTH, v[i]);
    }
  } else {
    for (int64_t k = 0; k < depth; k++, src += k_stride, dst += WIDTH) {
      for (int64_t i = 0; i < width; i++) dst[i] = gemm_value(src[i * stride]);
    }
  }
}

template <class T, class S>
void gemm_pack_a(T* panels, const S* a, int64_t a_row, int64_t a_k, int64_t m, int64_t k) {
  const GemmRowPanels rows(m);
  // If a step of k is contiguous, all panels copy it while it is in the cache.
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

template <class T, class S>
void gemm_pack_b(T* panels, const S* b, int64_t b_k, int64_t b_col, int64_t n, int64_t k) {
  constexpr int64_t kColumns = kGemmVectors * Vec<T>::kLanes;
  const int64_t step = b_col == 1 ? kGemmPackedRows : k;
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
