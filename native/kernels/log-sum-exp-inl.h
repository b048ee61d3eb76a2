// Included once per ISA: see softmax.h.
#pragma once
#include "kernels/math-exp-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/softmax.h"

namespace nabla::NABLA_ISA {
namespace {

// The largest element, or 0 where that is infinite: what exp is shifted by.
template <class T>
T row_shift(const T* x, int64_t n) {
  const T top = row_top(x, n, x[0]);
  return top - top == 0 ? top : T(0);
}

// x - shift, with what rounding leaves of it as the second word where its exponential is not 0.
template <class V>
NABLA_INLINE TwoWords<V> shifted(V x, V shift) {
  const V d = x - shift, back = d + shift, rest = (x - back) - (shift - (back - d));
  return {d, select(d > (kIsSingle<V> ? -200 : -2000), rest, V(0))};
}

template <class T>
double log_sum_exp_top(const void* x, int64_t n) {
  return row_top(static_cast<const T*>(x), n, *static_cast<const T*>(x));
}

// The result lies between the top and the top + log(n), which is at most 0.7 for each of n's bits.
inline bool log_sum_exp_shift(double* shift, double top, int64_t n) {
  const bool finite = top - top == 0;
  *shift = finite ? top : 0;
  return finite && top < 1 && top > -1 - 0.7 * (64 - __builtin_clzll(static_cast<uint64_t>(n)));
}

// exp(x - shift) of floats or doubles, in double.
template <class T>
NABLA_INLINE Vec<double> exp_in_double(Vec<double> x, Vec<double> shift) {
  if constexpr (sizeof(T) == 8) return exp(shifted(x, shift));
  return exp(x - shift);
}

constexpr int64_t kExpBlock = 4096;  // sums of blocks are added up in double, so that long rows stay exact

template <class T>
void log_sum_exp_sums(double* pair, const void* data, double shift, bool in_double, int64_t n) {
  const T* x = static_cast<const T*>(data);
  if (in_double) {
    using V = Vec<double>;
    const V s = V::set1(shift);
    const RowSums<double, 2> sums(n, [&](V* sum, int64_t i, int count) {
      const V v = load_in_double(x + i, count);
      const auto top = v == s;
      sum[0] = sum[0] + first_lanes<double>(select(top, V(0), exp_in_double<T>(v, s)), count);
      sum[1] = sum[1] + first_lanes<double>(select(top, V(1), V(0)), count);
    });
    pair[0] = sums.total[0], pair[1] = sums.total[1];
    return;
  }
  const Vec<T> s = Vec<T>::set1(static_cast<T>(shift));
  pair[0] = pair[1] = 0;
  for (int64_t from = 0; from < n; from += kExpBlock)
    pair[0] += row_sum<T>(n - from < kExpBlock ? n - from : kExpBlock, [&](int64_t i, int count) {
      return first_lanes<T>(exp(load_first(x + from + i, count) - s), count);
    });
}

// shift + log(sum + tops), with all digits where there is one top.
template <class V>
NABLA_INLINE V log_sum_exp_of(V shift, V sum, V tops) {
  V y = log(sum + tops);
  const auto one = tops == 1;
  if (any(one)) y = select(one, log1p(sum), y);
  return shift + y;
}

template <class T>
void log_sum_exp_finish(void* out, double shift, const double* pair) {
  using V = Vec<double>;
  *static_cast<T*>(out) =
      static_cast<T>(first_lane(log_sum_exp_of(V::set1(shift), V::set1(pair[0]), V::set1(pair[1]))));
}

// G vectors of columns, the last of them `count` wide. What a column becomes depends on it alone.
template <class T, int G>
struct ExpColumns {
  using V = Vec<T>;
  using D = Vec<double>;
  static constexpr int kLanes = V::kLanes, kWidth = G * kLanes;
  static_assert(kWidth % D::kLanes == 0);

  const T* x;
  int64_t n, stride;
  int count, width;
  T shift[kWidth];
  double total[kWidth] = {}, tops[kWidth] = {};
  bool in_double[kWidth] = {}, any_in_double = false, any_in_single = false;

  ExpColumns(const T* from, int64_t rows, int64_t row_stride, int last)
      : x(from), n(rows), stride(row_stride), count(last), width((G - 1) * kLanes + last) {
    V top[G];
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) top[g] = at(0, g);
    for (int64_t r = 1; r < n; r++) {
#pragma GCC unroll 4
      for (int g = 0; g < G; g++) top[g] = max(at(r, g), top[g]);
    }
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) V::store(shift + g * kLanes, top[g]);
    for (int c = 0; c < kWidth; c++) {
      double s;
      const bool near_zero = log_sum_exp_shift(&s, shift[c], n), inside = c < width;
      in_double[c] = near_zero && inside;
      any_in_double = any_in_double || (near_zero && inside);
      any_in_single = any_in_single || (!near_zero && inside);
      shift[c] = static_cast<T>(s);
    }
  }
  NABLA_INLINE V at(int64_t r, int g) const { return load_first(x + r * stride + g * kLanes, G == 1 ? count : kLanes); }

  void add_up() {
    T part[kWidth];
    V s[G], sum[G];
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) s[g] = V::load(shift + g * kLanes);
    constexpr int64_t kBlock = kExpBlock / kRowLanes;
    for (int64_t from = 0; from < n; from += kBlock) {
      const int64_t end = n - from < kBlock ? n : from + kBlock;
#pragma GCC unroll 4
      for (int g = 0; g < G; g++) sum[g] = V(0);
      for (int64_t r = from; r < end; r++) {
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) sum[g] = sum[g] + exp(at(r, g) - s[g]);
      }
#pragma GCC unroll 4
      for (int g = 0; g < G; g++) V::store(part + g * kLanes, sum[g]);
      for (int c = 0; c < kWidth; c++) total[c] += part[c];
    }
  }
  void add_up_in_double() {
    for (int c = 0; c < width; c += D::kLanes) {
      bool wanted = false;
      for (int k = 0; k < D::kLanes; k++) wanted = wanted || in_double[c + k];
      if (!wanted) continue;
      const int lanes = width - c < D::kLanes ? width - c : D::kLanes;
      const D s = load_in_double(shift + c, D::kLanes);
      D sum = D(0), ones = D(0);
      for (int64_t r = 0; r < n; r++) {
        const D v = load_in_double(x + r * stride + c, lanes);
        const auto top = v == s;
        sum = sum + select(top, D(0), exp_in_double<T>(v, s));
        ones = ones + select(top, D(1), D(0));
      }
      double found[2][D::kLanes];
      D::store(found[0], sum);
      D::store(found[1], ones);
      for (int k = 0; k < D::kLanes; k++)
        if (in_double[c + k]) total[c + k] = found[0][k], tops[c + k] = found[1][k];
    }
  }
  void finish(T* out) {
    if (any_in_single) add_up();
    if (any_in_double) add_up_in_double();
    for (int c = 0; c < width; c += D::kLanes) {
      double y[D::kLanes];
      D::store(y, log_sum_exp_of(load_in_double(shift + c, D::kLanes), D::load(total + c), D::load(tops + c)));
      for (int k = 0; k < D::kLanes && c + k < width; k++) out[c + k] = static_cast<T>(y[k]);
    }
  }
  void backward(T* dx, const T* g) {
    add_up();
    T rate[kWidth] = {};
    for (int c = 0; c < width; c++) rate[c] = static_cast<T>(g[c] / total[c]);
    V s[G], times[G];
#pragma GCC unroll 4
    for (int k = 0; k < G; k++) s[k] = V::load(shift + k * kLanes), times[k] = V::load(rate + k * kLanes);
    for (int64_t r = 0; r < n; r++) {
#pragma GCC unroll 4
      for (int k = 0; k < G; k++)
        V::store_n(dx + r * stride + k * kLanes, exp(at(r, k) - s[k]) * times[k], G == 1 ? count : kLanes);
    }
  }
};

constexpr int kExpTogether = 4;  // vectors of columns

// f(first column, what stands there), over all columns.
template <class T, class F>
NABLA_INLINE void each_exp_columns(const T* x, int64_t n, int64_t stride, int64_t columns, F&& f) {
  constexpr int kLanes = Vec<T>::kLanes;
  int64_t c = 0;
  for (; c + kExpTogether * kLanes <= columns; c += kExpTogether * kLanes)
    f(c, ExpColumns<T, kExpTogether>(x + c, n, stride, kLanes));
  // One alone is as wide as a vector of doubles, at least.
  for (; c < columns; c += kLanes)
    f(c, ExpColumns<T, 1>(x + c, n, stride, columns - c < kLanes ? static_cast<int>(columns - c) : kLanes));
}

template <class T>
void log_sum_exp_columns(void* out, const void* data, int64_t n, int64_t stride, int64_t columns) {
  T* y = static_cast<T*>(out);
  each_exp_columns(static_cast<const T*>(data), n, stride, columns, [=](int64_t c, auto&& of) { of.finish(y + c); });
}

template <class T>
void log_sum_exp_columns_backward(void* dx, const void* g, const void* data, int64_t n, int64_t stride,
                                  int64_t columns) {
  T* y = static_cast<T*>(dx);
  const T* slopes = static_cast<const T*>(g);
  each_exp_columns(static_cast<const T*>(data), n, stride, columns,
                   [=](int64_t c, auto&& of) { of.backward(y + c, slopes + c); });
}

// Rows of up to so many elements stand side by side as columns.
constexpr int64_t kShortExpRow = 32;
template <class T>
constexpr int kExpTile = kExpTogether * Vec<T>::kLanes;

template <class T>
NABLA_INLINE void turn_rows(T* tile, const T* x, int rows, int64_t n) {
  for (int r = 0; r < rows; r++)
    for (int64_t i = 0; i < n; i++) tile[i * kExpTile<T> + r] = x[r * n + i];
}

template <class T>
void log_sum_exp_rows(void* out, const void* data, int64_t rows, int64_t n) {
  T* y = static_cast<T*>(out);
  const T* x = static_cast<const T*>(data);
  if (n <= kShortExpRow) {
    T tile[kShortExpRow * kExpTile<T>];
    for (int64_t r = 0; r < rows; r += kExpTile<T>) {
      const int count = rows - r < kExpTile<T> ? static_cast<int>(rows - r) : kExpTile<T>;
      turn_rows(tile, x + r * n, count, n);
      log_sum_exp_columns<T>(y + r, tile, n, kExpTile<T>, count);
    }
    return;
  }
  for (int64_t r = 0; r < rows; r++, x += n) {
    double shift, pair[2];
    const bool in_double = log_sum_exp_shift(&shift, log_sum_exp_top<T>(x, n), n);
    log_sum_exp_sums<T>(pair, x, shift, in_double, n);
    log_sum_exp_finish<T>(y + r, shift, pair);
  }
}

template <class T>
void log_sum_exp_rows_backward(void* out, const void* slopes, const void* data, bool streaming, int64_t rows,
                               int64_t n) {
  using V = Vec<T>;
  T* dx = static_cast<T*>(out);
  const T *g = static_cast<const T*>(slopes), *x = static_cast<const T*>(data);
  if (n <= kShortExpRow) {
    T tile[kShortExpRow * kExpTile<T>];
    for (int64_t r = 0; r < rows; r += kExpTile<T>) {
      const int count = rows - r < kExpTile<T> ? static_cast<int>(rows - r) : kExpTile<T>;
      turn_rows(tile, x + r * n, count, n);
      log_sum_exp_columns_backward<T>(tile, g + r, tile, n, kExpTile<T>, count);
      for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < n; i++) dx[(r + k) * n + i] = tile[i * kExpTile<T> + k];
    }
    return;
  }
  for (int64_t r = 0; r < rows; r++, x += n, dx += n) {
    double shift, pair[2];
    log_sum_exp_shift(&shift, log_sum_exp_top<T>(x, n), n);
    log_sum_exp_sums<T>(pair, x, shift, false, n);
    const V s = V::set1(static_cast<T>(shift)), rate = V::set1(static_cast<T>(g[r] / pair[0]));
    write_vectors(dx, n, streaming, [=](int64_t i, int count) { return exp(load_first(x + i, count) - s) * rate; });
  }
}

template <class T>
constexpr LogSumExpLeaf make_log_sum_exp_leaf() {
  return {log_sum_exp_rows<T>, log_sum_exp_columns<T>, log_sum_exp_rows_backward<T>, log_sum_exp_columns_backward<T>,
          log_sum_exp_top<T>,  log_sum_exp_shift,      log_sum_exp_sums<T>,          log_sum_exp_finish<T>};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
