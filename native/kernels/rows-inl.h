// Included once per ISA: loops over a row. Sums run over 32 virtual lanes on every ISA, so that all give the same bits.
#pragma once
#include <cstdint>

#include "kernels/math-core-inl.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int kRowLanes = 32;

// The largest of the elements and of `top`.
template <class T>
T row_top(const T* x, int64_t n, T top) {
  using V = Vec<T>;
  constexpr int kParts = 4, kStep = kParts * V::kLanes;
  int64_t i = 0;
  if (n >= V::kLanes) {
    V best[kParts];
#pragma GCC unroll 4
    for (V& b : best) b = V::load(x);
    for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
      for (int p = 0; p < kParts; p++) best[p] = max(V::load(x + i + p * V::kLanes), best[p]);
    }
    V all = max(max(best[0], best[1]), max(best[2], best[3]));
    for (; i + V::kLanes <= n; i += V::kLanes) all = max(V::load(x + i), all);
    const T largest = fold(all, [](V a, V b) { return max(a, b); });
    top = largest > top ? largest : top;
  }
  for (; i < n; i++) top = x[i] > top ? x[i] : top;
  return top;
}

// The first `count` elements at p; folds to a plain load where count is known to be all of them.
template <class T>
NABLA_INLINE Vec<T> load_first(const T* p, int count) {
  return count == Vec<T>::kLanes ? Vec<T>::load(p) : Vec<T>::load_n(p, count);
}

// The same of floats or doubles, in double; lanes from `count` on are 0.
NABLA_INLINE Vec<double> load_in_double(const double* p, int count) { return load_first(p, count); }
NABLA_INLINE Vec<double> load_in_double(const float* p, int count) {
  if (count == Vec<double>::kLanes) return load_double(p);
  float lanes[Vec<double>::kLanes] = {};
  for (int i = 0; i < count; i++) lanes[i] = p[i];
  return load_double(lanes);
}

// The sum of the lanes of N vectors, a power of two: the second half is added to the first until one lane is left.
template <class V, int N>
NABLA_INLINE typename V::Scalar sum_lanes(V (&part)[N]) {
#pragma GCC unroll 8
  for (int width = N / 2; width > 0; width /= 2) {
#pragma GCC unroll 32
    for (int p = 0; p < width; p++) part[p] = part[p] + part[p + width];
  }
  return fold(part[0], [](V a, V b) { return a + b; });
}

// K sums over pieces of `length` elements, `step` apart: add(sums, offset, count) adds to each a vector whose lanes
// from `count` on are zero.
template <class T, int K, class F>
NABLA_INLINE void piece_sums(T* total, int64_t pieces, int64_t length, int64_t step, F&& add) {
  using V = Vec<T>;
  constexpr int kParts = kRowLanes / V::kLanes;
  V parts[kParts][K];
#pragma GCC unroll 32
  for (int p = 0; p < kParts; p++) {
#pragma GCC unroll 8
    for (int k = 0; k < K; k++) parts[p][k] = V::set1(0);
  }
  for (int64_t piece = 0; piece < pieces; piece++) {
    const int64_t at = piece * step;
    int64_t i = 0;
    for (; i + kRowLanes <= length; i += kRowLanes) {
#pragma GCC unroll 32
      for (int p = 0; p < kParts; p++) add(parts[p], at + i + p * V::kLanes, V::kLanes);
    }
    // Constant indices let the compiler keep the sums in registers.
#pragma GCC unroll 32
    for (int p = 0; p < kParts; p++) {
      const int64_t from = i + p * V::kLanes, left = length - from;
      if (left > 0) add(parts[p], at + from, left < V::kLanes ? static_cast<int>(left) : V::kLanes);
    }
  }
#pragma GCC unroll 8
  for (int k = 0; k < K; k++) {
    V all[kParts];
#pragma GCC unroll 32
    for (int p = 0; p < kParts; p++) all[p] = parts[p][k];
    total[k] = sum_lanes(all);
  }
}

// K such sums of T over the n elements of a row.
template <class T, int K>
struct RowSums {
  T total[K];

  template <class F>
  RowSums(int64_t n, F&& add) {
    piece_sums<T, K>(total, 1, n, 0, add);
  }
};

// The sum over i < n of f(i, count): a vector whose lanes from `count` on are zero.
template <class T, class F>
T row_sum(int64_t n, F&& f) {
  return RowSums<T, 1>(n, [&](Vec<T>* sum, int64_t i, int count) { sum[0] = sum[0] + f(i, count); }).total[0];
}

// Whether a mean of squares is accurate: no relevant square has overflowed or underflowed.
template <class T>
bool squares_fit(T mean_square) {
  return mean_square >= (sizeof(T) == 4 ? T(0x1p-100f) : T(0x1p-960)) && mean_square < FloatTraits<T>::kInfinity;
}

// Otherwise: the moments of scaled elements, in double. (x unit - mean) rate is standardized.
struct ScaledMoments {
  double unit, mean, square, rate;

  // Of at(i), i < n; the mean is taken for 0 unless centred.
  template <class At>
  ScaledMoments(int64_t n, double eps, bool centred, At&& at) : unit(1), mean(0), square(0) {
    double top = root(eps);
    for (int64_t i = 0; i < n; i++) {
      const double size = at(i) < 0 ? -at(i) : at(i);
      if (size > top) top = size;
    }
    if (top > 0 && top < FloatTraits<double>::kInfinity) {
      // The exponent's bits, held where both the power and its inverse are normal numbers.
      uint64_t exponent = __builtin_bit_cast(uint64_t, top) >> 52;
      exponent = exponent < 1 ? 1 : exponent > 2045 ? 2045 : exponent;
      unit = __builtin_bit_cast(double, (2046 - exponent) << 52);
    }
    const double count = static_cast<double>(n);
    if (centred) {
      for (int64_t i = 0; i < n; i++) mean += at(i) * unit;
      mean /= count;
    }
    for (int64_t i = 0; i < n; i++) square += (at(i) * unit - mean) * (at(i) * unit - mean);
    square /= count;
    rate = 1 / root(square + eps * unit * unit);
  }
  double standard(double x) const { return (x * unit - mean) * rate; }
  static double root(double x) { return sqrt(Lane<double>(x)).v; }
};

constexpr int64_t kLongRow = 1024;  // elements, from which the hardware sees what comes next

// What to prefetch while a row of n elements is summed: the next row where rows are short.
template <class T>
const T* after_row(const T* x, int64_t n) {
  return n < kLongRow ? x + n : x;
}

// What to prefetch for writing: the output, or `read` again where the output is written by streaming stores.
template <class T>
const T* prefetch_row(const T* written, const T* read, bool streaming) {
  return streaming ? read : written;
}

// Sets lanes from `count` on to zero.
template <class T>
Vec<T> first_lanes(Vec<T> v, int count) {
  if (count == Vec<T>::kLanes) return v;
  T lanes[Vec<T>::kLanes] = {};
  Vec<T>::store_n(lanes, v, count);
  return Vec<T>::load(lanes);
}

template <class T, class F>
void each_vector(int64_t n, F&& f) {
  int64_t i = 0;
  for (; i + Vec<T>::kLanes <= n; i += Vec<T>::kLanes) f(i, Vec<T>::kLanes);
  if (i < n) f(i, static_cast<int>(n - i));
}

// out[i] on = f(i, count) for all n elements, by streaming stores except in cache lines shared with other rows. f must
// capture by value: a streaming store may alias anything captured by reference, so that would be reloaded each time.
template <class T, class F>
NABLA_INLINE void write_vectors(T* out, int64_t n, bool streaming, F f) {
  using V = Vec<T>;
  const auto store = [=](int64_t i, int count) { V::store_n(out + i, f(i, count), count); };
  if (!streaming) return each_vector<T>(n, store);
  const int64_t unaligned = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(out) % 64 / sizeof(T));
  int64_t i = unaligned < n ? unaligned : n;
  each_vector<T>(i, store);
  for (; i + V::kLanes <= n; i += V::kLanes) V::stream(out + i, f(i, V::kLanes));
  if (i < n) store(i, static_cast<int>(n - i));
}

template <class V>
typename V::Scalar first_lane(V v) {
  typename V::Scalar lanes[V::kLanes];
  V::store(lanes, v);
  return lanes[0];
}

}  // namespace
}  // namespace nabla::NABLA_ISA
