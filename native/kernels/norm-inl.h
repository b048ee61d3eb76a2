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
      V::set1(centred ? row_mean<T>(n, [&](int64_t i, int count) { return V::load_n(x + i, count); }) : T(0));
  const T square = row_mean<T>(n, [&](int64_t i, int count) {
    const V c = first_lanes<T>(V::load_n(x + i, count) - mean, count);
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
    V v = (V::load_n(x + i, count) - m.mean) * m.rstd;
    if (w) v = v * V::load_n(w + i, count);
    if (b) v = v + V::load_n(b + i, count);
    V::store_n(y + i, v, count);
  });
}

template <class T>
void standardize_backward_row(void* out, const void* gradient, const void* in, double eps, bool centred, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *x = static_cast<const T*>(in);
  T* dx = static_cast<T*>(out);
  const RowMoments<T> m = row_moments(x, eps, centred, n);
  const auto standard = [&](int64_t i, int count) { return (V::load_n(x + i, count) - m.mean) * m.rstd; };
  const V mean =
      V::set1(centred ? row_mean<T>(n, [&](int64_t i, int count) { return V::load_n(g + i, count); }) : T(0));
  const V along = V::set1(row_mean<T>(
      n, [&](int64_t i, int count) { return first_lanes<T>(V::load_n(g + i, count) * standard(i, count), count); }));
  each_vector<T>(n, [&](int64_t i, int count) {
    V::store_n(dx + i, (V::load_n(g + i, count) - mean - standard(i, count) * along) * m.rstd, count);
  });
}

constexpr NormTable make_norm_table() {
  return {{standardize_row<float>, standardize_row<double>},
          {standardize_backward_row<float>, standardize_backward_row<double>}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
