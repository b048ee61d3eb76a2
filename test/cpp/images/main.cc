// Convolutions and pooling on random geometries, in buffers without slack: against their definition, and refusals.
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "../random.h"
#include "../workspace.h"
#include "exec/conv/conv.h"
#include "exec/conv/im2col.h"
#include "exec/conv/pool2d.h"
#include "kernels/table.h"
#include "runtime/pool.h"

namespace nabla::test {
namespace {

int64_t checks = 0, failures = 0;
void check(bool ok, const char* what, int64_t a, int64_t b) {
  checks++;
  if (!ok && failures++ < 20)
    std::printf("failed: %s (%lld, %lld)\n", what, static_cast<long long>(a), static_cast<long long>(b));
}

template <class T>
struct Tensor {
  std::vector<T> data;
  View view;
  Tensor(int64_t a, int64_t b, int64_t c, int64_t d) : data(static_cast<size_t>(a * b * c * d)) {
    view.dtype = DTypeOf<T>::value;
    view.rank = 4;
    const int64_t dims[4] = {a, b, c, d};
    for (int i = 0; i < 4; i++) view.dims[i] = dims[i];
    set_contiguous(view);
    view.data = data.data();
  }
  void fill(Random& r) {
    for (T& v : data) v = static_cast<T>(r.number());
  }
  T& at(int64_t a, int64_t b, int64_t c, int64_t d) {
    return data[static_cast<size_t>(((a * view.dims[1] + b) * view.dims[2] + c) * view.dims[3] + d)];
  }
};

struct Geometry {
  double numbers[8];  // strides, paddings, dilations, and what follows them
  int64_t n, groups, channels, out, height, width, rows, cols, oh, ow;
  int64_t at(int d, int64_t place, int64_t i) const {
    return place * int64_t(numbers[d]) - int64_t(numbers[2 + d]) + i * int64_t(numbers[4 + d]);
  }
};

// Many channels; lines and kernels longer than a block of the product; planes one by one, of more places than that; and
// so many weights that threads share them out.
enum class Kind { SMALL, DEEP, WIDE, WINDOW, PLANES, WEIGHTS };

Geometry draw(Random& r, Kind kind) {
  Geometry g;
  for (int d = 0; d < 2; d++) {
    g.numbers[d] = static_cast<double>(r.between(1, 3));
    g.numbers[2 + d] = static_cast<double>(r.between(0, 2));
    g.numbers[4 + d] = static_cast<double>(r.between(1, 2));
  }
  g.n = r.between(1, 3);
  g.groups = r.between(1, 2);
  g.channels = r.between(1, kind == Kind::DEEP ? 90 : kind == Kind::PLANES ? 1 : 3);
  g.out = r.between(1, kind == Kind::PLANES ? 1 : 5);
  g.rows = kind == Kind::WINDOW ? r.between(15, 19) : r.between(1, 3);
  g.cols = kind == Kind::WINDOW ? r.between(15, 19) : r.between(1, 3);
  if (kind != Kind::WINDOW && r.between(0, 3) == 0) {
    g.rows = g.cols = 1;
    for (int d = 0; d < 2; d++) g.numbers[d] = 1, g.numbers[2 + d] = 0;
  }
  if (kind == Kind::WEIGHTS) {
    g.groups = 1, g.channels = r.between(180, 220), g.out = r.between(180, 220);
    g.rows = g.cols = 3;
  }
  const auto size = [&](int d, int64_t window) {
    const int64_t least = int64_t(g.numbers[4 + d]) * (window - 1) + 1 - 2 * int64_t(g.numbers[2 + d]);
    return (least > 1 ? least : 1) +
           r.between(0, kind == Kind::SMALL || kind == Kind::WINDOW || kind == Kind::WEIGHTS ? 6 : 24);
  };
  g.height = size(0, g.rows) + (kind == Kind::PLANES ? r.between(20, 60) : 0);
  g.width = size(1, g.cols) + (kind == Kind::PLANES ? r.between(20, 60) : kind == Kind::WIDE ? r.between(250, 900) : 0);
  const auto places = [&](int d, int64_t n, int64_t window) {
    return (n + 2 * int64_t(g.numbers[2 + d]) - int64_t(g.numbers[4 + d]) * (window - 1) - 1) / int64_t(g.numbers[d]) +
           1;
  };
  g.oh = places(0, g.height, g.rows);
  g.ow = places(1, g.width, g.cols);
  return g;
}

// f(n, output channel, channel of the group, of the image, i, j, y, x, row and column of the image) for every product.
template <class F>
void each_product(const Geometry& g, F&& f) {
  for (int64_t n = 0; n < g.n; n++)
    for (int64_t o = 0; o < g.groups * g.out; o++)
      for (int64_t c = 0; c < g.channels; c++)
        for (int64_t i = 0; i < g.rows; i++)
          for (int64_t j = 0; j < g.cols; j++)
            for (int64_t y = 0; y < g.oh; y++)
              for (int64_t x = 0; x < g.ow; x++) {
                const int64_t at_y = g.at(0, y, i), at_x = g.at(1, x, j);
                if (at_y >= 0 && at_y < g.height && at_x >= 0 && at_x < g.width)
                  f(n, o, c, o / g.out * g.channels + c, i, j, y, x, at_y, at_x);
              }
}

template <class T>
void expect_near(const Tensor<T>& got, const Tensor<double>& want, const Tensor<double>& size, const char* what) {
  for (size_t i = 0; i < want.data.size(); i++) {
    const double error = std::fabs(static_cast<double>(got.data[i]) - want.data[i]);
    check(error <= 64 * std::numeric_limits<T>::epsilon() * size.data[i], what, static_cast<int64_t>(i), 0);
  }
}

template <class T>
void check_convolution(Random& r, Kind kind) {
  Geometry g = draw(r, kind);
  g.numbers[6] = static_cast<double>(g.groups);
  const auto image = [&](auto v) { return Tensor<decltype(v)>(g.n, g.groups * g.channels, g.height, g.width); };
  const auto window = [&](auto v) { return Tensor<decltype(v)>(g.groups * g.out, g.channels, g.rows, g.cols); };
  const auto result = [&](auto v) { return Tensor<decltype(v)>(g.n, g.groups * g.out, g.oh, g.ow); };
  auto x = image(T()), w = window(T()), y = result(T()), dx = image(T()), dw = window(T()), out = result(T());
  x.fill(r), w.fill(r), y.fill(r);
  dx.fill(r), dw.fill(r), out.fill(r);  // what was there before must not matter
  auto want_y = result(0.0), size_y = result(0.0), want_x = image(0.0), size_x = image(0.0), want_w = window(0.0),
       size_w = window(0.0);
  each_product(g, [&](int64_t n, int64_t o, int64_t c, int64_t k, int64_t i, int64_t j, int64_t py, int64_t px,
                      int64_t iy, int64_t ix) {
    const auto add = [](double& sum, double& size, double term) { sum += term, size += std::fabs(term); };
    const double a = x.at(n, k, iy, ix), b = w.at(o, c, i, j), d = y.at(n, o, py, px);
    add(want_y.at(n, o, py, px), size_y.at(n, o, py, px), a * b);
    add(want_x.at(n, k, iy, ix), size_x.at(n, k, iy, ix), b * d);
    add(want_w.at(o, c, i, j), size_w.at(o, c, i, j), a * d);
  });
  const auto run = [&](Status (*kernel)(const Call&), const View& to, const View& a, const View& b) {
    const View operands[3] = {to, a, b};
    return kernel(Call{-1, 1, 2, 7, operands, g.numbers, workspace()});
  };
  std::vector<T> before[3];
  for (int threads : {7, 2, 1}) {
    set_thread_limit(threads);
    check(run(run_conv2d, out.view, x.view, w.view).ok(), "conv2d runs", g.height, g.width);
    check(run(run_conv2d_input, dx.view, y.view, w.view).ok(), "its transpose runs", g.height, g.width);
    check(run(run_conv2d_weight, dw.view, y.view, x.view).ok(), "the weight's runs", g.height, g.width);
    int k = 0;
    for (const std::vector<T>* now : {&out.data, &dx.data, &dw.data}) {
      check(before[k].empty() || *now == before[k], "the same on fewer threads", k, threads);
      before[k++] = *now;
    }
  }
  set_thread_limit(0);
  expect_near(out, want_y, size_y, "conv2d");
  expect_near(dx, want_x, size_x, "the transpose in x");
  expect_near(dw, want_w, size_w, "the transpose in the weight");

  // Nothing that does not fit is begun.
  const double nasty[] = {-1, 0, 0.5, 7, 4, 1e18, NAN, INFINITY, 2147483648.0};
  for (int k = 0; k < 7; k++)
    for (double value : nasty) {
      const double kept = g.numbers[k];
      g.numbers[k] = value;
      Window read;
      const bool fits = read_window(x.view, g.rows, g.cols, y.view, g.numbers, read);
      if (!fits || k == 6)
        check(run(run_conv2d, out.view, x.view, w.view).ok() == (k == 6 && value == kept), "refuses a number", k, 0);
      g.numbers[k] = kept;
    }
  for (View* v : {&x.view, &w.view, &out.view})
    for (int d = 0; d < 4; d++) {
      v->dims[d]++;
      Window read;
      if (d < 2 || !read_window(x.view, w.view.dims[2], w.view.dims[3], out.view, g.numbers, read))
        check(!run(run_conv2d, out.view, x.view, w.view).ok(), "refuses another size", d, 0);
      v->dims[d]--;
    }
}

void check_pool(Random& r, Kind kind) {
  Geometry g = draw(r, kind);
  g.numbers[6] = static_cast<double>(g.rows);
  g.numbers[7] = static_cast<double>(g.cols);
  Tensor<float> x(g.n, g.channels, g.height, g.width);
  Tensor<int32_t> out(g.n, g.channels, g.oh, g.ow);
  for (float& v : x.data) v = static_cast<float>(r.between(0, 5));  // with ties
  if (r.between(0, 1)) x.data[static_cast<size_t>(r.between(0, static_cast<int64_t>(x.data.size()) - 1))] = NAN;
  const View operands[2] = {out.view, x.view};
  check(run_max_pool2d_indices(Call{-1, 1, 1, 8, operands, g.numbers, workspace()}).ok(), "runs", g.height, g.width);
  for (int64_t n = 0; n < g.n; n++)
    for (int64_t c = 0; c < g.channels; c++)
      for (int64_t y = 0; y < g.oh; y++)
        for (int64_t z = 0; z < g.ow; z++) {
          int64_t best = -1;
          float top = 0;
          for (int64_t i = 0; i < g.rows; i++)
            for (int64_t j = 0; j < g.cols; j++) {
              const int64_t iy = g.at(0, y, i), ix = g.at(1, z, j);
              if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
              const float v = x.at(n, c, iy, ix);
              if (best < 0 || (!std::isnan(top) && (v > top || std::isnan(v)))) best = iy * g.width + ix, top = v;
            }
          check(out.at(n, c, y, z) == best, "an index", out.at(n, c, y, z), best);
        }
}

template <class T>
void check_means(Random& r, Kind kind) {
  Geometry g = draw(r, kind);
  const int64_t dilated_rows = int64_t(g.numbers[4]) * (g.rows - 1) + 1;
  const int64_t dilated_cols = int64_t(g.numbers[5]) * (g.cols - 1) + 1;
  g.rows = dilated_rows, g.cols = dilated_cols;
  const double numbers[9] = {g.numbers[0],
                             g.numbers[1],
                             g.numbers[2],
                             g.numbers[3],
                             1,
                             1,
                             static_cast<double>(g.rows),
                             static_cast<double>(g.cols),
                             3};
  for (int d = 4; d < 6; d++) g.numbers[d] = 1;
  Tensor<T> x(g.n, g.channels, g.height, g.width), dx = x, y(g.n, g.channels, g.oh, g.ow), out = y;
  Tensor<double> want_x(g.n, g.channels, g.height, g.width), size_x = want_x, want_y(g.n, g.channels, g.oh, g.ow),
                                                             size_y = want_y;
  // A copy's view is of the data that it was copied from.
  dx.view.data = dx.data.data(), out.view.data = out.data.data();
  x.fill(r), y.fill(r), dx.fill(r), out.fill(r);  // what was there before must not matter
  g.groups = 1, g.out = g.channels;
  each_product(g, [&](int64_t n, int64_t o, int64_t c, int64_t, int64_t, int64_t, int64_t py, int64_t px, int64_t iy,
                      int64_t ix) {
    if (c != o) return;
    const double a = x.at(n, c, iy, ix) / 3.0, d = y.at(n, c, py, px) / 3.0;
    want_y.at(n, c, py, px) += a, size_y.at(n, c, py, px) += std::fabs(a);
    want_x.at(n, c, iy, ix) += d, size_x.at(n, c, iy, ix) += std::fabs(d);
  });
  const View there[2] = {out.view, x.view}, back[2] = {dx.view, y.view};
  check(run_avg_pool2d(Call{-1, 1, 1, 9, there, numbers, workspace()}).ok(), "means run", g.height, g.width);
  check(run_avg_pool2d_backward(Call{-1, 1, 1, 9, back, numbers, workspace()}).ok(), "their transpose runs", g.height,
        g.width);
  expect_near(out, want_y, size_y, "means");
  expect_near(dx, want_x, size_x, "the transpose of means");
  check(!run_avg_pool2d(Call{-1, 1, 1, 9, back, numbers, workspace()}).ok() || (g.height == g.oh && g.width == g.ow),
        "refuses what does not fit", g.height, g.width);
}

}  // namespace
}  // namespace nabla::test

int main() {
  using namespace nabla::test;
  const nabla::KernelTable* tiers[8];
  const int count = nabla::available_isas(tiers, 8);
  for (int tier = 0; tier < count; tier++) {
    nabla::force_isa(tiers[tier]->isa);
    std::printf("tier: %s\n", nabla::kernels().isa);
    Random r{0x9E3779B97F4A7C15u};
    for (int i = 0; i < 300; i++) {
      check_convolution<float>(r, Kind::SMALL);
      check_convolution<double>(r, Kind::SMALL);
      check_pool(r, Kind::SMALL);
      check_means<float>(r, Kind::SMALL);
      check_means<double>(r, Kind::SMALL);
    }
    for (Kind kind : {Kind::DEEP, Kind::WIDE, Kind::WINDOW, Kind::PLANES, Kind::WEIGHTS})
      for (int i = 0; i < (kind == Kind::WEIGHTS ? 1 : 6); i++) {
        check_convolution<float>(r, kind);
        check_convolution<double>(r, kind);
        check_pool(r, kind);
        check_means<float>(r, kind);
        check_means<double>(r, kind);
      }
  }
  std::printf("%lld checks, %lld failures\n", static_cast<long long>(checks), static_cast<long long>(failures));
  return failures == 0 && checks > 0 ? 0 : 1;
}
