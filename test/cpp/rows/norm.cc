// The fused gradients of layer and RMS normalization, and batch normalization both ways, against their definition in
// double.
#include "exec/norm/norm.h"

#include "check.h"
#include "exec/norm/batch_norm.h"

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

template <class T>
void check_channels(Random& r, int64_t images, int64_t channels, int64_t size, double offset) {
  constexpr double kEps = 1e-5;
  const auto each = [&](int64_t c, auto&& f) {
    for (int64_t i = 0; i < images; i++)
      for (int64_t k = 0; k < size; k++) f(i, c, k);
  };
  Tensor<T> x({images, channels, size}), g({images, channels, size}), w({channels}), b({channels});
  Tensor<T> y({images, channels, size}), again({images, channels, size}), dx({images, channels, size});
  Tensor<T> moments({3, channels}), dw({channels}), db({channels});
  View given = moments.view;
  given.dims[0] = 2;
  x.fill(r), g.fill(r), w.fill(r), b.fill(r);
  for (T& v : x.data) v += static_cast<T>(offset);
  std::vector<Sum> want_y(y.data.size()), want_x(dx.data.size());
  std::vector<Sum> want_m(moments.data.size()), want_w(dw.data.size()), want_b(db.data.size());
  const double n = static_cast<double>(images * size);
  for (int64_t c = 0; c < channels; c++) {
    const size_t at = static_cast<size_t>(c);
    // Wider than any kernel's: thousands of terms in double round as often as those of a kernel of float64.
    long double sum = 0, squares = 0;
    double top = 0;
    each(c, [&](int64_t i, int64_t, int64_t k) {
      sum += x.at(i, c, k);
      top = std::fmax(top, std::fabs(static_cast<double>(x.at(i, c, k))));
    });
    each(c, [&](int64_t i, int64_t, int64_t k) {
      const long double distance = x.at(i, c, k) - sum / n;
      squares += distance * distance;
    });
    const double mean = static_cast<double>(sum / n), square = static_cast<double>(squares / n);
    const double rstd = 1 / std::sqrt(square + kEps), unsure = 1 + top * rstd;
    if (n > 0) {
      want_m[at].add(mean, top);
      const double lost = top * std::numeric_limits<T>::epsilon() * top;
      want_m[static_cast<size_t>(channels + c)].add(square, square + lost);
      want_m[static_cast<size_t>(2 * channels + c)].add(rstd, rstd * (1 + lost * rstd * rstd));
    }
    Sum level, along;
    each(c, [&](int64_t i, int64_t, int64_t k) {
      const double d = g.at(i, c, k), s = (x.at(i, c, k) - mean) * rstd;
      level.add(d / n, std::fabs(d) / n);
      along.add(d * s / n, std::fabs(d) * (std::fabs(s) + unsure) / n);
      want_w[at].add(d * s, std::fabs(d) * (std::fabs(s) + unsure));
      want_b[at].add(d, std::fabs(d));
    });
    each(c, [&](int64_t i, int64_t, int64_t k) {
      const size_t place = static_cast<size_t>((i * channels + c) * size + k);
      const double d = g.at(i, c, k), s = (x.at(i, c, k) - mean) * rstd, weight = w.at(c);
      want_y[place].add(s * weight + b.at(c), (std::fabs(s) + unsure) * std::fabs(weight) + std::fabs(b.at(c)));
      want_x[place].add(weight * rstd * (d - level.value - s * along.value),
                        std::fabs(weight) * rstd * (std::fabs(d) + level.size + (std::fabs(s) + unsure) * along.size));
    });
  }
  on_any_threads("batch norm on other threads", [&] {
    y.spoil(), again.spoil(), moments.spoil(), dx.spoil(), dw.spoil(), db.spoil();
    check(run_with(run_batch_norm, 2, {y.view, moments.view, x.view, w.view, b.view}, {kEps}).ok(), "batch norm runs",
          images, channels);
    check(run_with(run_batch_norm, 1, {again.view, x.view, w.view, b.view, given}, {kEps}).ok(),
          "batch norm with moments runs", images, channels);
    check(
        run_with(run_batch_norm_backward, 3, {dx.view, dw.view, db.view, g.view, x.view, w.view, moments.view}, {kEps})
            .ok(),
        "the gradient of batch norm runs", images, channels);
    uint64_t digest = digest_of(y.data, digest_of(moments.data, 0xCBF29CE484222325u));
    digest = digest_of(db.data, digest_of(dw.data, digest_of(dx.data, digest)));
    check(digest_of(y.data, 0) == digest_of(again.data, 0), "moments that are given are as good", images, channels);
    again.spoil();
    check(run_with(run_batch_norm, 1, {again.view, x.view, w.view, b.view}, {kEps}).ok(), "batch norm alone runs",
          images, channels);
    check(digest_of(y.data, 0) == digest_of(again.data, 0), "batch norm alone gives the same", images, channels);
    return digest;
  });
  expect_near(moments.data, want_m, 16, "moments of channels");
  expect_near(y.data, want_y, 16, "batch norm");
  expect_near(dx.data, want_x, 16, "the gradient of batch norm");
  expect_near(dw.data, want_w, 16, "the gradient of its weight");
  expect_near(db.data, want_b, 16, "the gradient of its bias");
}

}  // namespace

void test_norm() {
  Random r{0xD1B54A32D192ED03u};
  const auto channels = [&](int64_t images, int64_t count, int64_t size) {
    check_channels<float>(r, images, count, size, 0);
    check_channels<double>(r, images, count, size, 0);
    check_channels<float>(r, images, count, size, 100);  // a mean far from 0
  };
  for (int64_t size = 0; size < 40; size++) channels(r.between(1, 9), r.between(0, 5), size);
  for (int64_t count = 1; count < 70; count += 3) channels(r.between(0, 50), count, 1);
  channels(1030, 67, 1);    // more rows than a block has
  channels(43, 301, 1);     // more columns than are summed up together
  channels(40, 3, 50);      // several images a block
  channels(3, 2, 1023), channels(2, 2, 1024), channels(2, 3, 2500);
  channels(20, 70, 30);     // several tasks
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
  both(5, 1023), both(5, 1030), both(3, 2100);  // rows side by side, and one by one
  both(5001, 7);   // more rows than chunks of the usual size
  both(3, 30011);  // rows longer than a block of sums
}

}  // namespace nabla::test
