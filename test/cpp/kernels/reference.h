// Every inexact function, computed with the C library in a wider type, and how far the kernels may be from it.
#pragma once
#include <cmath>

#include "kernels/list.h"

namespace nabla::test {

template <class R>
constexpr R kPi = R(3.141592653589793238462643383279502884L);
template <class R>
constexpr R kSqrtHalf = R(0.707106781186547524400844362104849039L);

template <class R>
R sigmoid(R x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
template <class R>
R softplus(R x) {
  return (x > 0 ? x : R(0)) + std::log1p(std::exp(-std::fabs(x)));
}
// Phi(x); the argument's rounding error, which the tail would magnify, is put back.
template <class R>
R normal(R x) {
  if (std::isinf(x)) return x > 0 ? 1 : 0;
  const R t = -x * kSqrtHalf<R>;
  const R lost = std::fma(-x, kSqrtHalf<R>, -t);
  return (x < -1 ? std::erfc(t) * (1 - 2 * t * lost) : std::erfc(t)) / 2;
}
template <class R>
R density(R x) {
  const R square = x * x, lost = std::fma(x, x, -square);
  return std::isinf(x) ? R(0) : std::exp(-square / 2) * (1 - lost / 2) * kSqrtHalf<R> / std::sqrt(kPi<R>);
}
template <class R>
R digamma(R x) {
  if (x == 0) return std::copysign(std::numeric_limits<R>::infinity(), -x);
  if (x < 0) {
    const R fraction = x - std::round(x);
    return fraction == 0 ? std::numeric_limits<R>::quiet_NaN() : digamma(1 - x) - kPi<R> / std::tan(kPi<R> * fraction);
  }
  R sum = 0;
  for (; x < 40; x += 1) sum -= 1 / x;
  const R z = 1 / (x * x);
  return sum + (std::log(x) - 1 / (2 * x) -
                z * (R(1) / 12 - z * (R(1) / 120 - z * (R(1) / 252 - z * (R(1) / 240 - z / 132)))));
}
template <class R>
R erfinv(R x) {
  const R size = std::fabs(x);
  if (!(size < 1)) return size == 1 ? x * std::numeric_limits<R>::infinity() : std::numeric_limits<R>::quiet_NaN();
  if (x == 0) return x;
  const R w = -std::log1p(-size * size);
  R y = size < R(0.5) ? size / kSqrtHalf<R> * R(0.63) : std::sqrt(w) * R(0.9);
  for (int i = 0; i < 60; i++) {
    const R error = y < 1 ? std::erf(y) - size : (1 - size) - std::erfc(y);
    const R step = error * std::sqrt(kPi<R>) / 2 * std::exp(y * y);
    const R next = y - step / (1 + y * step);
    if (next == y) break;
    y = next > 0 ? next : y / 2;
  }
  return std::copysign(y, x);
}

// X(op, expression in x of type R, bound in ulp for float, for double)
#define NABLA_UNARY_REFERENCES(X)                                                    \
  X(sqrt, std::sqrt(x), 0.5, 0.5)                                                    \
  X(rsqrt, 1 / std::sqrt(x), 1.5, 1.5)                                               \
  X(exp, std::exp(x), 1.5, 1.5)                                                      \
  X(expm1, std::expm1(x), 2, 2)                                                      \
  X(log, std::log(x), 1.5, 1.5)                                                      \
  X(log1p, std::log1p(x), 2, 2)                                                      \
  X(log2, std::log2(x), 1, 1)                                                        \
  X(log10, std::log10(x), 1, 1)                                                      \
  X(sin, std::sin(x), 2, 2)                                                          \
  X(cos, std::cos(x), 2, 2)                                                          \
  X(tan, std::tan(x), 1, 3)                                                          \
  X(asin, std::asin(x), 1, 2.5)                                                      \
  X(acos, std::acos(x), 1, 2)                                                        \
  X(atan, std::atan(x), 1, 2.5)                                                      \
  X(sinh, std::sinh(x), 1, 3)                                                        \
  X(cosh, std::cosh(x), 1, 3)                                                        \
  X(tanh, std::tanh(x), 2, 3)                                                        \
  X(asinh, std::asinh(x), 1, 4)                                                      \
  X(acosh, std::acosh(x), 1, 4)                                                      \
  X(atanh, std::atanh(x), 1, 4)                                                      \
  X(erf, std::erf(x), 3, 3)                                                          \
  X(erfinv, erfinv(x), 1, 4)                                                         \
  X(sigmoid, sigmoid(x), 3, 3)                                                       \
  X(logSigmoid, -softplus(-x), 4, 4)                                                 \
  X(gelu, x == -std::numeric_limits<R>::infinity() ? R(-0.0) : x * normal(x), 4, 4)  \
  X(geluTanh,                                                                        \
    x == -std::numeric_limits<R>::infinity()                                         \
        ? R(-0.0)                                                                    \
        : x * sigmoid(2 * std::sqrt(2 / kPi<R>) * x * (1 + R(0.044715L) * x * x)),   \
    4, 4)                                                                            \
  X(silu, x == -std::numeric_limits<R>::infinity() ? R(-0.0) : x * sigmoid(x), 4, 4) \
  X(softplus, softplus(x), 4, 4)                                                     \
  X(mish, x == -std::numeric_limits<R>::infinity() ? R(-0.0) : x * std::tanh(softplus(x)), 4, 4)

// Functions with zeros whose place is no floating-point number: X(op, expression, size, bounds); the error is counted
// in ulp of `size`, that of the terms which cancel, where that is more than the result's.
#define NABLA_UNARY_REFERENCES_ABSOLUTE(X)                                                                            \
  X(lgamma, std::lgamma(x), x < 0 ? std::fmax(R(1), std::fabs(std::lgamma(-x))) : R(x > 0.5 && x < 3 ? 0 : 1), 4, 4)  \
  X(digamma, digamma(x), x < 0 ? std::fabs(kPi<R> / std::tan(kPi<R> * (x - std::round(x)))) + std::log(3 - x) : R(1), \
    4, 5)

// In x and y. The exponential of softplusBeta multiplies the rounding error of its argument.
#define NABLA_BINARY_REFERENCES(X)                                                                      \
  X(pow, std::pow(x, y), 1, 2)                                                                          \
  X(atan2, std::atan2(x, y), 1, 3)                                                                      \
  X(hypot, x != x || y != y ? x + y : std::hypot(x, y), 1, 2)                                           \
  X(softplusBeta, (x > 0 ? x : R(0)) + std::log1p(std::exp(-std::fabs(x * y))) / std::fabs(y), 80, 600) \
  X(elu, x > 0 ? x : y * std::expm1(x), 3, 3)

// With a factor x = 1, in y: absolute.
#define NABLA_SLOPE_REFERENCES(X)                           \
  X(geluBackward, normal(y) + y * density(y), 4, 4)         \
  X(siluBackward, sigmoid(y) * (1 + y * sigmoid(-y)), 4, 4) \
  X(softplusBackward, sigmoid(y), 4, 4)

}  // namespace nabla::test
