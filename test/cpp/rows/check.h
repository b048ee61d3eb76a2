// What the tests of attention, norms and orders share: checks that count, values, tensors in buffers without slack.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "../random.h"
#include "../workspace.h"
#include "base/layout.h"
#include "exec/call.h"
#include "runtime/pool.h"

namespace nabla::test {

struct Tally {
  int64_t checks = 0, failures = 0;
  double worst = 0;  // error, in units of what is allowed
  uint64_t digest = 0;
};
inline Tally tally;

inline void check(bool ok, const char* what, int64_t a, int64_t b) {
  tally.checks++;
  if (!ok && tally.failures++ < 20)
    std::printf("failed: %s (%lld, %lld)\n", what, static_cast<long long>(a), static_cast<long long>(b));
}

enum class Layout { ROWS, COLUMNS, REVERSED, REPEATED, COUNT };

template <class T>
struct Tensor {
  using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;
  std::vector<Stored> data;
  View view;

  explicit Tensor(const std::vector<int64_t>& dims, Layout layout = Layout::ROWS) {
    view.dtype = DTypeOf<T>::value;
    view.rank = static_cast<int32_t>(dims.size());
    for (size_t i = 0; i < dims.size(); i++) view.dims[i] = dims[i];
    const int last = view.rank - 1;
    View held = view;  // as it lies in memory
    if (layout == Layout::COLUMNS) std::swap(held.dims[last - 1], held.dims[last]);
    if (layout == Layout::REPEATED) held.dims[last - 1] = held.dims[last - 1] > 0;
    set_contiguous(held);
    for (int i = 0; i < view.rank; i++) view.strides[i] = held.strides[i];
    if (layout == Layout::COLUMNS) std::swap(view.strides[last - 1], view.strides[last]);
    if (layout == Layout::REPEATED) view.strides[last - 1] = 0;
    data.reserve(1);  // storages without elements have an address too
    data.resize(static_cast<size_t>(held.numel()));
    int64_t first = 0;
    if (layout == Layout::REVERSED && !data.empty()) {
      first = (view.dims[last] - 1) * view.strides[last];
      view.strides[last] = -view.strides[last];
    }
    view.data = data.data() + first;
  }
  Tensor(const Tensor&) = delete;

  void fill(Random& r) {
    for (Stored& v : data) v = static_cast<Stored>(r.number());
  }
  // What a kernel leaves unwritten, or reads before it writes, shows.
  void spoil() { std::memset(static_cast<void*>(data.data()), 0xFF, data.size() * sizeof(Stored)); }
  template <class... I>
  Stored at(I... index) const {
    const int64_t indices[] = {index...};
    int64_t place = 0;
    for (size_t i = 0; i < sizeof...(index); i++) place += indices[i] * view.strides[i];
    return view.as<Stored>()[place];
  }
};

inline Status run_with(Status (*kernel)(const Call&), int outs, const std::vector<View>& operands,
                       const std::vector<double>& attrs) {
  return kernel(Call{-1, outs, static_cast<int32_t>(operands.size()) - outs, static_cast<int32_t>(attrs.size()),
                     operands.data(), attrs.data(), workspace()});
}

// A sum, and the sum of the sizes of its terms, which says how exact it can be.
struct Sum {
  double value = 0, size = 0;
  void add(double term, double bound) { value += term, size += bound; }
};

template <class T>
void expect_near(const std::vector<T>& got, const std::vector<Sum>& want, double roundings, const char* what) {
  check(got.size() == want.size(), what, static_cast<int64_t>(got.size()), static_cast<int64_t>(want.size()));
  for (size_t i = 0; i < want.size() && i < got.size(); i++) {
    const double allowed = roundings * std::numeric_limits<T>::epsilon() * want[i].size;
    const double error = std::fabs(static_cast<double>(got[i]) - want[i].value);
    check(error <= allowed, what, static_cast<int64_t>(i), static_cast<int64_t>(want.size()));
    if (allowed > 0 && error / allowed > tally.worst) tally.worst = error / allowed;
  }
}

template <class T>
uint64_t digest_of(const std::vector<T>& values, uint64_t digest) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  for (size_t i = 0; i < values.size() * sizeof(T); i++) digest = (digest ^ bytes[i]) * 0x100000001B3u;
  return digest;
}

// Runs `body`, which returns a digest of its results, with 1, 2 and 7 threads.
template <class F>
void on_any_threads(const char* what, F&& body) {
  uint64_t first = 0;
  for (int threads : {7, 2, 1}) {
    set_thread_limit(threads);
    const uint64_t digest = body();
    if (threads == 7) first = digest;
    check(digest == first, what, threads, 7);
  }
  set_thread_limit(0);
  tally.digest = tally.digest * 31 + first;
}

void test_attention();
void test_losses();
void test_norm();
void test_orders();
void test_streaming();
void test_variance();

}  // namespace nabla::test
