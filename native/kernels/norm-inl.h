// Included once per ISA: see norm.h.
#pragma once
#include <type_traits>

#include "kernels/norm.h"
#include "kernels/rows-inl.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int64_t kNormBlock = 1024;  // sums of blocks are added up in order, so that long rows stay exact

// Rows that are worked on side by side, where K sums of each stay in registers: one alone waits for its sums.
template <class T, int K>
constexpr int kRowsTogether = 2 * K * kRowLanes / Vec<T>::kLanes <= 12 ? 2 : 1;

// f(first row, number of rows as a constant), over all rows of n elements.
template <int R, class F>
void rows_together(int64_t rows, int64_t n, F&& f) {
  int64_t r = 0;
  for (; n < kLongRow && r + R <= rows; r += R) f(r, std::integral_constant<int, R>());
  for (; r < rows; r++) f(r, std::integral_constant<int, 1>());
}

// K means over i < n: add(sums, i, count) adds to each a vector whose lanes from `count` on are zero.
template <class T, int K, class F>
NABLA_INLINE void row_means(T (&mean)[K], int64_t n, F&& add) {
  for (T& m : mean) m = 0;
  for (int64_t from = 0; from < n; from += kNormBlock) {
    const RowSums<T, K> sums(n - from < kNormBlock ? n - from : kNormBlock,
                             [&](Vec<T>* sum, int64_t i, int count) { add(sum, from + i, count); });
    for (int k = 0; k < K; k++) mean[k] += sums.total[k];
  }
  for (T& m : mean) m /= static_cast<T>(n);
}

// Writes the first `count` elements of v; by a streaming store, all of them, which are a whole line.
template <class T>
NABLA_INLINE void write_first(T* p, Vec<T> v, int count, bool streaming) {
  streaming ? Vec<T>::stream(p, v) : Vec<T>::store_n(p, v, count);
}

// R rows, n elements apart: their means, or 0 where they are not centred, and the reciprocals of their deviations.
template <class T, int R>
struct RowMoments {
  Vec<T> mean[R], rstd[R];
  bool fit[R];

  void centre(const T* x, bool centred, int64_t n) {
    T total[R] = {};
    if (centred) {
      row_means<T, R>(total, n, [&](Vec<T>* sum, int64_t i, int count) {
#pragma GCC unroll 2
        for (int r = 0; r < R; r++) sum[r] = sum[r] + load_first(x + r * n + i, count);
      });
    }
    for (int r = 0; r < R; r++) mean[r] = Vec<T>::set1(total[r]);
  }
  void scale(int r, T mean_square, double eps) {
    const T square = mean_square + static_cast<T>(eps);
    fit[r] = squares_fit(square);
    rstd[r] = Vec<T>::set1(1) / sqrt(Vec<T>::set1(square));
  }
  Vec<T> centred(int r, Vec<T> x, int count) const { return first_lanes<T>(x - mean[r], count); }
  Vec<T> standard(int r, Vec<T> x) const { return (x - mean[r]) * rstd[r]; }
};

// Meanwhile prefetches what is read next, and the results from `out` on, which are written next.
template <class T, int R>
NABLA_INLINE RowMoments<T, R> row_moments(const T* x, const T* out, double eps, bool centred, int64_t n) {
  RowMoments<T, R> m;
  m.centre(x, centred, n);
  T square[R];
  const T* next = after_row(x + (R - 1) * n, n);
  row_means<T, R>(square, n, [&](Vec<T>* sum, int64_t i, int count) {
#pragma GCC unroll 2
    for (int r = 0; r < R; r++) {
      __builtin_prefetch(next + r * n + i);
      __builtin_prefetch(out + r * n + i, 1);
      const Vec<T> c = m.centred(r, load_first(x + r * n + i, count), count);
      sum[r] = sum[r] + c * c;
    }
  });
  for (int r = 0; r < R; r++) m.scale(r, square[r], eps);
  return m;
}

// Rows whose squares overflow or underflow T, in double.
template <class T>
struct ScaledRow {
  const T* x;
  int64_t n;
  bool centred;
  ScaledMoments m;

  ScaledRow(const T* row, int64_t length, double eps, bool about_mean)
      : x(row),
        n(length),
        centred(about_mean),
        m(length, eps, about_mean, [=](int64_t i) -> double { return row[i]; }) {}

  void standardize(T* y, const T* w, const T* b) const {
    for (int64_t i = 0; i < n; i++) {
      T v = static_cast<T>(m.standard(x[i]));
      if (w) v *= w[i];
      if (b) v += b[i];
      y[i] = v;
    }
  }
  // By x and, where there is a weight, added to what weight and bias have.
  void backward(T* dx, const T* g, const T* w, T* dw, T* db) const {
    double level = 0, along = 0;
    const auto slope = [&](int64_t i) { return static_cast<double>(g[i]) * (w ? static_cast<double>(w[i]) : 1.0); };
    for (int64_t i = 0; i < n; i++) {
      if (centred) level += slope(i);
      along += slope(i) * m.standard(x[i]);
    }
    level /= static_cast<double>(n), along /= static_cast<double>(n);
    for (int64_t i = 0; i < n; i++) {
      const double y = m.standard(x[i]);
      dx[i] = static_cast<T>((slope(i) - level - y * along) * m.rate * m.unit);
      if (!w) continue;
      dw[i] = static_cast<T>(dw[i] + g[i] * y);
      db[i] += g[i];
    }
  }
};

template <class T>
void standardize_rows(void* out, const void* in, const void* weight, const void* bias, double eps, bool centred,
                      bool streaming, int64_t rows, int64_t n) {
  using V = Vec<T>;
  const T *w = static_cast<const T*>(weight), *b = static_cast<const T*>(bias);
  rows_together<kRowsTogether<T, 1>>(rows, n, [&](int64_t first, auto together) {
    constexpr int R = decltype(together)::value;
    const T* x = static_cast<const T*>(in) + first * n;
    T* y = static_cast<T*>(out) + first * n;
    const RowMoments<T, R> m = row_moments<T, R>(x, prefetch_row<T>(y, x, streaming), eps, centred, n);
    each_vector<T>(n, [=](int64_t i, int count) {
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) {
        V v = m.standard(r, load_first(x + r * n + i, count));
        if (w) v = v * load_first(w + i, count);
        if (b) v = v + load_first(b + i, count);
        write_first(y + r * n + i, v, count, streaming);
      }
    });
    for (int r = 0; r < R; r++)
      if (__builtin_expect(!m.fit[r], 0)) ScaledRow<T>(x + r * n, n, eps, centred).standardize(y + r * n, w, b);
  });
}

template <class T>
void standardize_backward_rows(void* out, const void* gradient, const void* in, double eps, bool centred,
                               bool streaming, int64_t rows, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *x = static_cast<const T*>(in);
  T* dx = static_cast<T*>(out);
  for (int64_t row = 0; row < rows; row++, g += n, x += n, dx += n) {
    const RowMoments<T, 1> m = row_moments<T, 1>(x, prefetch_row<T>(dx, x, streaming), eps, centred, n);
    if (__builtin_expect(!m.fit[0], 0)) {
      ScaledRow<T>(x, n, eps, centred).backward(dx, g, nullptr, nullptr, nullptr);
      continue;
    }
    const auto standard = [=](int64_t i, int count) { return m.standard(0, load_first(x + i, count)); };
    T mean[2];
    row_means<T, 2>(mean, n, [&](V* sum, int64_t i, int count) {
      const V gi = load_first(g + i, count);
      sum[0] = sum[0] + gi;
      sum[1] = sum[1] + first_lanes<T>(gi * standard(i, count), count);
    });
    const V level = V::set1(centred ? mean[0] : T(0)), along = V::set1(mean[1]);
    each_vector<T>(n, [=](int64_t i, int count) {
      const V slope = (load_first(g + i, count) - level - standard(i, count) * along) * m.rstd[0];
      write_first(dx + i, slope, count, streaming);
    });
  }
}

template <class T>
struct ScaledBackward {
  T* dx;
  const T *g, *x, *w;
  T *dw, *db;
  double eps;
  bool centred, streaming;
  int64_t n;

  // R rows from the first on; one by one if the squares of one of them overflow or underflow.
  template <int R>
  NABLA_INLINE void rows(int64_t first) const {
    using V = Vec<T>;
    const T *g = this->g + first * n, *x = this->x + first * n, *w = this->w;
    T *dx = this->dx + first * n, *dw = this->dw, *db = this->db;
    const int64_t n = this->n;
    const bool streaming = this->streaming;
    RowMoments<T, R> m;
    m.centre(x, centred, n);
    // Of each row: the mean square, the mean of the gradient, and of the gradient along the row.
    T mean[3 * R];
    const T *next_x = after_row(x + (R - 1) * n, n), *next_g = after_row(g + (R - 1) * n, n);
    const T* written = prefetch_row<T>(dx, x, streaming);
    row_means<T, 3 * R>(mean, n, [&](V* sum, int64_t i, int count) {
      const V wi = load_first(w + i, count);
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) {
        __builtin_prefetch(next_x + r * n + i);
        __builtin_prefetch(next_g + r * n + i);
        __builtin_prefetch(written + r * n + i, 1);
        const V slope = load_first(g + r * n + i, count) * wi;
        const V c = m.centred(r, load_first(x + r * n + i, count), count);
        sum[3 * r] = fma(c, c, sum[3 * r]);
        sum[3 * r + 1] = sum[3 * r + 1] + slope;
        sum[3 * r + 2] = fma(c, slope, sum[3 * r + 2]);
      }
    });
    V common[R], part[R];
    bool fit = true;
    for (int r = 0; r < R; r++) {
      m.scale(r, mean[3 * r], eps);
      fit = fit && m.fit[r];
      common[r] = V::set1(centred ? mean[3 * r + 1] : T(0));
      part[r] = V::set1(mean[3 * r + 2]) * m.rstd[r];
    }
    if (__builtin_expect(!fit, 0)) {
      if constexpr (R == 1)
        ScaledRow<T>(x, n, eps, centred).backward(dx, g, w, dw, db);
      else
        for (int r = 0; r < R; r++) rows<1>(first + r);
      return;
    }
    each_vector<T>(n, [=](int64_t i, int count) {
      const V wi = load_first(w + i, count);
      V to_w = load_first(dw + i, count), to_b = load_first(db + i, count);
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) {
        const V gi = load_first(g + r * n + i, count), y = m.standard(r, load_first(x + r * n + i, count));
        write_first(dx + r * n + i, fnma(y, part[r], gi * wi - common[r]) * m.rstd[r], count, streaming);
        to_w = fma(gi, y, to_w);
        to_b = to_b + gi;
      }
      V::store_n(dw + i, to_w, count);
      V::store_n(db + i, to_b, count);
    });
  }
};

template <class T>
void scaled_backward_rows(void* out, const void* gradient, const void* in, const void* weight, void* by_weight,
                          void* by_bias, double eps, bool centred, bool streaming, int64_t rows, int64_t n) {
  T *dw = static_cast<T*>(by_weight), *db = static_cast<T*>(by_bias);
  const ScaledBackward<T> backward = {static_cast<T*>(out),
                                      static_cast<const T*>(gradient),
                                      static_cast<const T*>(in),
                                      static_cast<const T*>(weight),
                                      dw,
                                      db,
                                      eps,
                                      centred,
                                      streaming,
                                      n};
  rows_together<kRowsTogether<T, 3>>(
      rows, n, [&](int64_t first, auto together) { backward.template rows<decltype(together)::value>(first); });
}

constexpr NormTable make_norm_table() {
  return {{standardize_rows<float>, standardize_rows<double>},
          {standardize_backward_rows<float>, standardize_backward_rows<double>},
          {scaled_backward_rows<float>, scaled_backward_rows<double>}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
