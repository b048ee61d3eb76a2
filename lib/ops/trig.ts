/** Trigonometric and hyperbolic functions. Integers become the default float dtype. */
import { type Binary, binary, type Unary, unary } from "../engine/elementwise.js";
import { partial } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";
import { hypot } from "./hypot.js";

/** 1 - x^2, exact also where x is near 1. */
const oneLessSquare = (x: Tensor): Tensor => x.neg().add(1).mul(x.add(1));

/**
 * Tangent of x in radians.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 + tan(x)^2.
 * @example tensor([0]).tan().item(); // 0
 */
export const tan: Unary = unary("tan", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["out"], (t, y) => t.mul(y.square().add(1)))],
});

/**
 * Inverse sine, between -π/2 and π/2; NaN outside [-1, 1].
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / sqrt(1 - x^2), infinite at -1 and 1.
 * @example tensor([0]).asin().item(); // 0
 */
export const asin: Unary = unary("asin", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.mul(oneLessSquare(x).rsqrt()))],
});

/**
 * Inverse cosine, between 0 and π; NaN outside [-1, 1].
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient -1 / sqrt(1 - x^2), infinite at -1 and 1.
 * @example tensor([1]).acos().item(); // 0
 */
export const acos: Unary = unary("acos", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.mul(oneLessSquare(x).rsqrt()).neg())],
});

/**
 * Inverse tangent, between -π/2 and π/2.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / (1 + x^2).
 * @example tensor([0]).atan().item(); // 0
 */
export const atan: Unary = unary("atan", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.div(x.square().add(1)))],
});

/**
 * The angle of the point (x, y), between -π and π, from `y.atan2(x)`.
 * @shape broadcast. @dtype promoted; integers and bool become the default float dtype.
 * @gradient x / (x^2 + y^2) for y and -y / (x^2 + y^2) for x; NaN at the origin.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1]).atan2(tensor([1])).item(); // 0.785...
 */
export const atan2: Binary = binary("atan2", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["x", "y"], (t, y, x) => overSquare(t, x, y)),
    partial(["x", "y"], (t, y, x) => overSquare(t, y, x).neg()),
  ],
});
/** t a / (a^2 + b^2), in t's dtype: integer arithmetic would wrap. */
function overSquare(t: Tensor, a: Tensor, b: Tensor): Tensor {
  const [x, y] = [a.to(t.dtype), b.to(t.dtype)];
  const length = hypot(x, y);
  return t.mul(x.div(length)).div(length);
}

/**
 * Hyperbolic sine.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient cosh(x).
 * @example tensor([0]).sinh().item(); // 0
 */
export const sinh: Unary = unary("sinh", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.mul(x.cosh()))],
});

/**
 * Hyperbolic cosine.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient sinh(x).
 * @example tensor([0]).cosh().item(); // 1
 */
export const cosh: Unary = unary("cosh", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.mul(x.sinh()))],
});

/**
 * Inverse hyperbolic sine.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / sqrt(x^2 + 1).
 * @example tensor([0]).asinh().item(); // 0
 */
export const asinh: Unary = unary("asinh", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.div(hypot(x, 1)))],
});

/**
 * Inverse hyperbolic cosine; NaN below 1.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / sqrt(x^2 - 1), infinite at 1.
 * @example tensor([1]).acosh().item(); // 0
 */
export const acosh: Unary = unary("acosh", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.div(x.sub(1).sqrt().mul(x.add(1).sqrt())))],
});

/**
 * Inverse hyperbolic tangent; infinite at -1 and 1, NaN outside.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / (1 - x^2).
 * @example tensor([0]).atanh().item(); // 0
 */
export const atanh: Unary = unary("atanh", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.div(oneLessSquare(x)))],
});
