// Operations with one right answer: arithmetic, rounding, comparison, selection, integers, and values at the edges.
#include <algorithm>

#include "check.h"

namespace nabla::test {
namespace {

template <class T>
std::vector<T> inputs() {
  if constexpr (std::is_floating_point_v<T>) {
    std::vector<T> v = special_values<T>();
    for (T x : {T(-2.5), T(-1.5), T(-0.5), T(0.75), T(7), T(-7), T(3.3), T(1e30)}) v.push_back(x);
    return v;
  } else if constexpr (std::is_same_v<T, bool>) {
    return {false, true};
  } else {
    std::vector<T> v;
    for (int64_t x : {0, 1, 2, 3, 5, 7, 100, 127, 128, 254, 255, -1, -2, -7, -100}) v.push_back(static_cast<T>(x));
    v.push_back(std::numeric_limits<T>::max());
    v.push_back(std::numeric_limits<T>::min());
    return v;
  }
}

// Every pair of inputs, so that each length of a tail occurs too.
template <class T>
struct Pairs {
  std::vector<T> x, y;
  Pairs() {
    for (T a : inputs<T>())
      for (T b : inputs<T>()) {
        x.push_back(a);
        y.push_back(b);
      }
  }
};

// Vectors of bool have no data().
template <class T>
using Storage = std::vector<std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>>;
template <class T>
Storage<T> stored(const std::vector<T>& v) {
  return Storage<T>(v.begin(), v.end());
}

template <class T, class Out, class F>
void check_op(Elementwise op, F expected) {
  const ElementwiseInfo& info = kElementwise[index_of(op)];
  const Pairs<T> pairs;
  Storage<T> x = stored(pairs.x), y = stored(pairs.y);
  Storage<Out> z(x.size());
  void* args[] = {z.data(), x.data(), y.data()};
  const ElementwiseFn leaf = kernels().elementwise.leaf[index_of(op)][kType<T>];
  check(leaf != nullptr, "%s has no leaf for %s", info.name, kDTypeNames[kType<T>]);
  if (!leaf) return;
  leaf(args, static_cast<int64_t>(x.size()), false);
  for (size_t i = 0; i < x.size(); i++) {
    const Out want = static_cast<Out>(expected(T(x[i]), T(y[i])));
    check(same(Out(z[i]), want), "%s %s(%g, %g): expected %.17g, got %.17g", info.name, kDTypeNames[kType<T>],
          double(x[i]), double(y[i]), double(want), double(z[i]));
  }
}

template <class T>
void check_order() {
  check_op<T, bool>(Elementwise::eq, [](T x, T y) { return x == y; });
  check_op<T, bool>(Elementwise::ne, [](T x, T y) { return x != y; });
  check_op<T, bool>(Elementwise::lt, [](T x, T y) { return x < y; });
  check_op<T, bool>(Elementwise::le, [](T x, T y) { return x <= y; });
  check_op<T, bool>(Elementwise::gt, [](T x, T y) { return x > y; });
  check_op<T, bool>(Elementwise::ge, [](T x, T y) { return x >= y; });
  check_op<T, bool>(Elementwise::logicalAnd, [](T x, T y) { return x != T(0) && y != T(0); });
  check_op<T, bool>(Elementwise::logicalOr, [](T x, T y) { return x != T(0) || y != T(0); });
  check_op<T, bool>(Elementwise::logicalNot, [](T x, T) { return x == T(0); });
  check_op<T, bool>(Elementwise::isnan, [](T x, T) { return x != x; });
  check_op<T, bool>(Elementwise::isinf, [](T x, T) { return std::isinf(double(x)); });
  check_op<T, bool>(Elementwise::isfinite, [](T x, T) { return std::isfinite(double(x)); });
  check_op<T, T>(Elementwise::identity, [](T x, T) { return x; });
}

template <class T>
void check_extremes() {
  const auto first_nan = [](T x, T y, T other) { return x != x ? x : y != y ? y : other; };
  Pairs<T> pairs;
  std::vector<T> high(pairs.x.size()), low(pairs.x.size());
  void* to_high[] = {high.data(), pairs.x.data(), pairs.y.data()};
  void* to_low[] = {low.data(), pairs.x.data(), pairs.y.data()};
  kernels().elementwise.leaf[index_of(Elementwise::maximum)][kType<T>](to_high, static_cast<int64_t>(high.size()),
                                                                       false);
  kernels().elementwise.leaf[index_of(Elementwise::minimum)][kType<T>](to_low, static_cast<int64_t>(low.size()), false);
  for (size_t i = 0; i < high.size(); i++) {
    const T x = pairs.x[i], y = pairs.y[i], nan = first_nan(x, y, T(0));
    const T want_high = nan != nan ? nan : std::max(x, y), want_low = nan != nan ? nan : std::min(x, y);
    // Of two zeros either will do.
    check(high[i] == want_high || same(high[i], want_high), "maximum(%g, %g)", double(x), double(y));
    check(low[i] == want_low || same(low[i], want_low), "minimum(%g, %g)", double(x), double(y));
  }
}

template <class T>
T remainder_of(T x, T y) {
  if constexpr (std::is_floating_point_v<T>) {
    const T rest = std::fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
  } else {
    if (y == 0) return 0;
    const __int128 rest = __int128(x) % y;
    return static_cast<T>(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
  }
}

template <class T>
void check_floats() {
  check_op<T, T>(Elementwise::add, [](T x, T y) { return x + y; });
  check_op<T, T>(Elementwise::sub, [](T x, T y) { return x - y; });
  check_op<T, T>(Elementwise::mul, [](T x, T y) { return x * y; });
  check_op<T, T>(Elementwise::div, [](T x, T y) { return x / y; });
  check_op<T, T>(Elementwise::remainder, remainder_of<T>);
  check_op<T, T>(Elementwise::neg, [](T x, T) { return -x; });
  check_op<T, T>(Elementwise::abs, [](T x, T) { return std::fabs(x); });
  check_op<T, T>(Elementwise::sign, [](T x, T) { return x != x ? x : x > 0 ? T(1) : x < 0 ? T(-1) : T(0); });
  check_op<T, T>(Elementwise::square, [](T x, T) { return x * x; });
  check_op<T, T>(Elementwise::sqrt, [](T x, T) { return std::sqrt(x); });
  check_op<T, T>(Elementwise::rsqrt, [](T x, T) { return 1 / std::sqrt(x); });
  check_op<T, T>(Elementwise::reciprocal, [](T x, T) { return 1 / x; });
  check_op<T, T>(Elementwise::floor, [](T x, T) { return std::floor(x); });
  check_op<T, T>(Elementwise::ceil, [](T x, T) { return std::ceil(x); });
  check_op<T, T>(Elementwise::trunc, [](T x, T) { return std::trunc(x); });
  check_op<T, T>(Elementwise::round, [](T x, T) { return std::nearbyint(x); });
  check_op<T, T>(Elementwise::relu, [](T x, T) { return x < 0 ? T(0) : x; });
  check_op<T, T>(Elementwise::leakyRelu, [](T x, T y) { return x > 0 ? x : x * y; });
  check_op<T, T>(Elementwise::sigmoidBackward, [](T x, T y) { return x * y * (1 - y); });
  check_op<T, T>(Elementwise::tanhBackward, [](T x, T y) { return x * std::fma(-y, y, T(1)); });
  check_op<T, T>(Elementwise::reluBackward, [](T x, T y) { return y > 0 ? x : T(0); });
}

// Modulo 2^bits, whatever the language says of signed overflow.
template <class T>
void check_integers() {
  using U = std::make_unsigned_t<T>;
  check_op<T, T>(Elementwise::add, [](T x, T y) { return T(U(U(x) + U(y))); });
  check_op<T, T>(Elementwise::sub, [](T x, T y) { return T(U(U(x) - U(y))); });
  check_op<T, T>(Elementwise::mul, [](T x, T y) { return T(U(uint64_t(U(x)) * uint64_t(U(y)))); });
  check_op<T, T>(Elementwise::neg, [](T x, T) { return T(U(U(0) - U(x))); });
  check_op<T, T>(Elementwise::square, [](T x, T) { return T(U(uint64_t(U(x)) * uint64_t(U(x)))); });
  check_op<T, T>(Elementwise::abs, [](T x, T) { return x < 0 ? T(U(U(0) - U(x))) : x; });
  check_op<T, T>(Elementwise::sign, [](T x, T) { return T(x > 0 ? 1 : x < 0 ? -1 : 0); });
  check_op<T, T>(Elementwise::relu, [](T x, T) { return x > 0 ? x : T(0); });
  check_op<T, T>(Elementwise::floor, [](T x, T) { return x; });
  check_op<T, T>(Elementwise::round, [](T x, T) { return x; });
  check_op<T, T>(Elementwise::remainder, remainder_of<T>);
  check_op<T, T>(Elementwise::pow, [](T x, T y) {
    if (y < 0) return T(x == 1 ? 1 : x == T(-1) ? (y % 2 ? -1 : 1) : 0);
    U z = 1, power = U(x);
    for (uint64_t e = uint64_t(y); e; e >>= 1, power = U(uint64_t(power) * power))
      if (e & 1) z = U(uint64_t(z) * power);
    return T(z);
  });
}

template <class T>
void check_three_inputs() {
  const std::vector<T> v = inputs<T>();
  std::vector<T> x, y, z;
  Storage<bool> condition;
  for (T a : v)
    for (T b : v)
      for (T c : v) {
        condition.push_back(x.size() % 3 == 0);
        x.push_back(a);
        y.push_back(b);
        z.push_back(c);
      }
  std::vector<T> out(x.size());
  const int64_t n = static_cast<int64_t>(x.size());
  auto run = [&](Elementwise op, void* first) {
    void* args[] = {out.data(), first, y.data(), z.data()};
    kernels().elementwise.leaf[index_of(op)][kType<T>](args, n, false);
  };
  auto each = [&](const char* name, auto want) {
    for (int64_t i = 0; i < n; i++)
      check(same(out[i], want(i)), "%s %s(%g, %g, %g): got %g", name, kDTypeNames[kType<T>], double(x[i]), double(y[i]),
            double(z[i]), double(out[i]));
  };
  run(Elementwise::where, condition.data());
  each("where", [&](int64_t i) { return condition[i] ? y[i] : z[i]; });
  run(Elementwise::clamp, x.data());
  auto larger = [](T a, T b) { return a != a ? a : b != b ? b : a > b ? a : b; };
  auto smaller = [](T a, T b) { return a != a ? a : b != b ? b : a < b ? a : b; };
  each("clamp", [&](int64_t i) { return smaller(larger(x[i], y[i]), z[i]); });
  if constexpr (std::is_floating_point_v<T>) {
    run(Elementwise::lerp, x.data());
    each("lerp", [&](int64_t i) {
      const T a = x[i], b = y[i], w = z[i];
      // A difference that overflows is halved.
      const T part = std::isinf(b - a) ? T(0.5) : T(1), d = b * part - a * part;
      return std::fabs(w) < T(0.5) ? std::fma(w / part, d, a) : std::fma(-d, (1 - w) / part, b);
    });
    run(Elementwise::scaledDiv, x.data());
    each("scaledDiv", [&](int64_t i) { return x[i] / y[i] * z[i]; });
  }
}

// f(x) = y, to the bit.
template <class T>
void check_edges() {
  constexpr T inf = std::numeric_limits<T>::infinity();
  struct Row {
    Elementwise op;
    T x, y;
  };
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (const Row& row : {Row{Elementwise::exp, -inf, 0},
                         {Elementwise::exp, inf, inf},
                         {Elementwise::exp, 0, 1},
                         {Elementwise::expm1, -inf, -1},
                         {Elementwise::expm1, T(-0.0), T(-0.0)},
                         {Elementwise::log, 0, -inf},
                         {Elementwise::log, T(-0.0), -inf},
                         {Elementwise::log, -1, nan},
                         {Elementwise::log, 1, 0},
                         {Elementwise::log2, 8, 3},
                         {Elementwise::log2, T(0x1p-100), -100},
                         {Elementwise::log10, 1000, 3},
                         {Elementwise::log1p, -1, -inf},
                         {Elementwise::log1p, -2, nan},
                         {Elementwise::sin, inf, nan},
                         {Elementwise::cos, -inf, nan},
                         {Elementwise::tan, inf, nan},
                         {Elementwise::cos, 0, 1},
                         {Elementwise::tanh, inf, 1},
                         {Elementwise::tanh, -inf, -1},
                         {Elementwise::sigmoid, inf, 1},
                         {Elementwise::sigmoid, -inf, 0},
                         {Elementwise::sigmoid, 0, T(0.5)},
                         {Elementwise::asin, 2, nan},
                         {Elementwise::acos, 1, 0},
                         {Elementwise::acos, -2, nan},
                         {Elementwise::acosh, 1, 0},
                         {Elementwise::acosh, T(0.5), nan},
                         {Elementwise::atanh, 1, inf},
                         {Elementwise::atanh, -1, -inf},
                         {Elementwise::atanh, 2, nan},
                         {Elementwise::erf, inf, 1},
                         {Elementwise::erf, -inf, -1},
                         {Elementwise::erfinv, 1, inf},
                         {Elementwise::erfinv, 2, nan},
                         {Elementwise::lgamma, 1, 0},
                         {Elementwise::lgamma, 2, 0},
                         {Elementwise::lgamma, 0, inf},
                         {Elementwise::lgamma, -3, inf},
                         {Elementwise::lgamma, -inf, inf},
                         {Elementwise::digamma, 0, -inf},
                         {Elementwise::digamma, -2, nan},
                         {Elementwise::gelu, inf, inf},
                         {Elementwise::geluTanh, inf, inf},
                         {Elementwise::silu, inf, inf},
                         {Elementwise::softplus, inf, inf},
                         {Elementwise::softplus, -inf, 0},
                         {Elementwise::mish, inf, inf},
                         {Elementwise::logSigmoid, -inf, -inf}}) {
    T y;
    void* args[] = {&y, const_cast<T*>(&row.x)};
    kernels().elementwise.leaf[index_of(row.op)][kType<T>](args, 1, false);
    check(same(y, row.y), "%s %s(%g): expected %.17g, got %.17g", kElementwise[index_of(row.op)].name,
          kDTypeNames[kType<T>], double(row.x), double(row.y), double(y));
  }
  // The slopes at infinity.
  for (Elementwise op : {Elementwise::geluBackward, Elementwise::siluBackward, Elementwise::softplusBackward}) {
    T t[] = {1, 1, 1}, x[] = {inf, -inf, nan}, y[3];
    void* args[] = {y, t, x};
    kernels().elementwise.leaf[index_of(op)][kType<T>](args, 3, false);
    check(y[0] == 1 && y[1] == 0 && y[2] != y[2], "%s at infinity: %g, %g", kElementwise[index_of(op)].name,
          double(y[0]), double(y[1]));
  }
  T x[] = {nan, inf, -inf, 5}, n[] = {1, 1, 1, 1}, p[] = {2, 2, 2, 2}, m[] = {3, 3, 3, 3}, y[4];
  void* args[] = {y, x, n, p, m};
  kernels().elementwise.leaf[index_of(Elementwise::nanToNum)][kType<T>](args, 4, false);
  check(y[0] == 1 && y[1] == 2 && y[2] == 3 && y[3] == 5, "nanToNum: %g", double(y[0]));
}

// The output may be any of the inputs.
void check_in_place() {
  std::vector<float> x(1003), y(1003), want(1003);
  for (int i = 0; i < 1003; i++) {
    x[i] = static_cast<float>(i) * 0.37f;
    y[i] = 3.0f - static_cast<float>(i);
    want[i] = x[i] - y[i];
  }
  void* args[] = {y.data(), x.data(), y.data()};
  kernels().elementwise.leaf[index_of(Elementwise::sub)][kType<float>](args, 1003, false);
  check(y == want, "sub into its second input");
}

}  // namespace

void test_exact() {
  check_order<float>();
  check_order<double>();
  check_order<int32_t>();
  check_order<int64_t>();
  check_order<uint8_t>();
  check_order<bool>();
  check_extremes<float>();
  check_extremes<double>();
  check_extremes<int32_t>();
  check_extremes<int64_t>();
  check_extremes<uint8_t>();
  check_floats<float>();
  check_floats<double>();
  check_integers<int32_t>();
  check_integers<int64_t>();
  check_integers<uint8_t>();
  check_three_inputs<float>();
  check_three_inputs<double>();
  check_three_inputs<int32_t>();
  check_three_inputs<int64_t>();
  check_three_inputs<uint8_t>();
  check_edges<float>();
  check_edges<double>();
  check_in_place();
}

}  // namespace nabla::test
