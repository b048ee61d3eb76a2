// Orders and places of true elements, against the standard library.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "check.h"
#include "exec/elementwise/checked.h"
#include "exec/index/index.h"
#include "exec/index/nonzero.h"
#include "exec/random/random.h"
#include "exec/sort/sort.h"

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

double real_of(int64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// A kernel that copies and checks: with `last` as its last element, and with `bad`, which is named also where another
// one follows, whatever the threads.
template <class Out, class In>
void check_copies(Status (*kernel)(const Call&), const std::vector<double>& attrs, In last, In bad, Code code,
                  double detail) {
  for (int layout = 0; layout < static_cast<int>(Layout::COUNT); layout++) {
    Tensor<In> x({301, 407}, static_cast<Layout>(layout));
    Tensor<Out> out({301, 407});
    x.data.back() = last;
    const auto run = [&] {
      out.spoil();
      return run_with(kernel, 1, {out.view, x.view}, attrs);
    };
    on_any_threads("checked copies on other threads", [&] {
      check(run().ok(), "a value that fits", layout, static_cast<int>(code));
      return digest_of(out.data, 0xCBF29CE484222325u);
    });
    bool same = true;
    for (int64_t i = 0; i < 301; i++)
      for (int64_t j = 0; j < 407; j++) {
        const In v = x.at(i, j);
        const Out want = kernel == run_places && v < In() ? static_cast<Out>(v + static_cast<In>(attrs[0])) : Out(v);
        same = same && out.at(i, j) == want;
      }
    check(same, "a checked copy", layout, static_cast<int>(code));
    x.data.back() = bad;
    on_any_threads("refusals on other threads", [&] {
      const Status status = run();
      const double got = code == Code::ARGUMENT || std::is_floating_point_v<In> ? real_of(status.detail)
                                                                                : static_cast<double>(status.detail);
      check(status.code == code && status.operand == 1, "a value is refused", layout, static_cast<int>(status.code));
      check(got == detail || (got != got && detail != detail), "the value that is refused", layout, status.detail);
      return static_cast<uint64_t>(status.detail);
    });
  }
}

// Of several bad values the first one in row-major order.
void check_first_refused() {
  Tensor<int64_t> x({301, 407}, Layout::COLUMNS), out({301, 407});
  x.view.as<int64_t>()[200 * x.view.strides[0] + 3 * x.view.strides[1]] = 77;
  x.view.as<int64_t>()[7 * x.view.strides[0] + 400 * x.view.strides[1]] = -66;
  for (int threads : {7, 1}) {
    set_thread_limit(threads);
    const Status status = run_with(run_places, 1, {out.view, x.view}, {5});
    check(status.code == Code::INDEX && status.detail == -66, "the first bad index", threads, status.detail);
  }
  set_thread_limit(0);
}

template <class T>
void check_weights(Random& r) {
  Tensor<T> x({301, 407});
  Tensor<double> out({301, 407});
  for (auto& v : x.data) v = static_cast<T>(std::fabs(r.number()) + 0.5);
  const auto run = [&](double least) { return run_with(run_weights, 1, {out.view, x.view}, {least}); };
  check(run(407).ok(), "weights", 407, 0);
  check(static_cast<T>(out.data[5]) == x.data[5], "weights are copied", 5, 0);
  x.data[407 * 200 + 1] = 0;
  Status status = run(407);
  check(status.code == Code::ARGUMENT && status.operand == 0 && status.detail == 406, "too few weights", 407,
        status.detail);
  check(run(406).ok(), "enough weights", 406, 0);
  for (T bad : {T(-1), std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
    x.data[407 * 250 + 9] = bad;
    status = run(1);
    const double got = real_of(status.detail);
    check(status.code == Code::ARGUMENT && status.operand == 1 && (got == bad || (got != got && bad != bad)),
          "a weight is refused", 1, status.operand);
  }
}

// Fisher and Yates, from all uniform numbers at once.
template <class T>
void check_permutation(int64_t rows, int64_t n) {
  Tensor<T> out({rows, n});
  Tensor<double> picks({rows, n});
  const std::vector<double> key = {11, 22, 33};
  check(run_with(run_uniform, 1, {picks.view}, key).ok(), "uniform numbers", rows, n);
  on_any_threads("orders of other threads", [&] {
    out.spoil();
    check(run_with(run_permutation, 1, {out.view}, key).ok(), "an order", rows, n);
    return digest_of(out.data, 0xCBF29CE484222325u);
  });
  for (int64_t row = 0; row < rows; row++) {
    std::vector<T> want(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; i++) want[static_cast<size_t>(i)] = static_cast<T>(i);
    for (int64_t i = n - 1; i > 0; i--) {
      const double u = picks.data[static_cast<size_t>(row * n + i)];
      std::swap(want[static_cast<size_t>(i)], want[static_cast<size_t>(u * static_cast<double>(i + 1))]);
    }
    check(std::equal(want.begin(), want.end(), out.data.begin() + row * n), "the order of these numbers", row, n);
  }
}

// A bad index is refused, and nothing beside the result is written or read, with or without counting from the end.
template <class I>
void check_indices(I bad, double from_end) {
  Tensor<float> x({5, 4}), picked({3, 4}), out({5, 4}), source({3, 4});
  Tensor<I> list({3}), places({3, 4});
  list.data = {0, 4, 2};
  for (size_t i = 0; i < places.data.size(); i++) places.data[i] = static_cast<I>(i % 5);
  const auto all = [&](bool good) {
    const Status statuses[] = {
        run_with(run_index_select, 1, {picked.view, x.view, list.view}, {0, from_end}),
        run_with(run_index_add, 1, {out.view, x.view, list.view, source.view}, {0, from_end}),
        run_with(run_gather, 1, {picked.view, x.view, places.view}, {0, from_end}),
        run_with(run_scatter, 1, {out.view, x.view, places.view, source.view}, {0, from_end, 0}),
    };
    for (const Status& status : statuses)
      check(good ? status.ok()
                 : status.code == Code::INDEX && status.operand == 2 && status.detail == static_cast<int64_t>(bad),
            "an index", static_cast<int64_t>(bad), status.detail);
  };
  all(true);
  list.data[1] = bad;
  places.data[7] = bad;
  all(false);
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
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_copies<int32_t, int64_t>(run_exactly, {}, INT32_MIN, INT32_MIN - int64_t{1}, Code::DTYPE, INT32_MIN - 1.0);
  check_copies<uint8_t, int64_t>(run_exactly, {}, 255, -1, Code::DTYPE, -1);
  check_copies<bool, uint8_t>(run_exactly, {}, 1, 2, Code::DTYPE, 2);
  check_copies<int32_t, float>(run_exactly, {}, -2147483648.0f, 2147483648.0f, Code::DTYPE, 2147483648.0);
  check_copies<int32_t, double>(run_exactly, {}, 2147483647.0, 2147483646.5, Code::DTYPE, 2147483646.5);
  check_copies<int64_t, double>(run_exactly, {}, -9223372036854775808.0, 9223372036854775808.0, Code::DTYPE,
                                9223372036854775808.0);
  check_copies<uint8_t, float>(run_exactly, {}, 255.0f, std::numeric_limits<float>::quiet_NaN(), Code::DTYPE, nan);
  check_copies<float, float>(run_within, {0, 1}, 1.0f, 1.5f, Code::ARGUMENT, 1.5);
  check_copies<double, double>(run_within, {-2, 1}, -2.0, nan, Code::ARGUMENT, nan);
  check_copies<int64_t, int32_t>(run_places, {5}, -5, 5, Code::INDEX, 5);
  check_copies<int64_t, int64_t>(run_places, {5}, 4, -6, Code::INDEX, -6);
  check_copies<int64_t, uint8_t>(run_places, {5}, 4, 200, Code::INDEX, 200);
  check_first_refused();
  check_weights<float>(r);
  check_weights<double>(r);
  check_permutation<int32_t>(1, 5000);
  check_permutation<int64_t>(3, 1500);
  check_permutation<int32_t>(2, 0);
  check_indices<int32_t>(5, 1);
  check_indices<int32_t>(-6, 1);
  check_indices<int32_t>(-1, 0);
  check_indices<int64_t>(int64_t{1} << 40, 1);
  check_indices<uint8_t>(200, 0);
}

}  // namespace nabla::test
