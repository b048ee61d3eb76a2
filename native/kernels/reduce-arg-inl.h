// argmax and argmin. F tells whether one value is beyond another; NaN is beyond all numbers.
#pragma once
#include "kernels/arithmetic-inl.h"
#include "kernels/reduce.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
constexpr T kLowest = -FloatTraits<T>::kInfinity;
template <class T>
constexpr T kHighest = FloatTraits<T>::kInfinity;
#define NABLA_ENDS(type, low, high)   \
  template <>                         \
  constexpr type kLowest<type> = low; \
  template <>                         \
  constexpr type kHighest<type> = high;
NABLA_ENDS(int32_t, INT32_MIN, INT32_MAX)
NABLA_ENDS(int64_t, INT64_MIN, INT64_MAX)
NABLA_ENDS(uint8_t, 0, UINT8_MAX)
NABLA_ENDS(bool, false, true)
#undef NABLA_ENDS

template <class F, class T>
NABLA_INLINE bool beyond(T a, T b) {
  return static_cast<bool>(F{}(Lane<T>(a), Lane<T>(b))) | ((a != a) & (b == b));
}

template <class F, class T>
void arg_reduce_columns(void* values, int64_t* indices, const void* data, int64_t rows, int64_t row_stride,
                        int64_t columns, int64_t first) {
  T* const best = static_cast<T*>(values);
  const T* x = static_cast<const T*>(data);
  for (int64_t c = 0; c < columns; c++) {
    best[c] = x[c];
    indices[c] = first;
  }
  for (int64_t r = 1; r < rows; r++) {
    x += row_stride;
    NABLA_INDEPENDENT
    for (int64_t c = 0; c < columns; c++) {
      const bool better = beyond<F, T>(x[c], best[c]);
      best[c] = better ? x[c] : best[c];
      indices[c] = better ? first + r : indices[c];
    }
  }
}

// The extreme of a run, in vectors; NaN if there is one. n >= 1.
template <class F, class T>
T extreme_of(const T* x, int64_t n) {
  constexpr int kWidth = 32;
  T best[kWidth];
  for (int j = 0; j < kWidth; j++) best[j] = x[j < n ? j : 0];
  int64_t i = kWidth;
  for (; i + kWidth <= n; i += kWidth) {
    NABLA_INDEPENDENT
    for (int j = 0; j < kWidth; j++) {
      const T v = x[i + j], b = best[j];
      best[j] = beyond<F, T>(v, b) ? v : b;
    }
  }
  for (; i < n; i++) best[0] = beyond<F, T>(x[i], best[0]) ? x[i] : best[0];
  for (int j = 1; j < kWidth; j++) best[0] = beyond<F, T>(best[j], best[0]) ? best[j] : best[0];
  return best[0];
}

template <class F, class T>
int64_t arg_extreme(const T* x, int64_t n) {
  constexpr int64_t kBlock = 2048;  // short enough to be searched again from L1
  T best = x[0];
  int64_t index = 0;
  if (n <= 64) {
    for (int64_t i = 1; i < n; i++) {
      if (!beyond<F, T>(x[i], best)) continue;
      best = x[i];
      index = i;
    }
    return index;
  }
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t count = n - i < kBlock ? n - i : kBlock;
    const T value = extreme_of<F, T>(x + i, count);
    if (!beyond<F, T>(value, best) && i > 0) continue;
    best = value;
    int64_t j = i;
    while (value == value ? x[j] != value : x[j] == x[j]) j++;
    index = j;
  }
  return index;
}

template <class F, class T>
void arg_reduce_rows(int32_t* out, const void* data, int64_t rows, int64_t row_stride, int64_t n) {
  const T* const x = static_cast<const T*>(data);
  for (int64_t r = 0; r < rows; r++) out[r] = static_cast<int32_t>(arg_extreme<F, T>(x + r * row_stride, n));
}

template <class F, class T>
void arg_reduce_merge(void* values, int64_t* indices, const void* later_values, const int64_t* later_indices,
                      int64_t n) {
  T* const best = static_cast<T*>(values);
  const T* const later = static_cast<const T*>(later_values);
  for (int64_t i = 0; i < n; i++) {
    const bool better = beyond<F, T>(later[i], best[i]);
    best[i] = better ? later[i] : best[i];
    indices[i] = better ? later_indices[i] : indices[i];
  }
}

template <class F, class T>
constexpr ArgReduceLeaf arg_reduce_leaf_of() {
  if constexpr (__is_same(T, bool)) {
    return arg_reduce_leaf_of<F, uint8_t>();
  } else {
    return {arg_reduce_columns<F, T>, arg_reduce_rows<F, T>, arg_reduce_merge<F, T>};
  }
}

}  // namespace
}  // namespace nabla::NABLA_ISA
