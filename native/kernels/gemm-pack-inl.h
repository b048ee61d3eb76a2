// Packing: operands of any strides become panels that the register tile reads from front to back.
#pragma once
#include <cstdint>

#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int kGemmRows = 6;

// Shares m rows out to the fewest panels, none more than one row higher than another: 8 rows are 4 + 4, not 6 + 2.
struct GemmRowPanels {
  int64_t count, low, higher;
  explicit GemmRowPanels(int64_t m)
      : count((m + kGemmRows - 1) / kGemmRows), low(count ? m / count : 0), higher(count ? m % count : 0) {}
  int64_t height(int64_t panel) const { return low + (panel < higher); }
};

// v[i] holds value i of each row, one row per lane; as many values as one step of the turning yields. Halves of rows
// meet while they are loaded, which saves a third of the shuffles.
#if defined(__AVX2__)
template <class T>
constexpr int kGemmTurned = 16 / sizeof(T);

inline __m256 load_halves(const float* low, const float* high) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}
inline __m256d load_halves(const double* low, const double* high) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high), 1);
}

template <class V>
inline void load_turned(V (&v)[4], const float* const (&row)[8]) {
  __m256 half[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) half[i] = load_halves(row[i], row[i + 4]);
  const __m256 a = _mm256_unpacklo_ps(half[0], half[1]), b = _mm256_unpackhi_ps(half[0], half[1]);
  const __m256 c = _mm256_unpacklo_ps(half[2], half[3]), d = _mm256_unpackhi_ps(half[2], half[3]);
  v[0] = _mm256_shuffle_ps(a, c, 0x44);
  v[1] = _mm256_shuffle_ps(a, c, 0xee);
  v[2] = _mm256_shuffle_ps(b, d, 0x44);
  v[3] = _mm256_shuffle_ps(b, d, 0xee);
}

template <class V>
inline void load_turned(V (&v)[2], const double* const (&row)[4]) {
  const __m256d a = load_halves(row[0], row[2]), b = load_halves(row[1], row[3]);
  v[0] = _mm256_unpacklo_pd(a, b);
  v[1] = _mm256_unpackhi_pd(a, b);
}
#else
template <class T>
constexpr int kGemmTurned = 1;
#endif
template <class T>
inline void load_turned(Vec<T> (&v)[1], const T* const (&row)[1]) {
  v[0] = Vec<T>::load(row[0]);
}

// Rows of T, `stride` apart; in place of those past `count` the first one is repeated.
template <class T>
struct GemmTurnedRows {
  static constexpr int kLanes = Vec<T>::kLanes, kTurned = kGemmTurned<T>;
  const T* row[kLanes];

  GemmTurnedRows(const T* src, int64_t stride, int count) {
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; i++) row[i] = i < count ? src + i * stride : src;
  }
  // Values [at, at + depth) of each, turned; depth is at most kTurned.
  void load(Vec<T> (&v)[kTurned], int64_t at, int depth) const {
    const T* p[kLanes];
    T copy[kLanes][kLanes];
#pragma GCC unroll 8
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
  constexpr int64_t kColumns = 2 * Vec<T>::kLanes;
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
