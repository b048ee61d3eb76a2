// Attention and its gradient against their definition in double.
#include "exec/attention/attention.h"

#include "check.h"
#include "exec/random/random.h"

namespace nabla::test {
namespace {

struct Sizes {
  int64_t items, groups, queries, keys, size, width;
};

enum class Residual { NONE, LOG_SUMS, WEIGHTS };

struct Options {
  bool causal;
  int mask;  // 0: none, 1: truth values, 2: numbers
  double p;
  Residual residual;
};

Layout any_layout(Random& r) { return static_cast<Layout>(r.between(0, static_cast<int64_t>(Layout::COUNT) - 1)); }

// Each of n additions to a sum of one sign errs by half a unit of the sum at most, all the same way where the terms are
// equal: those of repeated keys.
double roundings(int64_t n) { return std::fmax(32, static_cast<double>(n) / 2); }

template <class T>
class Case {
 public:
  Case(Random& r, const Sizes& sizes, const Options& options)
      : s(sizes),
        o(options),
        scale(0.7 / std::sqrt(static_cast<double>(sizes.size + 1))),
        query({s.items, s.groups, s.queries, s.size}, any_layout(r)),
        key({s.items, s.keys, s.size}, any_layout(r)),
        value({s.items, s.keys, s.width}, any_layout(r)),
        gradient({s.items, s.groups, s.queries, s.width}, any_layout(r)),
        seen({s.items, s.groups, s.queries, s.keys}, any_layout(r)),
        added({s.items, s.groups, s.queries, s.keys}, any_layout(r)),
        uniform({s.items, s.groups, s.queries, s.keys}),
        out({s.items, s.groups, s.queries, s.width}),
        residual(residual_dims()),
        by_query({s.items, s.groups, s.queries, s.size}),
        by_key({s.items, s.keys, s.size}),
        by_value({s.items, s.keys, s.width}) {
    query.fill(r), key.fill(r), value.fill(r), gradient.fill(r), added.fill(r);
    const int64_t share = r.between(0, 3);  // of the keys, none are seen by a row now and then
    for (auto& v : seen.data) v = r.between(0, 3) < share;
    for (T& v : added.data)
      if (r.between(0, 4) == 0) v = -std::numeric_limits<T>::infinity();
    if (o.p > 0) check(run_with(run_uniform, 1, {uniform.view}, stream).ok(), "uniform numbers", 0, 0);
    define();
  }

  void run() {
    on_any_threads("attention on other threads", [&] { return run_once(); });
    expect_near(out.data, want_out, roundings(s.keys), "attention");
    if (o.residual == Residual::NONE) return;
    expect_near(by_query.data, want_query, roundings(s.keys), "the gradient of the queries");
    expect_near(by_key.data, want_key, roundings(s.groups * s.queries), "the gradient of the keys");
    expect_near(by_value.data, want_value, roundings(s.groups * s.queries), "the gradient of the values");
  }

 private:
  std::vector<int64_t> residual_dims() const {
    std::vector<int64_t> dims{s.items, s.groups, s.queries};
    if (o.residual == Residual::WEIGHTS) dims.push_back(s.keys + 1 + s.keys % 3);
    return dims;
  }

  uint64_t run_once() {
    std::vector<double> attrs{scale, o.causal ? 1.0 : 0.0, o.p};
    if (o.p > 0) attrs.insert(attrs.end(), stream.begin(), stream.end());
    out.spoil(), residual.spoil(), by_query.spoil(), by_key.spoil(), by_value.spoil();
    std::vector<View> forward{out.view}, backward{by_query.view, by_key.view, by_value.view, gradient.view, out.view};
    if (o.residual != Residual::NONE) forward.push_back(residual.view);
    for (const View* v : {&query.view, &key.view, &value.view}) forward.push_back(*v), backward.push_back(*v);
    backward.push_back(residual.view);
    if (o.mask > 0) {
      const View& mask = o.mask == 1 ? seen.view : added.view;
      forward.push_back(mask), backward.push_back(mask);
    }
    check(run_with(run_attention, o.residual == Residual::NONE ? 1 : 2, forward, attrs).ok(), "attention runs",
          s.queries, s.keys);
    uint64_t digest = digest_of(out.data, 0xCBF29CE484222325u);
    if (o.residual == Residual::NONE) return digest;
    check(run_with(run_attention_backward, 3, backward, attrs).ok(), "its gradient runs", s.queries, s.keys);
    return digest_of(by_value.data, digest_of(by_key.data, digest_of(by_query.data, digest)));
  }

  void define() {
    want_out.resize(out.data.size());
    want_query.resize(by_query.data.size());
    want_key.resize(by_key.data.size());
    want_value.resize(by_value.data.size());
    for (int64_t i = 0; i < s.items; i++)
      for (int64_t g = 0; g < s.groups; g++)
        for (int64_t q = 0; q < s.queries; q++) define_row(i, g, q);
  }

  void define_row(int64_t i, int64_t g, int64_t q) {
    const auto n = static_cast<size_t>(s.keys);
    std::vector<double> weights(n), factors(n, 1.0);
    double top = -std::numeric_limits<double>::infinity(), total = 0, reach = 0;
    for (int64_t k = 0; k < s.keys; k++) {
      Sum score;
      for (int64_t e = 0; e < s.size; e++) {
        const double term = scale * query.at(i, g, q, e) * key.at(i, k, e);
        score.add(term, std::fabs(term));
      }
      reach = std::fmax(reach, score.size);
      double& w = weights[static_cast<size_t>(k)];
      w = score.value + (o.mask == 2 ? static_cast<double>(added.at(i, g, q, k)) : 0.0);
      if ((o.causal && k > q) || (o.mask == 1 && !seen.at(i, g, q, k))) w = -std::numeric_limits<double>::infinity();
      top = std::fmax(top, w);
      if (o.p > 0) factors[static_cast<size_t>(k)] = uniform.at(i, g, q, k) >= static_cast<T>(o.p) ? 1 / (1 - o.p) : 0;
    }
    for (double& w : weights) total += w = std::isinf(w) ? 0 : std::exp(w - top);
    if (total > 0)
      for (double& w : weights) w /= total;
    // A weight carries the error of its score.
    const double unsure = 1 + reach;
    const int64_t row = (i * s.groups + g) * s.queries + q;
    std::vector<Sum> slopes(n);
    Sum delta;
    for (int64_t k = 0; k < s.keys; k++) {
      const double w = weights[static_cast<size_t>(k)], f = factors[static_cast<size_t>(k)];
      Sum& slope = slopes[static_cast<size_t>(k)];
      for (int64_t v = 0; v < s.width; v++) {
        const double x = value.at(i, k, v), d = gradient.at(i, g, q, v);
        slope.add(f * d * x, unsure * std::fabs(f * d * x));
        want_out[static_cast<size_t>(row * s.width + v)].add(w * f * x, unsure * std::fabs(w * f * x));
        want_value[static_cast<size_t>((i * s.keys + k) * s.width + v)].add(w * f * d, unsure * std::fabs(w * f * d));
      }
      delta.add(w * slope.value, w * slope.size);
    }
    for (int64_t k = 0; k < s.keys; k++) {
      const double w = scale * weights[static_cast<size_t>(k)];
      const Sum& slope = slopes[static_cast<size_t>(k)];
      const double move = w * (slope.value - delta.value), bound = w * (slope.size + delta.size);
      for (int64_t e = 0; e < s.size; e++) {
        const double x = query.at(i, g, q, e), y = key.at(i, k, e);
        want_query[static_cast<size_t>(row * s.size + e)].add(move * y, bound * std::fabs(y));
        want_key[static_cast<size_t>((i * s.keys + k) * s.size + e)].add(move * x, bound * std::fabs(x));
      }
    }
  }

  const Sizes s;
  const Options o;
  const double scale;
  const std::vector<double> stream{123456789, 987654321, 42};
  Tensor<T> query, key, value, gradient;
  Tensor<bool> seen;
  Tensor<T> added, uniform, out, residual, by_query, by_key, by_value;
  std::vector<Sum> want_out, want_query, want_key, want_value;
};

void both(Random& r, const Sizes& sizes, const Options& options) {
  Case<float>(r, sizes, options).run();
  Case<double>(r, sizes, options).run();
}

Options any_options(Random& r) {
  const int64_t residual = r.between(0, 4);
  return {r.between(0, 1) == 1, static_cast<int>(r.between(0, 2)), r.between(0, 2) == 0 ? 0.3 : 0.0,
          residual == 0  ? Residual::NONE
          : residual < 3 ? Residual::LOG_SUMS
                         : Residual::WEIGHTS};
}

}  // namespace

void test_attention() {
  Random r{0x9E3779B97F4A7C15u};
  for (int i = 0; i < 40; i++) {
    const Options options = any_options(r);
    both(r, {r.between(1, 2), r.between(1, 3), r.between(1, 70), r.between(1, 150), r.between(1, 40), r.between(1, 40)},
         options);
  }
  for (Residual residual : {Residual::LOG_SUMS, Residual::WEIGHTS})
    for (bool causal : {false, true}) {
      both(r, {1, 2, 70, 150, 17, 9}, {causal, 0, 0, residual});
      // Several tasks of queries, with other keys seen by each.
      both(r, {1, 1, 389, 391, 3, 5}, {causal, 0, 0, residual});
    }
  // Several blocks of keys, and a product deeper than one of its blocks.
  both(r, {1, 1, 5, 1100, 3, 2}, {false, 1, 0.2, Residual::LOG_SUMS});
  both(r, {1, 2, 99, 1030, 2, 3}, {true, 0, 0, Residual::LOG_SUMS});
  both(r, {1, 1, 5, 7, 300, 270}, {false, 2, 0, Residual::WEIGHTS});
  // Nothing of something.
  for (int64_t Sizes::* none :
       {&Sizes::items, &Sizes::groups, &Sizes::queries, &Sizes::keys, &Sizes::size, &Sizes::width})
    for (Residual residual : {Residual::NONE, Residual::LOG_SUMS, Residual::WEIGHTS}) {
      Sizes sizes{2, 2, 5, 7, 3, 4};
      sizes.*none = 0;
      both(r, sizes, {false, 0, 0, residual});
      both(r, sizes, {true, 1, 0.5, residual});
    }
}

}  // namespace nabla::test
