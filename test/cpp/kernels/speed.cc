// Time per element of every float leaf, on arrays that lie in L1.
#include <chrono>

#include "check.h"

namespace nabla::test {
namespace {

template <class F>
double best_seconds(F run) {
  double best = 1;
  for (int round = 0; round < 7; round++) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = s < best ? s : best;
  }
  return best;
}

template <class T>
double nanoseconds(int op) {
  constexpr int64_t n = 1024, kRepeats = 400;
  std::vector<T> in[4], out(n);
  for (int k = 0; k < 4; k++)
    for (int64_t i = 0; i < n; i++)
      in[k].push_back(static_cast<T>((static_cast<double>(i * 617 % n) + 1) / n * (k + 0.9)));
  std::vector<uint8_t> condition(n, 1);
  void* args[] = {out.data(), in[0].data(), in[1].data(), in[2].data(), in[3].data()};
  if (op == index_of(Elementwise::where)) args[1] = condition.data();
  const ElementwiseFn leaf = kernels().elementwise.leaf[op][kType<T>];
  return best_seconds([&] {
           for (int64_t r = 0; r < kRepeats; r++) leaf(args, n, false);
         }) *
         1e9 / (n * kRepeats);
}

template <class T, class F>
void print_pass(const char* name, F run) {
  constexpr int64_t n = 4096, kRepeats = 100;
  std::vector<T> x(n, T(1));
  std::printf("  %-28s %7.3f\n", name,
              best_seconds([&] {
                for (int64_t r = 0; r < kRepeats; r++) run(x.data(), n);
              }) * 1e9 /
                  (n * kRepeats));
}

}  // namespace

void measure_speed() {
  const KernelTable& k = kernels();
  std::printf("%s, ns per element             float32 float64\n", k.isa);
  for (int op = 0; op < kElementwiseCount; op++)
    std::printf("  %-28s %7.3f %7.3f\n", kElementwise[op].name, nanoseconds<float>(op), nanoseconds<double>(op));
  const ReduceLeaf& sum = k.reduce.leaf[static_cast<int>(Reduce::sum)][kType<float>];
  const ReduceLeaf& high = k.reduce.leaf[static_cast<int>(Reduce::amax)][kType<float>];
  const ArgReduceLeaf& arg = k.reduce.arg[static_cast<int>(ArgReduce::argmax)][kType<float>];
  float out[4096];
  double partials[64];
  int32_t index[512];
  print_pass<float>("sum float32, one row", [&](float* x, int64_t n) { sum.rows(out, x, 1, n, n); });
  print_pass<float>("sum float32, rows of 8", [&](float* x, int64_t n) { sum.rows(out, x, n / 8, 8, 8); });
  print_pass<float>("sum float32, 64 columns", [&](float* x, int64_t n) { sum.columns(partials, x, n / 64, 64, 64); });
  print_pass<float>("amax float32, one row", [&](float* x, int64_t n) { high.rows(out, x, 1, n, n); });
  print_pass<float>("argmax float32, one row", [&](float* x, int64_t n) { arg.rows(index, x, 1, n, n); });
  print_pass<float>("argmax float32, rows of 10", [&](float* x, int64_t n) { arg.rows(index, x, n / 10, 10, 10); });
  const RandomStream stream{{1, 2}, 3};
  print_pass<float>("uniform float32", [&](float* x, int64_t n) { k.random.uniform[0](x, 0, n, stream); });
  print_pass<double>("uniform float64", [&](double* x, int64_t n) { k.random.uniform[1](x, 0, n, stream); });
  print_pass<float>("normal float32", [&](float* x, int64_t n) { k.random.normal[0](x, 0, n, stream); });
  print_pass<double>("normal float64", [&](double* x, int64_t n) { k.random.normal[1](x, 0, n, stream); });
  print_pass<int32_t>("integers int32", [&](int32_t* x, int64_t n) { k.random.integers[0](x, 0, n, stream, 0, 10); });
}

}  // namespace nabla::test
