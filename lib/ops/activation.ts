/** Activations of neural networks. Integers become the default float dtype. */
import { needChoice, needNumber } from "../core/arguments.js";
import { named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { isPlain } from "../core/tree.js";
import { binary, type Unary, unary } from "../engine/elementwise.js";
import { type Operand, partial, partialOfNumbers } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";
import { geluBackward, siluBackward, softplusBackward } from "./activation-backward.js";

/**
 * `log(sigmoid(x))` without underflow.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient sigmoid(-x).
 * @example tensor([0]).logSigmoid().item(); // -0.693...
 */
export const logSigmoid: Unary = unary("logSigmoid", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => softplusBackward(t, x.neg()))],
});

const leakyReluRow = binary("leakyRelu", {
  compute: "float",
  accuracy: "exact",
  partials: [
    partialOfNumbers(["x", "y"], (t, x, slope) => (x as Tensor).gt(0).where(t, t.mul(slope))),
    partial(["x"], (t, x) => x.gt(0).where(0, t.mul(x))),
  ],
});

export interface LeakyReluOptions {
  /** The slope for negative x; default 0.01. A tensor gets a gradient, so it can be learned. */
  readonly negativeSlope?: Operand | undefined;
}

/**
 * x where it is positive, else `slope * x`. The slope is the second argument, or the option `negativeSlope`. It may be
 * a tensor, which gets a gradient (PReLU).
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient for x 1 where x > 0, else the slope; for the slope 0 where x > 0, else x.
 * @throws ERR_ARGUMENT for a slope that is neither a number nor a tensor, or an unknown option.
 * @source He et al., Delving deep into rectifiers, 2015 (with a learned slope: PReLU).
 * @example
 * tensor([-1, 2]).leakyRelu(0.5).toArray(); // [-0.5, 2]
 * tensor([-1, 2]).leakyRelu({ negativeSlope: 0.5 }).toArray(); // [-0.5, 2]
 */
export function leakyRelu(x: Operand, slope: Operand | LeakyReluOptions = 0.01): Tensor {
  if (typeof slope === "number" || !isPlain(slope)) return leakyReluRow(x, slope as Operand);
  const { negativeSlope = 0.01 } = checkOptions<LeakyReluOptions>("leakyRelu", slope, ["negativeSlope"]);
  return leakyReluRow(x, negativeSlope);
}

const eluRow = binary("elu", {
  compute: "float",
  accuracy: 4,
  partials: [
    partialOfNumbers(["x", "y"], (t, x, alpha) => {
      const above = (x as Tensor).gt(0);
      return above.where(t, t.mul(above.where(0, x).exp()).mul(alpha));
    }),
    partial(["x"], (t, x) => {
      const above = x.gt(0);
      return above.where(0, t.mul(above.where(0, x).expm1()));
    }),
  ],
});

export interface EluOptions {
  /** The result approaches -alpha as x goes to -infinity; default 1. */
  readonly alpha?: number | undefined;
}

/**
 * x where it is positive, else `alpha (e^x - 1)`.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 where x > 0, else alpha e^x.
 * @throws ERR_ARGUMENT if alpha is not a number.
 * @source Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential linear units, 2016.
 * @example tensor([-Infinity, 2]).elu().toArray(); // [-1, 2]
 */
export function elu(x: Operand, options?: EluOptions): Tensor {
  const { alpha = 1 } = checkOptions<EluOptions>("elu", options, ["alpha"]);
  return eluRow(x, needNumber("elu", "alpha", alpha));
}

const geluRow = unary("gelu", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => geluBackward(t, x))],
});

// Uses sigmoid(2u) = (1 + tanh(u)) / 2, which loses no digits far below 0; beyond 30 the result is constant.
const geluTanhRow = unary("geluTanh", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["x"], (t, x) => {
      const near = x.clamp({ min: -30, max: 30 });
      const square = near.square();
      const scale = 2 * Math.sqrt(2 / Math.PI);
      const s = near.mul(square.mul(0.044715).add(1)).mul(scale).sigmoid();
      const slope = square
        .mul(3 * 0.044715)
        .add(1)
        .mul(scale);
      return t.mul(s.add(s.mul(s.neg().add(1)).mul(near).mul(slope)));
    }),
  ],
});

export interface GeluOptions {
  /** "tanh" for the approximation `x sigmoid(2u)`, `u = sqrt(2/π) (x + 0.044715 x^3)`; default "none". */
  readonly approximate?: "none" | "tanh" | undefined;
}

/**
 * `x Φ(x)`, where Φ is the cumulative distribution function of the standard normal distribution.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient Φ(x) + x φ(x), where φ is the density.
 * @throws ERR_ARGUMENT for an unknown approximation.
 * @source Hendrycks and Gimpel, Gaussian error linear units, 2016.
 * @example tensor([0, 100]).gelu().toArray(); // [0, 100]
 */
export function gelu(x: Operand, options?: GeluOptions): Tensor {
  const { approximate = "none" } = checkOptions<GeluOptions>("gelu", options, ["approximate"]);
  return needChoice("gelu", "approximate", approximate, ["none", "tanh"]) === "tanh" ? geluTanhRow(x) : geluRow(x);
}

/**
 * `x sigmoid(x)`, also called swish.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient s (1 + x (1 - s)) with s = sigmoid(x).
 * @source Ramachandran, Zoph and Le, Searching for activation functions, 2017.
 * @example tensor([0, 100]).silu().toArray(); // [0, 100]
 */
export const silu: Unary = unary("silu", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => siluBackward(t, x))],
});

const softplusRow = unary("softplus", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => softplusBackward(t, x))],
});

const softplusBetaRow = binary("softplusBeta", {
  compute: "float",
  accuracy: 4,
  partials: [partialOfNumbers(["x", "y"], (t, x, beta) => softplusBackward(t, (x as Tensor).mul(beta))), null],
});

export interface SoftplusOptions {
  /** The sharpness: the larger, the closer to relu; default 1. */
  readonly beta?: number | undefined;
}

/**
 * `log(1 + e^(beta x)) / beta` without overflow.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient sigmoid(beta x).
 * @throws ERR_ARGUMENT unless beta is above 0.
 * @example tensor([0]).softplus().item(); // 0.693...
 */
export function softplus(x: Operand, options?: SoftplusOptions): Tensor {
  const { beta = 1 } = checkOptions<SoftplusOptions>("softplus", options, ["beta"]);
  if (beta === 1) return softplusRow(x);
  needNumber("softplus", "beta", beta, { above: 0 });
  return named("softplus", () => softplusBetaRow(x, beta));
}

/**
 * `x tanh(softplus(x))`.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient w + x s (1 - w^2) with w = tanh(softplus(x)), s = sigmoid(x).
 * @source Misra, Mish: A self regularized non-monotonic activation function, 2020.
 * @example tensor([0]).mish().item(); // 0
 */
export const mish: Unary = unary("mish", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["x"], (t, x) => {
      const w = x.softplus().tanh();
      return t.mul(w.add(x.mul(x.sigmoid()).mul(w.square().neg().add(1))));
    }),
  ],
});
