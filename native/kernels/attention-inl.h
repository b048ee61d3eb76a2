// Included once per ISA: see attention.h.
#pragma once
#include "kernels/attention.h"
#include "kernels/math-exp-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/rows-inl.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
constexpr T kUnseen = -FloatTraits<T>::kInfinity;

// exp for arguments of at most 0, flushed to 0 before it is subnormal.
template <class V>
NABLA_INLINE V exp_of_negative(V x) {
  using T = typename V::Scalar;
  using F = Traits<V>;
  constexpr T kLeast = kIsSingle<V> ? T(-87) : T(-708);
  const V bounded = max(V(kLeast), x);
  const V shifted = fma(bounded, kLog2E<T>, F::kMagic), n = shifted - F::kMagic;
  const V r = fnma(n, kLn2<T>[1], fnma(n, kLn2<T>[0], bounded));
  const V y = 1 + fma(r * r, polynomial(r, kExp<T>), r);
  const V e = from_bits(to_bits(y) + shift_left(to_bits(shifted), F::kMantissa));
  return select(x < kLeast, V(T(0)), e);
}

template <class T>
void fill_zeros(T* x, int64_t n) {
  each_vector<T>(n, [&](int64_t i, int count) { Vec<T>::store_n(x + i, Vec<T>::set1(0), count); });
}

// Applies the mask to the first n scores of a row.
template <class T>
void mask_row(const AttentionBlock& b, int64_t r, T* x, int64_t n) {
  using V = Vec<T>;
  if (b.mask == AttentionMask::NONE) return;
  if (b.mask == AttentionMask::SEEN) {
    const bool* seen = static_cast<const bool*>(b.mask_data) + r * b.mask_row;
    int64_t i = 0;
    if (b.mask_col == 1) {
      for (; i + V::kLanes <= n; i += V::kLanes) {
        V::store(x + i, select(mask_of_bool(seen + i, typename V::Bits()), V::load(x + i), V(kUnseen<T>)));
      }
    }
    for (; i < n; i++) x[i] = seen[i * b.mask_col] ? x[i] : kUnseen<T>;
    return;
  }
  const T* added = static_cast<const T*>(b.mask_data) + r * b.mask_row;
  if (b.mask_col == 1) {
    each_vector<T>(n, [&](int64_t i, int count) {
      V::store_n(x + i, load_first(x + i, count) + load_first(added + i, count), count);
    });
  } else {
    for (int64_t i = 0; i < n; i++) x[i] += added[i * b.mask_col];
  }
}

template <class T>
NABLA_INTERLEAVED void attention_weigh(const AttentionBlock& b, int64_t clear, void* tops, void* totals, void* fades) {
  using V = Vec<T>;
  for (int64_t r = 0; r < b.rows; r++) {
    T* x = static_cast<T*>(b.scores) + r * b.stride;
    T &top = static_cast<T*>(tops)[r], &total = static_cast<T*>(totals)[r], &fade = static_cast<T*>(fades)[r];
    const int64_t n = b.seen_by(r);
    mask_row(b, r, x, n);
    const T here = row_top(x, n, kUnseen<T>), before = top;
    top = here > before ? here : before;
    // A row without visible keys so far is shifted by 0.
    const V shift = V::set1(top == kUnseen<T> ? T(0) : top);
    fade = before == kUnseen<T> ? T(0) : first_lane(exp_of_negative(V::set1(before) - shift));
    const T sum = row_sum<T>(n, [&](int64_t i, int count) {
      const V e = exp_of_negative(load_first(x + i, count) - shift);
      V::store_n(x + i, e, count);
      return first_lanes<T>(e, count);
    });
    total = total * fade + sum;
    if (n < clear) fill_zeros(x + n, clear - n);
  }
}

template <class T>
void attention_weigh_again(const AttentionBlock& b, const void* lse) {
  using V = Vec<T>;
  for (int64_t r = 0; r < b.rows; r++) {
    T* x = static_cast<T*>(b.scores) + r * b.stride;
    const int64_t n = b.seen_by(r);
    mask_row(b, r, x, n);
    const V shift = V::set1(static_cast<const T*>(lse)[r]);
    each_vector<T>(
        n, [&](int64_t i, int count) { V::store_n(x + i, exp_of_negative(load_first(x + i, count) - shift), count); });
    fill_zeros(x + n, b.cols - n);
  }
}

template <class T>
void attention_gradient(const AttentionBlock& b, void* gradient, int64_t stride, const void* delta) {
  using V = Vec<T>;
  for (int64_t r = 0; r < b.rows; r++) {
    const T* p = static_cast<const T*>(b.scores) + r * b.stride;
    T* g = static_cast<T*>(gradient) + r * stride;
    const V d = V::set1(static_cast<const T*>(delta)[r]);
    const int64_t n = b.seen_by(r);
    each_vector<T>(n, [&](int64_t i, int count) {
      V::store_n(g + i, load_first(p + i, count) * (load_first(g + i, count) - d), count);
    });
    fill_zeros(g + n, b.cols - n);
  }
}

template <class T>
void attention_scale(void* out, int64_t out_row, const void* in, int64_t x_row, int64_t x_col, int64_t rows,
                     int64_t cols, double factor, const void* factors) {
  using V = Vec<T>;
  for (int64_t r = 0; r < rows; r++) {
    const T* x = static_cast<const T*>(in) + r * x_row;
    T* y = static_cast<T*>(out) + r * out_row;
    const T f = factors ? static_cast<const T*>(factors)[r] : static_cast<T>(factor);
    if (x_col == 1) {
      const V by = V::set1(f);
      each_vector<T>(cols, [&](int64_t i, int count) { V::store_n(y + i, load_first(x + i, count) * by, count); });
    } else {
      for (int64_t i = 0; i < cols; i++) y[i] = x[i * x_col] * f;
    }
  }
}

template <class T>
void attention_dots(void* out, const void* a, int64_t a_row, const void* b, int64_t b_row, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; r++) {
    const T *x = static_cast<const T*>(a) + r * a_row, *y = static_cast<const T*>(b) + r * b_row;
    static_cast<T*>(out)[r] =
        row_sum<T>(cols, [&](int64_t i, int count) { return load_first(x + i, count) * load_first(y + i, count); });
  }
}

template <class T>
void attention_combine(void* out, const void* in, int64_t stride, int64_t parts, int64_t n, double factor) {
  using V = Vec<T>;
  const T* x = static_cast<const T*>(in);
  const V by = V::set1(static_cast<T>(factor));
  each_vector<T>(n, [&](int64_t i, int count) {
    V sum = load_first(x + i, count);
    for (int64_t p = 1; p < parts; p++) sum = sum + load_first(x + p * stride + i, count);
    V::store_n(static_cast<T*>(out) + i, sum * by, count);
  });
}

template <class T>
void attention_drop(void* out, const void* in, const void* uniform, int64_t n, double p) {
  using V = Vec<T>;
  const T *x = static_cast<const T*>(in), *u = static_cast<const T*>(uniform);
  const V bound = V::set1(static_cast<T>(p)), scale = V::set1(static_cast<T>(1 / (1 - p)));
  each_vector<T>(n, [&](int64_t i, int count) {
    const V kept = select(load_first(u + i, count) >= bound, load_first(x + i, count) * scale, V::set1(0));
    V::store_n(static_cast<T*>(out) + i, kept, count);
  });
}

template <class T>
void attention_finish(void* totals, void* lses, const void* tops, int64_t rows) {
  using V = Vec<T>;
  T *total = static_cast<T*>(totals), *lse = static_cast<T*>(lses);
  const T* top = static_cast<const T*>(tops);
  each_vector<T>(rows, [&](int64_t r, int count) {
    const V sum = load_first(total + r, count);
    const auto nothing = sum == 0;
    V::store_n(lse + r, select(nothing, V::set1(0), load_first(top + r, count) + log(sum)), count);
    V::store_n(total + r, select(nothing, V::set1(0), 1 / sum), count);
  });
}

template <class T>
constexpr AttentionKernels make_attention_kernels() {
  return {attention_weigh<T>, attention_weigh_again<T>, attention_gradient<T>, attention_scale<T>,
          attention_dots<T>,  attention_combine<T>,     attention_drop<T>,     attention_finish<T>};
}

constexpr AttentionTable make_attention_table() {
  return {{make_attention_kernels<float>(), make_attention_kernels<double>()}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
