// Every float there is, through every function of one input: the largest error and where it is. A slope is a function
// of one input too: of y, with a factor of 1.
#include <atomic>
#include <thread>

#include "check.h"
#include "reference.h"

namespace nabla::test {
namespace {

struct Function {
  const char* name;
  int op;
  double (*reference)(double);
  double (*size)(double);  // what the error is counted in ulp of, where that is more than the result; else null
  bool slope;
  double bound;
};

struct Worst {
  double ulps = 0;
  float at = 0;
};

// ulps() where nothing is special, without its calls.
double ulps_of_normal(float got, double exact) {
  const uint64_t exponent = to_bits(exact) >> 52 & 0x7ff;
  if (exponent <= 1023 - 126 || exponent >= 1023 + 127 || !(std::fabs(got) < 1e38f)) return ulps(got, exact);
  return std::fabs(got - exact) * from_bits<double>((2046 + 23 - exponent) << 52);
}

double error_of(const Function& f, float x, float y) {
  const double exact = f.reference(x);
  // inf * 0 in the reference of a slope; the kernels give 0 and 1, checked among the exact values.
  if (f.slope) return std::isinf(x) ? 0 : absolute_ulps(y, exact, 1.0);
  return f.size ? absolute_ulps(y, exact, f.size(x)) : ulps_of_normal(y, exact);
}

Worst worst_of_part(const Function& f, uint32_t part) {
  constexpr int64_t kBatch = 4096;
  const ElementwiseFn leaf = kernels().elementwise.leaf[f.op][kType<float>];
  std::vector<float> x(kBatch), y(kBatch), one(kBatch, 1.0f);
  Worst worst;
  for (uint32_t start = 0; start < (1u << 24); start += kBatch) {
    for (uint32_t i = 0; i < kBatch; i++) x[i] = from_bits<float>(part << 24 | (start + i));
    void* args[] = {y.data(), f.slope ? one.data() : x.data(), x.data()};
    leaf(args, kBatch, false);
    for (uint32_t i = 0; i < kBatch; i++) {
      const double distance = error_of(f, x[i], y[i]);
      if (distance > worst.ulps) worst = {distance, x[i]};
    }
  }
  return worst;
}

}  // namespace

void exhaust(const char* only) {
  using R = double;
  const Function functions[] = {
#define FUNCTION(op, expression, single, twice) \
  {#op, index_of(Elementwise::op), [](double x) -> double { return expression; }, nullptr, false, single},
      NABLA_UNARY_REFERENCES(FUNCTION)
#define ABSOLUTE(op, expression, size, single, twice) \
  {#op,                                               \
   index_of(Elementwise::op),                         \
   [](double x) -> double { return expression; },     \
   [](double x) -> double { return size; },           \
   false,                                             \
   single},
          NABLA_UNARY_REFERENCES_ABSOLUTE(ABSOLUTE)
#define SLOPE(op, expression, single, twice) \
  {#op, index_of(Elementwise::op), [](double y) -> double { return expression; }, nullptr, true, single},
              NABLA_SLOPE_REFERENCES(SLOPE)};
  for (const Function& f : functions) {
    if (only && std::strcmp(only, f.name)) continue;
    std::atomic<uint32_t> next{0};
    Worst worst[2];
    auto work = [&](int thread) {
      for (uint32_t part; (part = next++) < 256;) {
        const Worst w = worst_of_part(f, part);
        if (w.ulps > worst[thread].ulps) worst[thread] = w;
      }
    };
    std::thread other(work, 1);
    work(0);
    other.join();
    const Worst& w = worst[0].ulps > worst[1].ulps ? worst[0] : worst[1];
    std::printf("%-12s %8.4g ulp at %.9g\n", f.name, w.ulps, double(w.at));
    std::fflush(stdout);
    check(w.ulps <= f.bound, "%s: %g ulp at %.9g", f.name, w.ulps, double(w.at));
  }
}

}  // namespace nabla::test
