// What the tests of matrix multiplication share: checks that count, values, operands of any layout, the definition.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "../workspace.h"
#include "base/dtype.h"
#include "exec/matmul/gemm.h"
#include "kernels/gemm.h"

namespace nabla::test {

struct Tally {
  int64_t checks = 0, failures = 0;
};
inline Tally tally;

#define CHECK(condition, ...)                                            \
  do {                                                                   \
    nabla::test::tally.checks++;                                         \
    if (!(condition) && nabla::test::tally.failures++ < 20) {            \
      std::printf("%s:%d: %s failed: ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                          \
      std::printf("\n");                                                 \
    }                                                                    \
  } while (0)

// Values with full significands, so that every rounding shows; integers of full width, so that products wrap.
class Values {
 public:
  explicit Values(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint64_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  template <class T>
  T next() {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(static_cast<double>(bits() >> 11) * 0x1p-52 - 1.0);
    } else {
      return static_cast<T>(bits());
    }
  }

 private:
  uint64_t state_;
};

enum class Layout {
  ROWS,
  PADDED_ROWS,
  COLUMNS,
  PADDED_COLUMNS,
  STRIDED,
  REVERSED,
  REPEATED_ROW,
  REPEATED_COLUMN,
  COUNT
};

// A matrix of random values in a buffer without slack: a read outside it is seen by a sanitizer.
template <class T>
struct Operand {
  std::vector<T> buffer;
  int64_t origin = 0, row_stride = 0, col_stride = 0;

  Operand(int64_t rows, int64_t cols, Layout layout, uint64_t seed) {
    switch (layout) {
      case Layout::ROWS: row_stride = cols, col_stride = 1; break;
      case Layout::PADDED_ROWS: row_stride = cols + 3, col_stride = 1; break;
      case Layout::COLUMNS: row_stride = 1, col_stride = rows; break;
      case Layout::PADDED_COLUMNS: row_stride = 1, col_stride = rows + 5; break;
      case Layout::STRIDED: row_stride = 2 * cols + 1, col_stride = 2; break;
      case Layout::REVERSED: row_stride = -cols, col_stride = -1; break;
      case Layout::REPEATED_ROW: row_stride = 0, col_stride = 1; break;
      default: row_stride = 1, col_stride = 0; break;
    }
    if (rows == 0 || cols == 0) return;
    const int64_t last = (rows - 1) * row_stride + (cols - 1) * col_stride;
    buffer.resize(static_cast<size_t>(std::abs(last)) + 1);
    origin = last < 0 ? -last : 0;
    Values values(seed);
    for (T& v : buffer) v = values.next<T>();
  }
  T at(int64_t row, int64_t col) const { return buffer[origin + row * row_stride + col * col_stride]; }
  Matrix matrix() const { return {buffer.data() + origin, row_stride, col_stride}; }
};

// C between canaries: rows lie kGap apart, before the first and behind the last there is a gap too.
template <class T>
struct Result {
  static constexpr int64_t kGap = 9;
  int64_t rows, cols, ldc;
  std::vector<T> buffer;

  // Every element starts as NaN (the largest integer), or as random values where C is accumulated into.
  Result(int64_t m, int64_t n, bool accumulate, uint64_t seed) : rows(m), cols(n), ldc(n + kGap) {
    buffer.assign(static_cast<size_t>(kGap + m * ldc), canary());
    Values values(seed);
    if (!accumulate) return;
    for (int64_t i = 0; i < m; i++) {
      for (int64_t j = 0; j < n; j++) (*this)(i, j) = values.next<T>();
    }
  }
  static T canary() {
    return std::is_floating_point_v<T> ? std::numeric_limits<T>::quiet_NaN() : std::numeric_limits<T>::max();
  }
  T* data() { return buffer.data() + kGap; }
  T& operator()(int64_t i, int64_t j) { return buffer[kGap + i * ldc + j]; }
  bool gaps_intact() const {
    const T expected = canary();
    for (size_t at = 0; at < buffer.size(); at++) {
      const int64_t place = static_cast<int64_t>(at) - kGap;
      if (place >= 0 && place % ldc < cols) continue;
      if (std::memcmp(&buffer[at], &expected, sizeof(T)) != 0) return false;
    }
    return true;
  }
};

// One partial sum, over [from, to) of k: a chain, or the lanes of a dot product folded.
template <class T>
T defined_sum(const Operand<T>& a, const Operand<T>& b, int64_t i, int64_t j, int64_t from, int64_t to, bool dots) {
  const int64_t lanes = dots ? kGemmDotLanes<T> : 1;
  std::vector<T> sums(static_cast<size_t>(lanes));
  for (int64_t k = from; k < to; k += lanes) {
    for (int64_t l = 0; l < lanes; l++) {
      const bool inside = k + l < to;
      sums[l] = std::fma(inside ? a.at(i, k + l) : T(0), inside ? b.at(k + l, j) : T(0), sums[l]);
    }
  }
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    for (int64_t l = 0; l < half; l++) sums[l] += sums[l + half];
  }
  return sums[0];
}

// The definition: partial sums, added in order, then the bias.
template <class T>
T defined_element(const Operand<T>& a, const Operand<T>& b, int64_t i, int64_t j, int64_t k, bool accumulate, T before,
                  const T* bias, bool dots) {
  if constexpr (std::is_floating_point_v<T>) {
    const int64_t step = dots ? kGemmDotDepth<T> : kGemmDepth;
    T total = before;
    for (int64_t start = 0; start == 0 || start < k; start += step) {
      const T partial = defined_sum(a, b, i, j, start, start + step < k ? start + step : k, dots);
      total = accumulate || start > 0 ? total + partial : partial;
    }
    return bias ? total + bias[j] : total;
  } else {
    using U = std::make_unsigned_t<T>;
    U total = accumulate ? static_cast<U>(before) : U{0};
    for (int64_t p = 0; p < k; p++) total += static_cast<U>(a.at(i, p)) * static_cast<U>(b.at(p, j));
    return static_cast<T>(bias ? total + static_cast<U>(bias[j]) : total);
  }
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
constexpr DType dtype_of = DTypeOf<T>::value;

// `quick`, for emulators: a quarter of the pairs of layouts, nothing that takes several regions.
void test_values(bool quick);
void test_halves(bool quick);
void test_bits();
void test_batches();
void test_plans();

}  // namespace nabla::test
