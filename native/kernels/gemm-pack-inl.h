// Packing: operands of any strides become panels that the register tile reads from front to back.
#pragma once
#include <cstdint>

#include "kernels/gemm.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int kGemmRows = 6;

// Shares m rows out to the fewest panels, none more than one row higher than another: 8 rows are 4 + 4, not 6 + 2.
struct RowPanels {
  int64_t count, low, higher;
  explicit RowPanels(int64_t m)
      : count((m + kGemmRows - 1) / kGemmRows), low(count ? m / count : 0), higher(count ? m % count : 0) {}
  int64_t height(int64_t panel) const { return low + (panel < higher); }
};

#if defined(__AVX2__)
template <class V>
inline void transpose(V (&v)[8]) {
  __m256 pair[8], quad[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(v[i].v, v[i + 1].v);
    pair[i + 1] = _mm256_unpackhi_ps(v[i].v, v[i + 1].v);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
    quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    v[i].v = _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20);
    v[i + 4].v = _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31);
  }
}

template <class V>
inline void transpose(V (&v)[4]) {
  const __m256d a = _mm256_unpacklo_pd(v[0].v, v[1].v), b = _mm256_unpackhi_pd(v[0].v, v[1].v);
  const __m256d c = _mm256_unpacklo_pd(v[2].v, v[3].v), d = _mm256_unpackhi_pd(v[2].v, v[3].v);
  v[0].v = _mm256_permute2f128_pd(a, c, 0x20);
  v[1].v = _mm256_permute2f128_pd(b, d, 0x20);
  v[2].v = _mm256_permute2f128_pd(a, c, 0x31);
  v[3].v = _mm256_permute2f128_pd(b, d, 0x31);
}
#else
template <class T>
void transpose(Vec<T> (&)[1]) {}
#endif

// `count` vectors of `lanes` values, `stride` apart, turned: afterwards v[i] holds value i of each.
template <class T>
inline void load_transposed(Vec<T> (&v)[Vec<T>::kLanes], const T* src, int64_t stride, int count, int lanes) {
  constexpr int kLanes = Vec<T>::kLanes;
  if (count == kLanes && lanes == kLanes) {
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; i++) v[i] = Vec<T>::load(src + i * stride);
  } else {
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; i++) v[i] = i < count ? Vec<T>::load_n(src + i * stride, lanes) : Vec<T>::set1(T(0));
  }
  transpose(v);
}

constexpr int gemm_clamped(int64_t n, int64_t most) { return static_cast<int>(n < 0 ? 0 : n < most ? n : most); }

// One panel: WIDTH values per step of k, `width` of them from src.
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
    for (int64_t k = 0; k < depth; k += kLanes) {
      const int lanes = gemm_clamped(depth - k, kLanes);
      for (int g = kGroups - 1; g >= 0; g--) {
        V v[kLanes];
        load_transposed(v, src + g * kLanes * stride + k, stride, gemm_clamped(width - g * kLanes, kLanes), lanes);
        T* out = dst + k * WIDTH + g * kLanes;
#pragma GCC unroll 8
        for (int i = 0; i < kLanes; i++) {
          if (i < lanes) V::store(out + i * WIDTH, v[i]);
        }
      }
    }
  } else {
    for (int64_t k = 0; k < depth; k++, src += k_stride, dst += WIDTH) {
      for (int64_t i = 0; i < WIDTH; i++) dst[i] = i < width ? src[i * stride] : T(0);
    }
  }
}

template <class T>
void gemm_pack_a(T* panels, const T* a, int64_t a_row, int64_t a_k, int64_t m, int64_t k) {
  const RowPanels rows(m);
  // Where a step of k is one run of memory, all panels take it up while it is in the cache.
  const int64_t step = a_row == 1 ? 4 : k;
  for (int64_t start = 0; start < k; start += step) {
    const int64_t depth = k - start < step ? k - start : step;
    for (int64_t p = 0, row = 0; p < rows.count; p++) {
      const int64_t height = rows.height(p);
      pack_panel<T, kGemmRows>(panels + p * gemm_panel(kGemmRows, k) + start * kGemmRows,
                               a + row * a_row + start * a_k, a_row, a_k, height, depth);
      row += height;
    }
  }
}

template <class T>
void gemm_pack_b(T* panels, const T* b, int64_t b_k, int64_t b_col, int64_t n, int64_t k) {
  constexpr int64_t kColumns = 2 * Vec<T>::kLanes;
  for (int64_t j = 0; j < n; j += kColumns) {
    pack_panel<T, kColumns>(panels, b + j * b_col, b_col, b_k, n - j < kColumns ? n - j : kColumns, k);
    panels += gemm_panel(kColumns, k);
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
