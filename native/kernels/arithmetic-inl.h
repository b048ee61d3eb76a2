// Elementwise arithmetic, rounding and comparison: the functors of the first lines of list.def.
#pragma once
#include "kernels/functor-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/remainder-inl.h"

namespace nabla::NABLA_ISA {
namespace {

// NaN propagates.
template <class V>
NABLA_INLINE V maximum(V x, V y) {
  if constexpr (!kFloating<V>) return max(x, y);
  return select(x != x, x, max(x, y));
}
template <class V>
NABLA_INLINE V minimum(V x, V y) {
  if constexpr (!kFloating<V>) return min(x, y);
  return select(x != x, x, min(x, y));
}

template <class V>
NABLA_INLINE V size_of_value(V x) {
  if constexpr (kFloating<V>) return abs(x);
  return select(x < V(0), -x, x);
}

template <class V>
NABLA_INLINE V sign(V x) {
  const V y = select(x > V(0), V(1), select(x < V(0), V(0) - V(1), V(0)));
  if constexpr (kFloating<V>) return select(x != x, x, y);
  return y;
}

template <class V>
NABLA_INLINE auto is_infinite(V x) {
  if constexpr (kFloating<V>) {
    return abs(x) == Traits<V>::kInfinity;
  } else {
    return x != x;
  }
}

// Computed from the nearer end, so that w = 0 and w = 1 give the ends exactly. A difference that overflows is halved.
template <class V>
NABLA_INLINE V interpolate(V x, V y, V w) {
  const auto large = is_infinite(y - x);
  const V part = select(large, V(0.5f), V(1)), times = select(large, V(2), V(1));
  const V difference = y * part - x * part;
  return select(abs(w) < 0.5f, fma(w * times, difference, x), fnma(difference, (1 - w) * times, y));
}

// sqrt(x^2 + y^2), whose squares neither overflow nor underflow.
template <class V>
NABLA_INLINE V hypot(V x, V y) {
  if constexpr (kIsSingle<V>) {
    return in_double([](auto a, auto b) { return sqrt(fma(a, a, b * b)); }, x, y);
  } else {
    const V size = max(abs(x), abs(y));
    const auto large = size > 0x1p500, small = size < 0x1p-400;
    const V unit = select(large, V(0x1p-600), select(small, V(0x1p600), V(1)));
    const V a = x * unit, b = y * unit;
    return sqrt(fma(a, a, b * b)) * select(large, V(0x1p600), select(small, V(0x1p-600), V(1)));
  }
}

// Rounding an integer returns it.
#define NABLA_ROUNDING(Functor, function)             \
  struct Functor {                                    \
    template <class V>                                \
    NABLA_INLINE V operator()(V x) const {            \
      if constexpr (kFloating<V>) return function(x); \
      return x;                                       \
    }                                                 \
  };

// By repeated squaring; a negative exponent gives the truncated quotient.
template <class T>
NABLA_INLINE Lane<T> pow_integer(Lane<T> x, Lane<T> y) {
  if (y < Lane<T>(0)) {
    const bool odd = y.v & 1;
    return x.v == 1 ? T(1) : x == Lane<T>(0) - Lane<T>(1) ? (odd ? x.v : T(1)) : T(0);
  }
  Lane<T> z = 1;
  for (T e = y.v; e != 0; e = static_cast<T>(e >> 1)) {
    if (e & 1) z = z * x;
    x = x * x;
  }
  return z;
}
template <class V>
NABLA_INLINE V power(V x, V y) {
  if constexpr (kFloating<V>) {
    return pow(x, y);
  } else {
    return pow_integer(x, y);
  }
}

NABLA_UNARY(Identity, x)
NABLA_UNARY(Negative, -x)
NABLA_UNARY(Absolute, size_of_value(x))
NABLA_UNARY(Sign, sign(x))
NABLA_UNARY(Square, x* x)
NABLA_UNARY(SquareRoot, sqrt(x))
NABLA_UNARY(InverseSquareRoot, 1 / sqrt(x))
NABLA_UNARY(Reciprocal, 1 / x)
NABLA_ROUNDING(Floor, floor)
NABLA_ROUNDING(Ceil, ceil)
NABLA_ROUNDING(Round, round)
NABLA_ROUNDING(Truncate, trunc)

NABLA_BINARY(Add, x + y)
NABLA_BINARY(Subtract, x - y)
NABLA_BINARY(Multiply, x* y)
NABLA_BINARY(Divide, x / y)
NABLA_BINARY(Power, power(x, y))
NABLA_BINARY(Remainder, remainder(x, y))
NABLA_BINARY(Maximum, maximum(x, y))
NABLA_BINARY(Minimum, minimum(x, y))
NABLA_TERNARY(Clamp, minimum(maximum(x, y), z))
NABLA_TERNARY(Interpolate, interpolate(x, y, z))
NABLA_TERNARY(ScaledQuotient, x / y * z)
NABLA_BINARY(Hypotenuse, hypot(x, y))

NABLA_BINARY(Equal, x == y)
NABLA_BINARY(NotEqual, x != y)
NABLA_BINARY(Less, x < y)
NABLA_BINARY(LessEqual, x <= y)
NABLA_BINARY(Greater, x > y)
NABLA_BINARY(GreaterEqual, x >= y)
NABLA_BINARY(LogicalAnd, (x != V(0)) & (y != V(0)))
NABLA_BINARY(LogicalOr, (x != V(0)) | (y != V(0)))
NABLA_UNARY(LogicalNot, x == V(0))
NABLA_UNARY(IsNaN, x != x)
NABLA_UNARY(IsFinite, !is_infinite(x) & (x == x))
NABLA_UNARY(IsInfinite, is_infinite(x))

// x with NaN and infinities replaced.
struct ReplaceNonFinite {
  template <class V>
  NABLA_INLINE V operator()(V x, V nan, V above, V below) const {
    constexpr auto kInfinity = Traits<V>::kInfinity;
    return select(x != x, nan, select(x == kInfinity, above, select(x == -kInfinity, below, x)));
  }
};

}  // namespace
}  // namespace nabla::NABLA_ISA
