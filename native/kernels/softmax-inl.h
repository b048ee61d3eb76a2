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

template <class T>
T row_logsumexp(const T* x, int64_t n, T shift) {
  const Vec<T> s = Vec<T>::set1(shift);
  const T sum =
      row_sum<T>(n, [&](int64_t i, int count) { return first_lanes<T>(exp(load_first(x + i, count) - s), count); });
  return first_lane(log(Vec<T>::set1(sum)));
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
  const bool past_cache = work != nullptr;
  const T *next = after_row(x, n), *next_out = fetched_row(after_row(y, n), x, past_cache);
  const T shift = row_shift(x, n);
  const V s = V::set1(shift), l = V::set1(row_logsumexp(x, n, shift));
  write_vectors(y, n, past_cache, [=](int64_t i, int count) {
    __builtin_prefetch(next + i);
    __builtin_prefetch(next_out + i, 1);
    return load_first(x + i, count) - s - l;
  });
}

template <class T>
void softmax_backward_row(void* out, const void* gradient, const void* result, bool past_cache, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *y = static_cast<const T*>(result);
  T* dx = static_cast<T*>(out);
  const T *next_g = after_row(g, n), *next_y = after_row(y, n), *written = fetched_row<T>(dx, y, past_cache);
  const V dot = V::set1(row_sum<T>(n, [&](int64_t i, int count) {
    __builtin_prefetch(next_g + i);
    __builtin_prefetch(next_y + i);
    __builtin_prefetch(written + i, 1);
    return load_first(g + i, count) * load_first(y + i, count);
  }));
  write_vectors(dx, n, past_cache,
                [=](int64_t i, int count) { return load_first(y + i, count) * (load_first(g + i, count) - dot); });
}

template <class T>
void log_softmax_backward_row(void* out, const void* gradient, const void* result, bool past_cache, int64_t n) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *y = static_cast<const T*>(result);
  T* dx = static_cast<T*>(out);
  const V sum = V::set1(row_sum<T>(n, [&](int64_t i, int count) { return load_first(g + i, count); }));
  const T *next_g = after_row(g, n), *next_y = after_row(y, n),
          *next_out = fetched_row(after_row(dx, n), y, past_cache);
  write_vectors(dx, n, past_cache, [=](int64_t i, int count) {
    __builtin_prefetch(next_g + i);
    __builtin_prefetch(next_y + i);
    __builtin_prefetch(next_out + i, 1);
    return fnma(exp(load_first(y + i, count)), sum, load_first(g + i, count));
  });
}

template <class T>
void logsumexp_row(void* out, const void* in, int64_t n) {
  const T* x = static_cast<const T*>(in);
  const T shift = row_shift(x, n);
  *static_cast<T*>(out) = shift + row_logsumexp(x, n, shift);
}

template <class T>
void cross_entropy_backward_row(void* out, const void* in, const void* lse, int64_t target, double scale,
                                bool past_cache, int64_t n) {
  using V = Vec<T>;
  const T* x = static_cast<const T*>(in);
  T* dx = static_cast<T*>(out);
  const V l = V::set1(*static_cast<const T*>(lse)), s = V::set1(static_cast<T>(scale));
  const auto slope = [=](int64_t i, int count) { return exp(load_first(x + i, count) - l) * s; };
  const T at_target = first_lane(slope(target, 1)) - static_cast<T>(scale);
  write_vectors(dx, n, past_cache, slope);
  dx[target] = at_target;
}

constexpr SoftmaxTable make_softmax_table() {
  return {{softmax_row<float>, softmax_row<double>},
          {log_softmax_row<float>, log_softmax_row<double>},
          {softmax_backward_row<float>, softmax_backward_row<double>},
          {log_softmax_backward_row<float>, log_softmax_backward_row<double>},
          {logsumexp_row<float>, logsumexp_row<double>},
          {cross_entropy_backward_row<float>, cross_entropy_backward_row<double>}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
