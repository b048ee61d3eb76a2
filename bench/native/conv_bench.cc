// Convolutions of known networks: milliseconds and GFLOP/s of the best sample, forward and by both gradients.
//   conv_bench [threads] [filter]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "exec/conv/conv.h"
#include "runtime/pool.h"

namespace {

using nabla::Call;
using nabla::View;

struct Case {
  int64_t n, channels, size, out, window, stride, padding, groups;
};
const Case kCases[] = {{8, 3, 224, 64, 7, 2, 3, 1},   {8, 64, 56, 64, 3, 1, 1, 1},   {8, 64, 56, 128, 3, 2, 1, 1},
                       {8, 64, 56, 128, 1, 2, 0, 1},  {8, 128, 28, 128, 3, 1, 1, 1}, {8, 128, 28, 256, 3, 2, 1, 1},
                       {8, 128, 28, 256, 1, 2, 0, 1}, {8, 256, 14, 256, 3, 1, 1, 1}, {8, 256, 14, 512, 3, 2, 1, 1},
                       {8, 256, 14, 512, 1, 2, 0, 1}, {8, 512, 7, 512, 3, 1, 1, 1},  {64, 1, 28, 32, 3, 1, 0, 1},
                       {64, 32, 26, 64, 3, 1, 0, 1},  {8, 64, 56, 64, 3, 1, 1, 64},  {8, 128, 56, 128, 3, 2, 1, 128}};

struct Tensor {
  std::vector<float> data;
  View view;
  Tensor(int64_t a, int64_t b, int64_t c, int64_t d) : data(static_cast<size_t>(a * b * c * d)) {
    const int64_t dims[4] = {a, b, c, d};
    view.rank = 4;
    for (int i = 0; i < 4; i++) view.dims[i] = dims[i];
    nabla::set_contiguous(view);
    for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<float>(i * 2654435761u % 1000) / 1000 - 0.5f;
    view.data = data.data();
  }
};

double best(nabla::Status (*kernel)(const Call&), const View& to, const View& a, const View& b, const double* attrs) {
  using Clock = std::chrono::steady_clock;
  const View operands[3] = {to, a, b};
  const Call call{-1, 1, 2, 7, operands, attrs};
  double least = 1e9;
  const auto end = Clock::now() + std::chrono::milliseconds(250);
  while (Clock::now() < end) {
    const auto start = Clock::now();
    if (!kernel(call).ok()) std::abort();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return least;
}

}  // namespace

int main(int argc, char** argv) {
  nabla::set_thread_limit(argc > 1 ? std::atoi(argv[1]) : 1);
  for (const Case& c : kCases) {
    char name[96];
    std::snprintf(name, sizeof name, "%lldx%lldx%lld %lld of %lld stride %lld", static_cast<long long>(c.n),
                  static_cast<long long>(c.channels), static_cast<long long>(c.size), static_cast<long long>(c.out),
                  static_cast<long long>(c.window), static_cast<long long>(c.stride));
    if (argc > 2 && !std::strstr(name, argv[2])) continue;
    const int64_t places = (c.size + 2 * c.padding - c.window) / c.stride + 1;
    const Tensor x(c.n, c.channels, c.size, c.size), w(c.out, c.channels / c.groups, c.window, c.window);
    const Tensor y(c.n, c.out, places, places);
    const double s = static_cast<double>(c.stride), p = static_cast<double>(c.padding);
    const double attrs[7] = {s, s, p, p, 1, 1, static_cast<double>(c.groups)};
    const double flops = 2.0 * static_cast<double>(y.data.size()) * static_cast<double>(w.data.size()) / c.out;
    std::printf("%-32s", name);
    for (double seconds : {best(nabla::run_conv2d, y.view, x.view, w.view, attrs),
                           best(nabla::run_conv2d_input, x.view, y.view, w.view, attrs),
                           best(nabla::run_conv2d_weight, w.view, y.view, x.view, attrs)})
      std::printf(" %8.3f (%3.0f)", seconds * 1e3, flops / seconds / 1e9);
    std::printf("\n");
  }
}
