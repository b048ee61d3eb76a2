// The fused gradients of layer and RMS normalization against their definition in double.
#include "exec/norm.h"

#include "check.h"

namespace nabla::test {
namespace {

template <class T>
void check_scaled(Random& r, int64_t rows, int64_t n, bool centred) {
  constexpr double kEps = 1e-5;
  Tensor<T> x({rows, n}), g({rows, n}), w({n}), dx({rows, n}), dw({n}), db({n});
  x.fill(r), g.fill(r), w.fill(r);
  std::vector<Sum> want_x(dx.data.size()), want_w(dw.data.size()), want_b(db.data.size());
  for (int64_t row = 0; row < rows; row++) {
    double mean = 0, square = 0;
    if (centred)
      for (int64_t i = 0; i < n; i++) mean += x.at(row, i) / static_cast<double>(n);
    for (int64_t i = 0; i < n; i++) square += std::pow(x.at(row, i) - mean, 2) / static_cast<double>(n);
    const double rstd = 1 / std::sqrt(square + kEps);
    // Where a row hardly varies, rounding x - mean is all there is.
    const double unsure = 1 + rstd;
    Sum level, along;
    for (int64_t i = 0; i < n; i++) {
      const double slope = g.at(row, i) * static_cast<double>(w.at(i)) / static_cast<double>(n);
      const double y = (x.at(row, i) - mean) * rstd;
      if (centred) level.add(slope, std::fabs(slope));
      along.add(slope * y, std::fabs(slope) * (std::fabs(y) + unsure));
    }
    for (int64_t i = 0; i < n; i++) {
      const double d = g.at(row, i), slope = d * w.at(i), y = (x.at(row, i) - mean) * rstd;
      want_x[static_cast<size_t>(row * n + i)].add(
          rstd * (slope - level.value - y * along.value),
          rstd * unsure * (std::fabs(slope) + level.size + (std::fabs(y) + unsure) * along.size));
      want_w[static_cast<size_t>(i)].add(d * y, std::fabs(d) * (std::fabs(y) + unsure));
      want_b[static_cast<size_t>(i)].add(d, std::fabs(d));
    }
  }
  on_any_threads("norms on other threads", [&] {
    dx.spoil(), dw.spoil(), db.spoil();
    check(run_with(run_scaled_norm_backward, 3, {dx.view, dw.view, db.view, g.view, x.view, w.view},
                   {kEps, centred ? 1.0 : 0.0})
              .ok(),
          "the gradient of a norm runs", rows, n);
    return digest_of(db.data, digest_of(dw.data, digest_of(dx.data, 0xCBF29CE484222325u)));
  });
  expect_near(dx.data, want_x, 16, "the gradient of a norm");
  expect_near(dw.data, want_w, 16, "the gradient of its weight");
  expect_near(db.data, want_b, 16, "the gradient of its bias");
}

}  // namespace

void test_norm() {
  Random r{0xD1B54A32D192ED03u};
  const auto both = [&](int64_t rows, int64_t n) {
    for (bool centred : {false, true}) {
      check_scaled<float>(r, rows, n, centred);
      check_scaled<double>(r, rows, n, centred);
    }
  };
  for (int64_t n = 0; n < 40; n++) both(r.between(1, 9), n);
  for (int i = 0; i < 10; i++) {
    const int64_t rows = r.between(1, 300);
    both(rows, r.between(40, 700));
  }
  both(0, 5);
  both(5001, 7);   // more rows than chunks of the usual size
  both(3, 30011);  // rows longer than a block of sums
}

}  // namespace nabla::test
