// What the kernel tests share: counting checks, distance in ulp, bit patterns.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/list.h"
#include "kernels/table.h"

namespace nabla::test {

struct Counts {
  int64_t checks = 0, failures = 0;
};
inline Counts counts;

template <class... Args>
void check(bool ok, const char* format, Args... args) {
  counts.checks++;
  if (ok) return;
  if (counts.failures++ < 50) {
    std::printf("FAILED: ");
    std::printf(format, args...);
    std::printf("\n");
  }
}

template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
  using Type = uint32_t;
};
template <>
struct BitsOf<double> {
  using Type = uint64_t;
};

template <class T>
T from_bits(typename BitsOf<T>::Type bits) {
  T x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
template <class T>
typename BitsOf<T>::Type to_bits(T x) {
  typename BitsOf<T>::Type bits;
  std::memcpy(&bits, &x, sizeof x);
  return bits;
}

// The same value: NaNs are alike, zeros are not.
template <class T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return to_bits(a) == to_bits(b) || (a != a && b != b);
  } else {
    return a == b;
  }
}

constexpr double kWrong = 1e300;

// How far `got` is from `exact`, in units of T's spacing at `exact`; infinity counts as the number beyond the largest.
template <class T, class R>
double ulps(T got, R exact) {
  using Limits = std::numeric_limits<T>;
  if (exact != exact || got != got) return (exact != exact) == (got != got) ? 0 : kWrong;
  if (std::isinf(exact)) return got == static_cast<T>(exact) ? 0 : kWrong;
  int exponent = exact == 0 ? Limits::min_exponent - 1 : std::ilogb(exact);
  if (exponent < Limits::min_exponent - 1) exponent = Limits::min_exponent - 1;
  if (exponent > Limits::max_exponent - 1)
    return std::isinf(got) && std::signbit(got) == std::signbit(exact) ? 0 : kWrong;
  const R value = std::isinf(got) ? std::copysign(std::ldexp(R(1), Limits::max_exponent - 1) * 2, R(got)) : R(got);
  return static_cast<double>(std::fabs(value - exact) / std::ldexp(R(1), exponent - Limits::digits + 1));
}

// In ulp of `size` where that is more than |exact|.
template <class T, class R>
double absolute_ulps(T got, R exact, R size) {
  if (std::fabs(exact) >= size || got != got || !(size < std::numeric_limits<T>::max())) return ulps(got, exact);
  return ulps(static_cast<T>(size), R(static_cast<T>(size)) + std::fabs(got - exact));
}

// The whole column form on one thread.
template <class T>
void sum_columns(const ReduceLeaf& leaf, T* out, const T* x, int64_t rows, int64_t row_stride, int64_t columns) {
  std::vector<char> partials(static_cast<size_t>(columns * leaf.partial_size));
  leaf.columns(partials.data(), x, rows, row_stride, columns);
  leaf.store(out, partials.data(), columns, 1);
}

constexpr int index_of(Elementwise op) { return static_cast<int>(op); }
template <class T>
constexpr int kType = static_cast<int>(DTypeOf<T>::value);

// Values at which functions differ from what their formula says.
template <class T>
std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> v;
  for (T x : {T(0),
              L::denorm_min(),
              L::denorm_min() * 3,
              L::min() - L::denorm_min(),
              L::min(),
              L::epsilon(),
              T(1e-3),
              T(0.25),
              T(0.5),
              T(1) - L::epsilon() / 2,
              T(1),
              T(1) + L::epsilon(),
              T(1.5),
              T(2),
              T(2.5),
              T(3),
              T(4),
              T(10),
              T(22.5),
              T(88.5),
              T(89),
              T(104),
              T(709.5),
              T(711),
              T(746),
              T(1e6),
              T(8388609),
              T(16777215),
              T(9e15),
              L::max() / 2,
              L::max(),
              L::infinity(),
              L::quiet_NaN()}) {
    v.push_back(x);
    v.push_back(-x);
  }
  return v;
}

void test_values(int64_t samples);
void test_exact();
void test_bits();
void test_halves();
void test_reductions();
void test_random();
void exhaust(const char* only);
void measure_speed();
void test_digest(const char* path, bool write);

}  // namespace nabla::test
