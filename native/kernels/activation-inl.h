// Activations, and derivatives that have kernels of their own: there x is the incoming tangent or gradient, y the input
// or output of the function.
#pragma once
#include "kernels/arithmetic-inl.h"
#include "kernels/math-arc-inl.h"
#include "kernels/math-erf-inl.h"
#include "kernels/math-gamma-inl.h"

namespace nabla::NABLA_ISA {
namespace {

template <class V>
NABLA_INLINE V relu(V x) {
  if constexpr (kFloating<V>) return max(V(0), x);
  return select(x > V(0), x, V(0));
}

template <class V>
NABLA_INLINE V elu(V x, V alpha) {
  return select(x > 0, x, alpha * expm1(min(V(0), x)));
}

// log(1 + exp(x)).
template <class V>
NABLA_INLINE V softplus(V x) {
  return max(V(0), x) + log1p(exp(-abs(x)));
}

// log(1 + exp(beta x)) / beta, of the size of beta, without the product where that overflows.
template <class V>
NABLA_INLINE V softplus_beta(V x, V beta) {
  const V sharp = abs(beta);
  return max(V(0), x) + log1p(exp(-abs(x * sharp))) / sharp;
}

// Here x exp(x) is 0, and x is not yet so large that clamping the exponential would matter.
template <class V>
constexpr typename V::Scalar kVanishedAt = kIsSingle<V> ? -1000 : -10000;

// x * sigmoid(argument). Far below 0 the exponential is applied last, so that the result keeps its digits.
template <bool INSIDE, class V, class... Low>
NABLA_INLINE V times_sigmoid(V x, V argument, Low... low) {
  const ExpParts<V> e = exp_parts<INSIDE>(-argument, -low...);
  const V y = x / (1 + scale<INSIDE>(1 + e.fraction, e));
  if constexpr (INSIDE) return y;
  const ExpParts<V> far = exp_parts(argument, low...);
  return select(argument < -kExpInside<V>, scale(fma(x, far.fraction, x), far.n), y);
}

template <bool INSIDE, class V>
NABLA_INLINE V silu(V x) {
  const V finite = INSIDE ? x : max(V(kVanishedAt<V>), x);
  return times_sigmoid<INSIDE>(finite, finite);
}

// sigmoid(y) (1 + y (1 - sigmoid(y))).
template <bool INSIDE, class V>
NABLA_INLINE V silu_slope(V y) {
  const V size = abs(y), e = exp<INSIDE>(-size), inverse = 1 / (1 + e);
  const V high = inverse, low = e * inverse;  // sigmoid(|y|), sigmoid(-|y|)
  const V finite = INSIDE ? size : select(e == 0, V(0), size);
  return select(y < 0, low * fnma(finite, high, 1), high * fma(finite, low, 1));
}

// gelu's approximation x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). The argument is a sum of two words, as the
// exponential would magnify its rounding error.
template <class V>
NABLA_INLINE TwoWords<V> gelu_argument(V x) {
  using T = typename V::Scalar;
  const TwoWords<V> square = exact_product(x, x);
  const TwoWords<V> cubic = product(square, TwoWords<V>{kGeluCubic<T>[0], kGeluCubic<T>[1]});
  // Either may be the larger.
  const V linear = kGeluLinear<T>[0], sum = linear + cubic.high, back = sum - linear;
  const V rest = (linear - (sum - back)) + (cubic.high - back);
  const V low = rest + (cubic.low + kGeluLinear<T>[1]);
  return product(TwoWords<V>{sum, low}, TwoWords<V>{x, V(0)});
}

// Up to here |2 u| <= kExpInside.
template <class V>
constexpr typename V::Scalar kGeluTanhInside = kIsSingle<V> ? 9.9f : 20.8;

template <bool INSIDE, class V>
NABLA_INLINE V gelu_tanh(V x) {
  // Outside, the result is x or 0.
  const V near = INSIDE ? x : min(V(40), max(V(-40), x));
  const TwoWords<V> u = gelu_argument(near);
  const V y = times_sigmoid<INSIDE>(near, u.high, u.low);
  return INSIDE ? y : select(x > 40, x, y);
}

// x tanh(log(1 + exp(x))).
template <class V>
NABLA_INLINE V mish(V x) {
  const V finite = max(V(kVanishedAt<V>), x);
  const ExpParts<V> parts = exp_parts(-abs(finite));
  const V e = scale(1 + parts.fraction, parts.n);
  const V quotient = finite * (e + 2) / fma(e, e + 2, 2);
  const V below = scale(fma(quotient, parts.fraction, quotient), parts.n);
  const V top = fma(V(2), e, 1);
  return select(x < 0, below, finite * (top / fma(2 * e, e, top)));
}

// log(exp(x) + exp(y)).
template <class V>
NABLA_INLINE V logaddexp(V x, V y) {
  const V high = maximum(x, y), distance = select(x == y, V(0), abs(x - y));
  return high + log1p(exp(-distance));
}

// Binary cross-entropy of logit x with probability y: y softplus(-x) + (1 - y) softplus(x), where a factor of 0 gives
// 0.
template <class V>
NABLA_INLINE V logit_loss(V x, V y) {
  const V size = abs(x), factor = select(x < 0, y, 1 - y);
  return select(factor == 0, V(0), factor * size) + log1p(exp(-size));
}

// y (log(y) - x), 0 where y is 0. The logarithm has extra digits, as x may cancel most of them.
template <class V>
NABLA_INLINE V divergence(V x, V y) {
  if constexpr (kIsSingle<V>) {
    return in_double([](auto a, auto b) { return select(b == 0, b, b * (log(b) - a)); }, x, y);
  } else {
    const TwoWords<V> l = log_in_words(log_parts_tiny(y));
    return select(y == 0, y, y * ((log_limits(y, l.high) - x) + l.low));
  }
}

NABLA_UNARY_INSIDE(Exp, exp, kExpInside<V>)
NABLA_UNARY(Expm1, expm1(x))
NABLA_UNARY(Log, log(x))
NABLA_UNARY(Log1p, log1p(x))
NABLA_UNARY(Log2, log2(x))
NABLA_UNARY(Log10, log10(x))
NABLA_UNARY(Sin, sin(x))
NABLA_UNARY(Cos, cos(x))
NABLA_UNARY(Tan, tan(x))
NABLA_UNARY(Asin, asin(x))
NABLA_UNARY(Acos, acos(x))
NABLA_UNARY(Atan, atan(x))
NABLA_BINARY(Atan2, atan2(x, y))
NABLA_UNARY(Sinh, sinh(x))
NABLA_UNARY(Cosh, cosh(x))
NABLA_UNARY(Tanh, tanh(x))
NABLA_UNARY(Asinh, asinh(x))
NABLA_UNARY(Acosh, acosh(x))
NABLA_UNARY(Atanh, atanh(x))
NABLA_UNARY(Erf, erf(x))
NABLA_UNARY(Erfinv, erfinv(x))
NABLA_UNARY(LogGamma, lgamma(x))
NABLA_UNARY(Digamma, digamma(x))
NABLA_BINARY(LogAddExp, logaddexp(x, y))

NABLA_UNARY_INSIDE(Sigmoid, sigmoid, kExpInside<V>)
NABLA_UNARY(LogSigmoid, -softplus(-x))
NABLA_UNARY(Relu, relu(x))
NABLA_BINARY(LeakyRelu, select(x > 0, x, x* y))
NABLA_BINARY(Elu, elu(x, y))
NABLA_UNARY_INSIDE(Gelu, gelu, kGeluInside<V>)
NABLA_UNARY_INSIDE(GeluTanh, gelu_tanh, kGeluTanhInside<V>)
NABLA_UNARY_INSIDE(Silu, silu, kExpInside<V>)
NABLA_UNARY(Softplus, softplus(x))
NABLA_BINARY(SoftplusBeta, softplus_beta(x, y))
NABLA_UNARY(Mish, mish(x))

NABLA_BINARY(SigmoidBackward, x * y * (1 - y))
NABLA_BINARY(TanhBackward, x* fnma(y, y, 1))
NABLA_BINARY(ReluBackward, select(y > 0, x, V(0)))
NABLA_SLOPE_INSIDE(GeluBackward, gelu_slope, kGeluInside<V>)
NABLA_SLOPE_INSIDE(SiluBackward, silu_slope, kExpInside<V>)
NABLA_BINARY(SoftplusBackward, x* sigmoid(y))

NABLA_BINARY(LogitLoss, logit_loss(x, y))
NABLA_BINARY(Divergence, divergence(x, y))

}  // namespace
}  // namespace nabla::NABLA_ISA
