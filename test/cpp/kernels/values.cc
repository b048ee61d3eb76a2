// Accuracy: samples over all bit patterns, and special values, against a wider type.
#include "check.h"
#include "reference.h"

namespace nabla::test {
namespace {

template <class T>
struct Wider;
template <>
struct Wider<float> {
  using Type = double;
};
template <>
struct Wider<double> {
  using Type = long double;
};

template <class T>
using Reference1 = typename Wider<T>::Type (*)(typename Wider<T>::Type);
template <class T>
using Reference2 = typename Wider<T>::Type (*)(typename Wider<T>::Type, typename Wider<T>::Type);

struct Worst {
  double ulps = 0, x = 0, y = 0;
  void add(double distance, double at_x, double at_y = 0) {
    if (distance > ulps) *this = {distance, at_x, at_y};
  }
};

// Half of the samples over all bit patterns, half over magnitudes from 2^-20 to 2^10, where functions do most.
template <class T>
std::vector<T> samples_of(int64_t count) {
  using Bits = typename BitsOf<T>::Type;
  std::vector<T> v = special_values<T>();
  const Bits stride = std::numeric_limits<Bits>::max() / static_cast<Bits>(count / 2) | 1;
  const Bits low = to_bits(T(0x1p-20)), high = to_bits(T(1024)), fine = (high - low) / static_cast<Bits>(count / 4) | 1;
  for (int64_t i = 0; i < count / 2; i++) v.push_back(from_bits<T>(stride * static_cast<Bits>(i)));
  for (Bits bits = low; bits < high; bits += fine) {
    v.push_back(from_bits<T>(bits));
    v.push_back(-from_bits<T>(bits));
  }
  return v;
}

void report(const char* name, const char* dtype, const Worst& worst, double bound) {
  std::printf("  %-18s %-8s %8.3g ulp (bound %.1f) at %.17g %.17g\n", name, dtype, worst.ulps, bound, worst.x, worst.y);
  check(worst.ulps <= bound, "%s %s: %g ulp at %.17g, %.17g", name, dtype, worst.ulps, worst.x, worst.y);
}

template <class T>
void check_unary(Elementwise op, Reference1<T> reference, Reference1<T> size, double bound, int64_t samples) {
  const ElementwiseInfo& info = kElementwise[index_of(op)];
  const std::vector<T> x = samples_of<T>(samples);
  std::vector<T> y(x.size());
  void* args[] = {y.data(), const_cast<T*>(x.data())};
  kernels().elementwise.leaf[index_of(op)][kType<T>](args, static_cast<int64_t>(x.size()), false);
  Worst worst;
  for (size_t i = 0; i < x.size(); i++) {
    const auto exact = reference(x[i]);
    worst.add(size ? absolute_ulps(y[i], exact, size(x[i])) : ulps(y[i], exact), x[i]);
    if (exact == 0 && y[i] == 0 && x[i] == 0)
      check(std::signbit(y[i]) == std::signbit(exact), "%s(%g): the sign of zero", info.name, double(x[i]));
  }
  report(info.name, kDTypeNames[kType<T>], worst, bound);
}

template <class T>
void check_binary(Elementwise op, Reference2<T> reference, double bound, int64_t samples) {
  const ElementwiseInfo& info = kElementwise[index_of(op)];
  std::vector<T> x, y;
  const std::vector<T> special = special_values<T>();
  for (T a : special)
    for (T b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  uint64_t state = 1;
  auto next = [&] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 11; };
  for (int64_t i = 0; i < samples; i++) {
    // Magnitudes whose power is neither 0 nor infinite, more often than not.
    const double a = std::exp2(static_cast<double>(next() % 2000) / 100 - 10),
                 b = static_cast<double>(next()) * 0x1p-53;
    x.push_back(
        static_cast<T>((i & 1 ? a : 1 + (b - 0.5) * std::exp2(-static_cast<double>(next() % 12))) * (i & 16 ? -1 : 1)));
    const double c = (static_cast<double>(next()) * 0x1p-53 - 0.5) * std::exp2(static_cast<double>(next() % 12));
    y.push_back(static_cast<T>(i & 16 ? std::round(c) : c));
  }
  std::vector<T> z(x.size());
  void* args[] = {z.data(), x.data(), y.data()};
  kernels().elementwise.leaf[index_of(op)][kType<T>](args, static_cast<int64_t>(x.size()), false);
  Worst worst;
  for (size_t i = 0; i < x.size(); i++) {
    const auto exact = reference(x[i], y[i]);
    worst.add(ulps(z[i], exact), x[i], y[i]);
    if (exact == 0 && z[i] == 0)
      check(std::signbit(z[i]) == std::signbit(exact), "%s(%g, %g): the sign of zero", info.name, double(x[i]),
            double(y[i]));
  }
  report(info.name, kDTypeNames[kType<T>], worst, bound);
}

template <class T>
void check_slope(Elementwise op, Reference1<T> reference, double bound, int64_t samples) {
  const std::vector<T> y = samples_of<T>(samples), one(y.size(), T(1));
  std::vector<T> z(y.size());
  void* args[] = {z.data(), const_cast<T*>(one.data()), const_cast<T*>(y.data())};
  kernels().elementwise.leaf[index_of(op)][kType<T>](args, static_cast<int64_t>(y.size()), false);
  Worst worst;
  for (size_t i = 0; i < y.size(); i++) {
    if (std::isinf(y[i]))
      continue;  // inf * 0 in the reference; the kernels give 0 and 1, checked among the exact values
    worst.add(absolute_ulps(z[i], reference(y[i]), decltype(reference(y[i]))(1)), y[i]);
  }
  report(kElementwise[index_of(op)].name, kDTypeNames[kType<T>], worst, bound);
}

// log(exp(x) + exp(y)): a sum that may cancel, so the bound is on the larger of the result and the inputs.
template <class T>
void check_logaddexp(int64_t samples) {
  using R = typename Wider<T>::Type;
  std::vector<T> x, y;
  for (int64_t i = 0; i < samples; i++) {
    x.push_back(static_cast<T>(std::sin(double(i)) * std::exp2(double(i % 9))));
    y.push_back(static_cast<T>(std::cos(double(i * 3)) * std::exp2(double(i % 7))));
  }
  std::vector<T> z(x.size());
  void* args[] = {z.data(), x.data(), y.data()};
  kernels().elementwise.leaf[index_of(Elementwise::logaddexp)][kType<T>](args, samples, false);
  Worst worst;
  for (size_t i = 0; i < x.size(); i++) {
    const R high = x[i] > y[i] ? x[i] : y[i], low = x[i] > y[i] ? y[i] : x[i];
    const R exact = high + std::log1p(std::exp(low - high));
    const R unit = std::fmax(std::fmax(std::fabs(exact), std::fabs(high)), R(1)) * std::numeric_limits<T>::epsilon();
    worst.add(static_cast<double>(std::fabs(z[i] - exact) / unit), x[i], y[i]);
  }
  report("logaddexp", kDTypeNames[kType<T>], worst, 2);
}

// Losses of probabilities. The divergence is small where x is close to the logarithm of y, of which 25 bits more than
// those of float are known, and 9 more than those of double.
template <class T>
void check_losses(int64_t samples) {
  using R = typename Wider<T>::Type;
  std::vector<T> x, y;
  for (int64_t i = 0; i < samples; i++) {
    const double probability = std::fabs(std::sin(double(i)));
    y.push_back(static_cast<T>(i % 8 == 0 ? double(i % 3 == 0) : std::exp2(-double(i % 7 * 9)) * probability));
    x.push_back(static_cast<T>(std::cos(double(i) * 3) * std::exp2(double(i % 9) - 1)));
    if (i % 5 == 0 && y.back() > 0) x.back() = std::log(y.back());
  }
  std::vector<T> z(x.size());
  void* args[] = {z.data(), x.data(), y.data()};
  const auto run = [&](Elementwise op) { kernels().elementwise.leaf[index_of(op)][kType<T>](args, samples, false); };
  Worst cross, divergence;
  run(Elementwise::binaryCrossEntropyWithLogits);
  for (size_t i = 0; i < x.size(); i++) {
    const R a = x[i], p = y[i];
    cross.add(ulps(z[i], (p == 0 ? R(0) : p * softplus(-a)) + (p == 1 ? R(0) : (1 - p) * softplus(a))), x[i], y[i]);
  }
  run(Elementwise::klDiv);
  for (size_t i = 0; i < x.size(); i++) {
    const R p = y[i], log = p == 0 ? R(0) : std::log(p), exact = p == 0 ? R(0) : p * (log - x[i]);
    const R unit = std::fmax(
        std::fabs(exact) * std::numeric_limits<T>::epsilon(),
        std::fmax(std::fabs(p * log) * R(sizeof(T) == 4 ? 0x1p-49 : 0x1p-62), R(std::numeric_limits<T>::denorm_min())));
    divergence.add(static_cast<double>(std::fabs(z[i] - exact) / unit), x[i], y[i]);
  }
  report("binaryCrossEntropyWithLogits", kDTypeNames[kType<T>], cross, 4);
  report("klDiv", kDTypeNames[kType<T>], divergence, 2);
}

template <class T>
void check_all(int64_t samples) {
  using R = typename Wider<T>::Type;
  constexpr bool kSingle = sizeof(T) == 4;
#define UNARY(op, expression, single, twice) \
  check_unary<T>(Elementwise::op, [](R x) -> R { return expression; }, nullptr, kSingle ? single : twice, samples);
  NABLA_UNARY_REFERENCES(UNARY)
#define ABSOLUTE(op, expression, size, single, twice)                                                                \
  check_unary<T>(                                                                                                    \
      Elementwise::op, [](R x) -> R { return expression; }, [](R x) -> R { return size; }, kSingle ? single : twice, \
      samples);
  NABLA_UNARY_REFERENCES_ABSOLUTE(ABSOLUTE)
#define BINARY(op, expression, single, twice) \
  check_binary<T>(Elementwise::op, [](R x, R y) -> R { return expression; }, kSingle ? single : twice, samples / 4);
  NABLA_BINARY_REFERENCES(BINARY)
#define SLOPE(op, expression, single, twice) \
  check_slope<T>(Elementwise::op, [](R y) -> R { return expression; }, kSingle ? single : twice, samples / 4);
  NABLA_SLOPE_REFERENCES(SLOPE)
  check_logaddexp<T>(samples / 4);
  check_losses<T>(samples / 4);
}

}  // namespace

void test_values(int64_t samples) {
  check_all<float>(samples);
  check_all<double>(samples / 4);
}

}  // namespace nabla::test
