// Included once per ISA: see softmax.h.
#pragma once
#include "kernels/log-sum-exp-inl.h"

namespace nabla::NABLA_ISA {
namespace {

// log(sum(exp(x - shift))). If one element dominates, it is log1p of the sum of the others, which keeps the digits of a
// logarithm near 0; two equal maxima have a sum of at least 2.
template <class T>
T row_log_sum(const T* x, int64_t n, T shift, bool near_zero_matters) {
  using V = Vec<T>;
  const V s = V::set1(shift);
  const T sum =
      row_sum<T>(n, [&](int64_t i, int count) { return first_lanes<T>(exp(load_first(x + i, count) - s), count); });
  if (!(near_zero_matters && sum >= 1 && sum < 2)) return first_lane(log(V::set1(sum)));
  const T others = row_sum<T>(n, [&](int64_t i, int count) {
    const V v = load_first(x + i, count);
    return first_lanes<T>(select(v == s, V(0), exp(shifted(v, s))), count);
  });
  return first_lane(log1p(V::set1(others)));
}

template <class T>
void softmax_row(void* out, const void* in, void* work, int64_t n) {
  using V = Vec<T>;
  const T* x = static_cast<const T*>(in);
  T *y = static_cast<T*>(out), *kept = work ? static_cast<T*>(work) : y;
  const V s = V::set1(row_shift(x, n));
  const T* next = after_row(x, n);
  const V rate = 1 / V::set1(row_sum<T>(n, [&](int64_t i, int count) {
                   __builtin_prefetch(next + i);
                   const V e = exp(load_first(x + i, count) - s);
                   V::store_n(kept + i, e, count);
                   return first_lanes<T>(e, count);
                 }));
  write_vectors(y, n, work != nullptr, [=](int64_t i, int count) { return load_first(kept + i, count) * rate; });
}

template <class T>
void log_softmax_row(void* out, const void* in, void* work, int64_t n) {
  using V = Vec<T>;
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const bool streaming = work != nullptr;
  const T *next = after_row(x, n), *next_out = prefetch_row(after_row(y, n), x, streaming);
  const T shift = row_shift(x, n);
  const V s = V::set1(shift), l = V::set1(row_log_sum(x, n, shift, true));
  write_vectors(y, n, streaming, [=](int64_t i, int count) {
    __builtin_prefetch(next + i);
    __builtin_prefetch(next_out + i, 1);
    return load_first(x + i, count) - s - l;
  });
}

template <class T>
void softmax_backward_row(void* out, const void* gradient, const void* result, bool streaming, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *y = static_cast<const T*>(result);
  T* dx = static_cast<T*>(out);
  const T *next_g = after_row(g, n), *next_y = after_row(y, n), *written = prefetch_row<T>(dx, y, streaming);
  const V dot = V::set1(row_sum<T>(n, [&](int64_t i, int count) {
    __builtin_prefetch(next_g + i);
    __builtin_prefetch(next_y + i);
    __builtin_prefetch(written + i, 1);
    return load_first(g + i, count) * load_first(y + i, count);
  }));
  write_vectors(dx, n, streaming,
                [=](int64_t i, int count) { return load_first(y + i, count) * (load_first(g + i, count) - dot); });
}

// g - exp(y) sum; for exp(y) > 1/2 as (g - sum) - (exp(y) - 1) sum, which avoids cancellation.
template <class V>
NABLA_INLINE V log_softmax_slope(V g, V y, V sum) {
  const auto large = y > -0.69f;
  const V slope = fnma(exp(y), sum, g);
  if (__builtin_expect(!any(large), 1)) return slope;
  return select(large, fnma(expm1(y), sum, g - sum), slope);
}

template <class T>
void log_softmax_backward_row(void* out, const void* gradient, const void* result, bool streaming, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *y = static_cast<const T*>(result);
  T* dx = static_cast<T*>(out);
  const V sum = V::set1(row_sum<T>(n, [&](int64_t i, int count) { return load_first(g + i, count); }));
  const T *next_g = after_row(g, n), *next_y = after_row(y, n),
          *next_out = prefetch_row(after_row(dx, n), y, streaming);
  write_vectors(dx, n, streaming, [=](int64_t i, int count) {
    __builtin_prefetch(next_g + i);
    __builtin_prefetch(next_y + i);
    __builtin_prefetch(next_out + i, 1);
    return log_softmax_slope(load_first(g + i, count), load_first(y + i, count), sum);
  });
}

template <class T>
void row_weight(void* out, const void* in, int64_t target, int64_t n) {
  const T* x = static_cast<const T*>(in);
  T* pair = static_cast<T*>(out);
  pair[0] = row_shift(x, n);
  pair[1] = row_log_sum(x, n, pair[0], target >= 0 && x[target] == pair[0]);
}

template <class T>
void cross_entropy_backward_row(void* out, const void* in, const void* weight, int64_t target, double scale,
                                bool streaming, int64_t n) {
  using V = Vec<T>;
  const T *x = static_cast<const T*>(in), *pair = static_cast<const T*>(weight);
  T* dx = static_cast<T*>(out);
  const V shift = V::set1(pair[0]), log_sum = V::set1(pair[1]), s = V::set1(static_cast<T>(scale));
  const V loss = target < 0 ? V(0) : (shift - V::set1(x[target])) + log_sum;
  write_vectors(dx, n, streaming,
                [=](int64_t i, int count) { return exp((load_first(x + i, count) - shift) - log_sum) * s; });
  if (target >= 0) dx[target] = first_lane(expm1(-loss) * s);
}

constexpr SoftmaxTable make_softmax_table() {
  return {{softmax_row<float>, softmax_row<double>},
          {log_softmax_row<float>, log_softmax_row<double>},
          {softmax_backward_row<float>, softmax_backward_row<double>},
          {log_softmax_backward_row<float>, log_softmax_backward_row<double>},
          {row_weight<float>, row_weight<double>},
          {cross_entropy_backward_row<float>, cross_entropy_backward_row<double>},
          {make_log_sum_exp_leaf<float>(), make_log_sum_exp_leaf<double>()}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
