// Variances and deviations about a mean in double, and their gradients, against their definition.
#include "exec/reduce/variance.h"

#include <tuple>

#include "check.h"

namespace nabla::test {
namespace {

// The middle dimension of [outer, n, inner] is reduced; or the outer ones.
template <class T>
void check_variance(Random& r, int64_t outer, int64_t n, int64_t inner, bool apart, double offset) {
  const std::vector<int64_t> kept = apart ? std::vector<int64_t>{n} : std::vector<int64_t>{outer, inner};
  Tensor<T> x({outer, n, inner}), dx({outer, n, inner}), var(kept), std(kept), g(kept);
  x.fill(r), g.fill(r);
  for (T& v : x.data) v = static_cast<T>(v + offset);
  const int64_t results = static_cast<int64_t>(var.data.size());
  const double count = static_cast<double>(apart ? outer * inner : n), divisor = count - 1;
  const double mask = apart ? 5 : 2;
  const auto place = [&](int64_t o, int64_t i, int64_t c) { return static_cast<size_t>(apart ? i : o * inner + c); };
  const auto each = [&](auto&& f) {
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < inner; c++)
          f(static_cast<double>(x.at(o, i, c)), place(o, i, c), (o * n + i) * inner + c);
  };
  std::vector<long double> mean(static_cast<size_t>(results)), squares(static_cast<size_t>(results));
  std::vector<double> level(static_cast<size_t>(results));  // how far from 0 the numbers are
  each(
      [&](double v, size_t at, int64_t) { mean[at] += static_cast<long double>(v) / static_cast<long double>(count); });
  each([&](double v, size_t at, int64_t) { level[at] += std::fabs(v) / count; });
  each([&](double v, size_t at, int64_t) { squares[at] += (v - mean[at]) * (v - mean[at]); });
  std::vector<Sum> want_var(var.data.size()), want_std(var.data.size()), by_var(x.data.size()), by_std(x.data.size());
  for (size_t i = 0; i < var.data.size(); i++) {
    const double v = static_cast<double>(squares[i]) / divisor, s = std::sqrt(v);
    want_var[i].add(v, v), want_std[i].add(s, s);
  }
  each([&](double v, size_t at, int64_t i) {
    const double d = static_cast<double>(v - mean[at]), slope = static_cast<double>(g.data[at]) / divisor;
    const double unsure = std::fabs(slope) * (std::fabs(d) + level[at] * (sizeof(T) == 8 ? 1 : 1e-7));
    by_var[static_cast<size_t>(i)].add(2 * slope * d, 2 * unsure);
    const double s = want_std[at].value;
    by_std[static_cast<size_t>(i)].add(slope * d / s, unsure / s);
  });
  on_any_threads("variances on other threads", [&] {
    var.spoil(), std.spoil();
    check(run_with(run_variance, 1, {var.view, x.view}, {mask, divisor}).ok(), "a variance runs", n, inner);
    check(run_with(run_deviation, 1, {std.view, x.view}, {mask, divisor}).ok(), "a deviation runs", n, inner);
    return digest_of(std.data, digest_of(var.data, 0xCBF29CE484222325u));
  });
  expect_near(var.data, want_var, 8, "a variance");
  expect_near(std.data, want_std, 8, "a deviation");
  const auto gradient = [&](Status (*kernel)(const Call&), const std::vector<View>& operands,
                            const std::vector<Sum>& want) {
    on_any_threads("gradients of variances on other threads", [&] {
      dx.spoil();
      check(run_with(kernel, 1, operands, {mask, divisor}).ok() != apart, "where dimensions are neighbors", n, inner);
      return digest_of(dx.data, 0xCBF29CE484222325u);
    });
    if (!apart) expect_near(dx.data, want, 8, "the gradient of a variance");
  };
  gradient(run_variance_backward, {dx.view, g.view, x.view}, by_var);
  gradient(run_deviation_backward, {dx.view, g.view, x.view, std.view}, by_std);
}

}  // namespace

void test_variance() {
  Random r{45};
  for (double offset : {0.0, 1000.0}) {
    for (auto [outer, n, inner] : {std::tuple<int64_t, int64_t, int64_t>{1, 5, 1},
                                   {7, 33, 1},
                                   {3, 1500, 1},
                                   {2, 70000, 1},
                                   {1, 3, 9},
                                   {2, 131, 70},
                                   {1, 300, 1100},
                                   {3, 4000, 17}}) {
      check_variance<float>(r, outer, n, inner, false, offset);
      check_variance<double>(r, outer, n, inner, false, offset);
    }
    check_variance<float>(r, 5, 7, 300, true, offset);
    check_variance<double>(r, 5, 7, 300, true, offset);
  }
}

}  // namespace nabla::test
