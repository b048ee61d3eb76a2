/** Elementwise ops of one operand. */

import { type Unary, unary } from "../engine/elementwise.js";
import { minusOne, one, partial } from "../engine/rule.js";
import { reluBackward, sigmoidBackward, tanhBackward } from "./activation-backward.js";

const zero = null;

/**
 * A copy of `x` with a storage of its own.
 * @shape that of x. @dtype that of x. @gradient the identity.
 * @example tensor([1, 2]).clone().toArray(); // [1, 2]
 */
export const clone: Unary = unary("clone", { kernel: "identity", compute: "same", accuracy: "exact", partials: [one] });

/**
 * `-x`. Integers wrap around.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient -1.
 * @example tensor([1, -2]).neg().toArray(); // [-1, 2]
 */
export const neg: Unary = unary("neg", { compute: "number", accuracy: "exact", partials: [minusOne] });

/**
 * `|x|`.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient the sign of x, 0 at 0.
 * @example tensor([1, -2]).abs().toArray(); // [1, 2]
 */
export const abs: Unary = unary("abs", {
  compute: "number",
  accuracy: "exact",
  partials: [partial(["x"], (t, x) => t.mul(x.sign()))],
});

/**
 * -1, 0 or 1 for negative, zero or positive x; NaN stays NaN.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient 0.
 * @example tensor([3, 0, -2]).sign().toArray(); // [1, 0, -1]
 */
export const sign: Unary = unary("sign", { compute: "number", accuracy: "exact", partials: [zero] });

/**
 * `x * x`.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient 2x.
 * @example tensor([3]).square().item(); // 9
 */
export const square: Unary = unary("square", {
  compute: "number",
  accuracy: "exact",
  partials: [partial(["x"], (t, x) => t.mul(x).mul(2))],
});

/**
 * Square root; NaN for negative x.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / (2 sqrt(x)), infinite at 0.
 * @example tensor([9]).sqrt().item(); // 3
 */
export const sqrt: Unary = unary("sqrt", {
  compute: "float",
  accuracy: "exact",
  partials: [partial(["out"], (t, y) => t.div(y.mul(2)))],
});

/**
 * `1 / sqrt(x)`.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient -rsqrt(x)^3 / 2.
 * @example tensor([4]).rsqrt().item(); // 0.5
 */
export const rsqrt: Unary = unary("rsqrt", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["out"], (t, y) => t.mul(y.mul(-0.5).mul(y).mul(y)))],
});

/**
 * `1 / x`.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient -1 / x^2.
 * @example tensor([4]).reciprocal().item(); // 0.25
 */
export const reciprocal: Unary = unary("reciprocal", {
  compute: "float",
  accuracy: "exact",
  partials: [partial(["out"], (t, y) => t.mul(y.square()).neg())],
});

/**
 * `e^x`.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient exp(x).
 * @example tensor([0]).exp().item(); // 1
 */
export const exp: Unary = unary("exp", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["out"], (t, y) => t.mul(y))],
});

/**
 * `e^x - 1`, accurate near 0.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient exp(x).
 * @example tensor([0]).expm1().item(); // 0
 */
export const expm1: Unary = unary("expm1", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["out"], (t, y) => t.mul(y.add(1)))],
});

/**
 * Natural logarithm; -inf at 0, NaN for negative x.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / x.
 * @example tensor([1]).log().item(); // 0
 */
export const log: Unary = unary("log", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["x"], (t, x) => t.div(x))],
});

/**
 * `log(1 + x)`, accurate near 0.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / (1 + x).
 * @example tensor([0]).log1p().item(); // 0
 */
export const log1p: Unary = unary("log1p", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.div(x.add(1)))],
});

/**
 * Sine of x in radians.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient cos(x).
 * @example tensor([0]).sin().item(); // 0
 */
export const sin: Unary = unary("sin", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["x"], (t, x) => t.mul(x.cos()))],
});

/**
 * Cosine of x in radians.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient -sin(x).
 * @example tensor([0]).cos().item(); // 1
 */
export const cos: Unary = unary("cos", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["x"], (t, x) => t.mul(x.sin()).neg())],
});

/**
 * Hyperbolic tangent.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 - tanh(x)^2.
 * @example tensor([0]).tanh().item(); // 0
 */
export const tanh: Unary = unary("tanh", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["out"], (t, y) => tanhBackward(t, y))],
});

/**
 * `1 / (1 + e^-x)`.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient sigmoid(x) (1 - sigmoid(x)).
 * @example tensor([0]).sigmoid().item(); // 0.5
 */
export const sigmoid: Unary = unary("sigmoid", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["out"], (t, y) => sigmoidBackward(t, y))],
});

/**
 * `max(x, 0)`.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient 1 where x > 0, else 0 (as in PyTorch, 0 at 0).
 * @example tensor([-1, 2]).relu().toArray(); // [0, 2]
 */
export const relu: Unary = unary("relu", {
  compute: "number",
  accuracy: "exact",
  partials: [partial(["out"], (t, y) => reluBackward(t, y))],
});

/**
 * The largest integer not above x.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient 0.
 * @example tensor([1.5]).floor().item(); // 1
 */
export const floor: Unary = unary("floor", { compute: "number", accuracy: "exact", partials: [zero] });

/**
 * The smallest integer not below x.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient 0.
 * @example tensor([1.5]).ceil().item(); // 2
 */
export const ceil: Unary = unary("ceil", { compute: "number", accuracy: "exact", partials: [zero] });

/**
 * The nearest integer; ties round to even.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient 0.
 * @example tensor([0.5, 1.5]).round().toArray(); // [0, 2]
 */
export const round: Unary = unary("round", { compute: "number", accuracy: "exact", partials: [zero] });

/**
 * x truncated towards zero.
 * @shape that of x. @dtype that of x; bool becomes int64.
 * @gradient 0.
 * @example tensor([-1.5]).trunc().item(); // -1
 */
export const trunc: Unary = unary("trunc", { compute: "number", accuracy: "exact", partials: [zero] });
