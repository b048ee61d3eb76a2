// Included once per ISA: see norm.h.
#pragma once
#include "kernels/norm.h"
#include "kernels/rows-inl.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int64_t kNormBlock = 1024;  // sums of blocks are added up in order, so that long rows stay exact

// The mean over i < n of f(i, count), whose lanes from `count` on are zero.
template <class T, class F>
T row_mean(int64_t n, F&& f) {
  T total = 0;
  for (int64_t from = 0; from < n; from += kNormBlock) {
    const int64_t size = n - from < kNormBlock ? n - from : kNormBlock;
    total += row_sum<T>(size, [&](int64_t i, int count) { return f(from + i, count); });
  }
  return total / static_cast<T>(n);
}

template <class T>
struct RowMoments {
  Vec<T> mean, rstd;
};

template <class T>
RowMoments<T> row_moments(const T* x, double eps, bool centred, int64_t n) {
  using V = Vec<T>;
  const V mean =
      V::set1(centred ? row_mean<T>(n, [&](int64_t i, int count) { return load_first(x + i, count); }) : T(0));
  const T square = row_mean<T>(n, [&](int64_t i, int count) {
    const V c = first_lanes<T>(load_first(x + i, count) - mean, count);
    return c * c;
  });
  return {mean, V::set1(1) / sqrt(V::set1(square + static_cast<T>(eps)))};
}

template <class T>
void standardize_row(void* out, const void* in, const void* weight, const void* bias, double eps, bool centred,
                     int64_t n) {
  using V = Vec<T>;
  const T *x = static_cast<const T*>(in), *w = static_cast<const T*>(weight), *b = static_cast<const T*>(bias);
  T* y = static_cast<T*>(out);
  const RowMoments<T> m = row_moments(x, eps, centred, n);
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = (load_first(x + i, count) - m.mean) * m.rstd;
    if (w) v = v * load_first(w + i, count);
    if (b) v = v + load_first(b + i, count);
    V::store_n(y + i, v, count);
  });
}

template <class T>
void standardize_backward_row(void* out, const void* gradient, const void* in, double eps, bool centred, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *x = static_cast<const T*>(in);
  T* dx = static_cast<T*>(out);
  const RowMoments<T> m = row_moments(x, eps, centred, n);
  const auto standard = [&](int64_t i, int count) { return (load_first(x + i, count) - m.mean) * m.rstd; };
  const V mean =
      V::set1(centred ? row_mean<T>(n, [&](int64_t i, int count) { return load_first(g + i, count); }) : T(0));
  const V along = V::set1(row_mean<T>(
      n, [&](int64_t i, int count) { return first_lanes<T>(load_first(g + i, count) * standard(i, count), count); }));
  each_vector<T>(n, [&](int64_t i, int count) {
    V::store_n(dx + i, (load_first(g + i, count) - mean - standard(i, count) * along) * m.rstd, count);
  });
}

template <class T>
void scaled_backward_rows(void* out, const void* gradient, const void* in, const void* weight, void* by_weight,
                          void* by_bias, double eps, bool centred, int64_t rows, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *x = static_cast<const T*>(in), *w = static_cast<const T*>(weight);
  T *dx = static_cast<T*>(out), *dw = static_cast<T*>(by_weight), *db = static_cast<T*>(by_bias);
  each_vector<T>(n, [&](int64_t i, int count) {
    V::store_n(dw + i, V::set1(0), count);
    V::store_n(db + i, V::set1(0), count);
  });
  for (int64_t r = 0; r < rows; r++, g += n, x += n, dx += n) {
    const V mean =
        V::set1(centred ? row_mean<T>(n, [&](int64_t i, int count) { return load_first(x + i, count); }) : T(0));
    T square = 0, level = 0, along = 0;
    for (int64_t from = 0; from < n; from += kNormBlock) {
      const RowSums<T, 3> sums(n - from < kNormBlock ? n - from : kNormBlock, [&](V* sum, int64_t at, int count) {
        const int64_t i = from + at;
        const V slope = load_first(g + i, count) * load_first(w + i, count);
        const V c = first_lanes<T>(load_first(x + i, count) - mean, count);
        sum[0] = fma(c, c, sum[0]);
        sum[1] = sum[1] + slope;
        sum[2] = fma(c, slope, sum[2]);
      });
      square += sums.total[0];
      level += sums.total[1];
      along += sums.total[2];
    }
    const T size = static_cast<T>(n);
    const V rstd = V::set1(1) / sqrt(V::set1(square / size + static_cast<T>(eps)));
    const V common = V::set1(centred ? level / size : T(0)), part = V::set1(along / size) * rstd;
    each_vector<T>(n, [&](int64_t i, int count) {
      const V gi = load_first(g + i, count), y = (load_first(x + i, count) - mean) * rstd;
      V::store_n(dx + i, fnma(y, part, gi * load_first(w + i, count) - common) * rstd, count);
      V::store_n(dw + i, fma(gi, y, load_first(dw + i, count)), count);
      V::store_n(db + i, load_first(db + i, count) + gi, count);
    });
  }
}

constexpr NormTable make_norm_table() {
  return {{standardize_row<float>, standardize_row<double>},
          {standardize_backward_row<float>, standardize_backward_row<double>},
          {scaled_backward_rows<float>, scaled_backward_rows<double>}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
