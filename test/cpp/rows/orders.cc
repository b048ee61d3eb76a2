// Orders and places of true elements, against the standard library.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "check.h"
#include "exec/holds.h"
#include "exec/nonzero.h"
#include "exec/sort.h"

namespace nabla::test {
namespace {

// NaN above every number; -0 is 0.
template <class T>
bool below(T a, T b) {
  return a < b || (b != b && a == a);
}

template <class T>
T any_value(Random& r) {
  const int64_t kind = r.between(0, 9);
  if constexpr (std::is_floating_point_v<T>) {
    if (kind == 0) return std::copysign(std::numeric_limits<T>::quiet_NaN(), static_cast<T>(r.between(-1, 0)));
    if (kind == 1) return -std::numeric_limits<T>::infinity();
    if (kind < 5) return static_cast<T>(r.between(-3, 3)) * T(-1);  // ties, and both zeros
    return static_cast<T>(r.number());
  } else {
    return kind < 5 ? static_cast<T>(r.between(0, 5)) : static_cast<T>(r.bits());
  }
}

// The first k of n along the first of two dimensions.
template <class T>
void check_order(Random& r, int64_t n, int64_t k, int64_t inner, bool descending) {
  Tensor<T> x({n, inner});
  Tensor<int32_t> out({k, inner});
  Tensor<T> values({k, inner});
  const bool one_value = r.between(0, 9) == 0;  // no digit differs
  for (T& v : x.data) v = one_value ? T(7) : any_value<T>(r);
  on_any_threads("an order on other threads", [&] {
    out.spoil();
    check(run_with(run_order, 1, {out.view, x.view}, {0, descending ? 1.0 : 0.0}).ok(), "an order is found", n, k);
    return digest_of(out.data, 0xCBF29CE484222325u);
  });
  const std::vector<int32_t> indices = out.data;
  on_any_threads("values in order on other threads", [&] {
    out.spoil();
    values.spoil();
    check(run_with(run_order, 2, {out.view, values.view, x.view}, {0, descending ? 1.0 : 0.0}).ok(),
          "values are sorted", n, k);
    check(out.data == indices, "indices are the same beside values", n, k);
    return digest_of(values.data, 0xCBF29CE484222325u);
  });
  for (int64_t i = 0; i < inner; i++) {
    bool taken = true;  // bit for bit: which zero and which NaN it was shows
    for (int64_t at = 0; at < k; at++) {
      const T got = values.at(at, i), there = x.at(int64_t{out.at(at, i)}, i);
      taken &= std::memcmp(&got, &there, sizeof got) == 0;
    }
    check(taken, "values stand where the indices say", n, k);
    std::vector<int32_t> want(static_cast<size_t>(n));
    std::iota(want.begin(), want.end(), 0);
    std::stable_sort(want.begin(), want.end(), [&](int32_t a, int32_t b) {
      const T p = x.at(int64_t{a}, i), q = x.at(int64_t{b}, i);
      return descending ? below(q, p) : below(p, q);
    });
    bool same = true;
    for (int64_t at = 0; at < k; at++) same &= out.at(at, i) == want[static_cast<size_t>(at)];
    check(same, "an order", n, k);
  }
}

// Keys that differ in their last bits alone, and keys far from all others: what digits from the top do not part.
template <class T>
void check_crowd(Random& r, int64_t n, int64_t far) {
  Tensor<T> x({n});
  Tensor<int32_t> out({n});
  const T step = std::is_floating_point_v<T> ? static_cast<T>(std::numeric_limits<float>::epsilon()) : T(1);
  for (T& v : x.data) v = T(1) + static_cast<T>(r.between(0, 999)) * step;
  for (int64_t i = 0; i < far; i++)
    x.data[static_cast<size_t>(r.between(0, n - 1))] = i % 2 ? std::numeric_limits<T>::max() : T(0);
  check(run_with(run_order, 1, {out.view, x.view}, {0, 0}).ok(), "an order of a crowd is found", n, far);
  std::vector<int32_t> want(static_cast<size_t>(n));
  std::iota(want.begin(), want.end(), 0);
  std::stable_sort(want.begin(), want.end(), [&](int32_t a, int32_t b) { return x.at(a) < x.at(b); });
  check(out.data == want, "an order of a crowd", n, far);
}

template <class T>
void check_orders(Random& r) {
  for (int64_t n : {1023, 1024, 1025, 4095, 4097, 65536, 65537, 1'400'000})
    for (int64_t far : {0, 2}) check_crowd<T>(r, n, far);
  for (int64_t n : {511, 512, 513, 1000, 1023, 1024, 1025, 5000, 70'000})
    check_order<T>(r, n, n, r.between(1, 3), r.between(0, 1) == 1);
  for (int64_t n = 1; n <= 300; n++)
    for (int64_t k : {n, n / 2, std::min<int64_t>(n, 3), r.between(0, n)}) {
      const int64_t rows = r.between(1, 3);
      check_order<T>(r, n, k, rows, r.between(0, 1) == 1);
    }
  for (bool descending : {false, true})
    for (int64_t k : {int64_t{200'003}, int64_t{50}}) check_order<T>(r, 200'003, k, 1, descending);
}

void check_nonzero(Random& r, int64_t rows, int64_t cols, int64_t share) {
  Tensor<bool> mask({rows, cols});
  std::vector<int32_t> want;
  for (int64_t i = 0; i < rows * cols; i++) {
    const bool is = r.between(0, 9) < share;
    mask.data[static_cast<size_t>(i)] = is;
    if (!is) continue;
    want.push_back(static_cast<int32_t>(i / cols));
    want.push_back(static_cast<int32_t>(i % cols));
  }
  const auto count = static_cast<int64_t>(want.size() / 2);
  Tensor<int32_t> out({count, 2}), more({count + 1, 2});
  on_any_threads("places on other threads", [&] {
    out.spoil();
    check(run_with(run_nonzero, 1, {out.view, mask.view}, {}).ok(), "places are found", rows, cols);
    return digest_of(out.data, 0xCBF29CE484222325u);
  });
  check(out.data == want, "the places of true elements", rows, cols);
  check(!run_with(run_nonzero, 1, {more.view, mask.view}, {}).ok(), "another number of places is refused", rows, cols);
}

// An element at an end of the dtype, and one beyond it.
template <class T>
void check_holds(DType type, T last, T beyond) {
  for (int layout = 0; layout < static_cast<int>(Layout::COUNT); layout++) {
    Tensor<T> x({301, 407}, static_cast<Layout>(layout));
    x.data.back() = last;
    check(holds_all(type, x.view), "a dtype holds the elements", layout, static_cast<int>(type));
    x.data.back() = beyond;
    check(!holds_all(type, x.view), "a dtype does not hold an element", layout, static_cast<int>(type));
  }
}

}  // namespace

void test_orders() {
  Random r{0xA0761D6478BD642Fu};
  check_orders<float>(r);
  check_orders<double>(r);
  check_orders<int64_t>(r);
  check_orders<int32_t>(r);
  check_orders<uint8_t>(r);
  for (int64_t share : {0, 1, 5, 10}) {
    check_nonzero(r, 3, 7, share);
    check_nonzero(r, 0, 7, share);
    check_nonzero(r, 301, 407, share);
  }
  check_holds<int64_t>(DType::I32, INT32_MIN, INT32_MIN - int64_t{1});
  check_holds<int64_t>(DType::U8, 255, -1);
  check_holds<uint8_t>(DType::BOOL, 1, 2);
  check_holds<float>(DType::I32, -2147483648.0f, 2147483648.0f);
  check_holds<double>(DType::I32, 2147483647.0, 2147483647.5);
  check_holds<double>(DType::I64, -9223372036854775808.0, 9223372036854775808.0);
  check_holds<float>(DType::U8, 255.0f, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace nabla::test
