// Included once per ISA: see variance.h.
#pragma once
#include "kernels/rows-inl.h"
#include "kernels/variance.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int64_t kVarianceBlock = 1024;  // elements of a row; sums of blocks are added up in order
constexpr int64_t kVarianceRows = 64;     // rows of columns, likewise
constexpr int64_t kVarianceColumns = 256;

template <class T>
void squares_along(double* total, const T* x, const double* mean, const MeanTile& tile) {
  using V = Vec<double>;
  for (int64_t r = 0; r < tile.rows; r++, x += tile.stride) {
    const V centre = V::set1(mean[r]);
    total[r] = 0;
    for (int64_t from = 0; from < tile.columns; from += kVarianceBlock) {
      const int64_t left = tile.columns - from;
      total[r] += row_sum<double>(left < kVarianceBlock ? left : kVarianceBlock, [&](int64_t i, int count) {
        const V d = first_lanes<double>(load_in_double(x + from + i, count) - centre, count);
        return d * d;
      });
    }
  }
}

template <class T>
void squares_down(double* total, const T* x, const double* mean, const MeanTile& tile) {
  using V = Vec<double>;
  for (int64_t from = 0; from < tile.columns; from += kVarianceColumns) {
    const int64_t left = tile.columns - from, columns = left < kVarianceColumns ? left : kVarianceColumns;
    double sums[kVarianceColumns];
    each_vector<double>(columns, [&](int64_t c, int count) { V::store_n(total + from + c, V::set1(0), count); });
    for (int64_t row = 0; row < tile.rows; row += kVarianceRows) {
      const int64_t end = tile.rows - row < kVarianceRows ? tile.rows : row + kVarianceRows;
      each_vector<double>(columns, [&](int64_t c, int count) { V::store_n(sums + c, V::set1(0), count); });
      const auto add = [&](int64_t first, auto rows) {
        each_vector<double>(columns, [&](int64_t c, int count) {
          V sum = load_first(sums + c, count);
          const V centre = load_first(mean + from + c, count);
#pragma GCC unroll 4
          for (int r = 0; r < decltype(rows)::value; r++) {
            const V d = load_in_double(x + (first + r) * tile.stride + from + c, count) - centre;
            sum = sum + d * d;
          }
          V::store_n(sums + c, sum, count);
        });
      };
      int64_t r = row;
      for (; r + 4 <= end; r += 4) add(r, std::integral_constant<int, 4>());
      for (; r < end; r++) add(r, std::integral_constant<int, 1>());
      each_vector<double>(columns, [&](int64_t c, int count) {
        V::store_n(total + from + c, load_first(total + from + c, count) + load_first(sums + c, count), count);
      });
    }
  }
}

template <class T>
void variance_squares(double* total, const void* in, const double* mean, const MeanTile& tile) {
  const T* x = static_cast<const T*>(in);
  tile.along ? squares_along(total, x, mean, tile) : squares_down(total, x, mean, tile);
}

template <class T>
void variance_differences(void* out, int64_t out_stride, const void* in, const double* mean, const double* unit,
                          const double* scale, const MeanTile& tile) {
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const int64_t n = tile.columns;
  for (int64_t r = 0; r < tile.rows; r++, x += tile.stride, y += out_stride) {
    if (tile.along) {
      const double part = unit[r], centre = mean[r] * part, slope = scale[r];
      NABLA_INDEPENDENT
      for (int64_t i = 0; i < n; i++) y[i] = static_cast<T>((x[i] * part - centre) * slope);
    } else {
      NABLA_INDEPENDENT
      for (int64_t i = 0; i < n; i++) y[i] = static_cast<T>((x[i] * unit[i] - mean[i] * unit[i]) * scale[i]);
    }
  }
}

constexpr VarianceTable make_variance_table() {
  return {{{variance_squares<float>, variance_differences<float>},
           {variance_squares<double>, variance_differences<double>}}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
