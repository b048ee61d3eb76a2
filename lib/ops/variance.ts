/** Variances, and roots of sums of squares. */
import { needNumber } from "../core/arguments.js";
import { checkOptions } from "../core/options.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needTensor } from "../engine/operand.js";
import { type Context, general } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";
import { meanOf } from "./reduce.js";
import {
  asFloat,
  countOf,
  type DimOrOptions,
  divisorOf,
  kept,
  type Reduced,
  type ReduceOptions,
  type Reduction,
  reduceArguments,
  reductionRow,
  sameType,
} from "./reduction.js";

/** x / length along the reduced dimensions, and 0 where the length is 0. */
function direction(x: Tensor, length: Tensor): Tensor {
  const none = length.eq(0);
  return none.where(0, x.div(none.where(1, length)));
}

const meanSquare = reductionRow("meanSquare", {
  flops: 2,
  accuracy: "tree",
  type: sameType,
  divisor: (x, p) => divisorOf(x.shape, p),
  rule: general(["x"], {
    vjp: (g, [x], c) => [x.mul(kept(g, c).mul(2 / divisorOf(x.shape, c.params)))],
    jvp: ([t], [x], c) => meanOf(x.mul(t!), c.params).mul(2),
  }),
});

// The root of the sum of squares, divided by the divisor.
const rootMeanSquare = reductionRow("norm", {
  flops: 2,
  accuracy: "tree",
  type: sameType,
  divisor: (_, p) => p.divisor ?? 1,
  rule: general(["out", "x"], {
    vjp: (g, [y, x], c) => [direction(x, kept(y, c)).mul(shareOf(kept(g, c), c))],
    jvp: ([t], [y, x], c) =>
      shareOf(direction(x, kept(y, c)).mul(t!).sum(c.params.dims, { keepdim: c.params.keepdim }), c),
  }),
});
const shareOf = (g: Tensor, c: Context<Reduced>): Tensor => {
  const { divisor = 1 } = c.params;
  return divisor === 1 ? g : g.div(divisor);
};

/** @internal `sqrt(sum(x^2))`, which neither overflows nor underflows on the way; the derivative is 0 at the zero vector. */
export const lengthOf: Reduction = (x, dim, options) =>
  rootMeanSquare(needTensor("norm", x), reduceArguments("norm", x.ndim, dim, options));

export interface VarianceOptions extends ReduceOptions {
  /** The divisor is n - correction; default 1 (Bessel's correction), as in PyTorch. */
  readonly correction?: number | undefined;
}

/** Calls f with x minus its mean, and with the dimensions to reduce and the divisor n - correction. */
function ofCentred(
  op: string,
  f: (centred: Tensor, p: Reduced) => Tensor,
  x: Tensor,
  dim?: DimOrOptions | VarianceOptions,
  options?: VarianceOptions,
): Tensor {
  needTensor(op, x);
  const inPlace = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given = checkOptions<VarianceOptions>(
    op,
    inPlace ? (dim as VarianceOptions) : options,
    ["dim", "correction"],
    ["keepdim"],
  );
  const named = inPlace || dim === undefined ? given.dim : (dim as number | readonly number[]);
  const { dims, keepdim } = reduceArguments(op, x.ndim, named === undefined ? undefined : named, {
    keepdim: given.keepdim,
  });
  const correction = needNumber(op, "the correction", given.correction ?? 1);
  const divisor = Math.max(countOf(x.shape, dims) - correction, 0);
  return roundedOnce([asFloat(x)], (values) =>
    f(values.sub(values.mean(dims, { keepdim: true })), { dims, keepdim, divisor }),
  );
}

/** A reduction with a divisor of n - correction. */
export type VarianceReduction = (x: Tensor, dim?: DimOrOptions | VarianceOptions, options?: VarianceOptions) => Tensor;

/**
 * The variance over `dim` (default all dimensions), with the divisor n - correction (default 1). The method is
 * `x.var()`.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 2 (x - mean) / (n - correction).
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example variance(tensor([1, 3])).item(); // 2
 */
export const variance: VarianceReduction = (x, dim, options) => ofCentred("var", meanSquare, x, dim, options);

/** @internal f, whose derivative is infinite at 0, with derivative 0 there. */
export function flatAtZero(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const zero = x.eq(0);
  return zero.where(0, f(zero.where(1, x)));
}

/**
 * The standard deviation, the square root of {@link variance}. It does not overflow where only squares or sums would.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient (x - mean) / ((n - correction) std), 0 where all elements are equal.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 3]).std({ correction: 0 }).item(); // 1
 */
export const std: VarianceReduction = (x, dim, options) => ofCentred("std", rootMeanSquare, x, dim, options);
