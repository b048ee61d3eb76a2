/** Variances, means of squares, and roots of sums of squares. */
import { needNumber } from "../core/arguments.js";
import { checkOptions } from "../core/options.js";
import type { Shape } from "../core/shape.js";
import { perResult } from "../engine/cost.js";
import { needTensor } from "../engine/operand.js";
import { defineKernel } from "../engine/row.js";
import { type Context, general, type Rule } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import type { Tensor } from "../tensor/tensor.js";
import { scaledDiv } from "./hypot.js";
import { meanOf } from "./reduce.js";
import {
  areNeighbours,
  asFloat,
  countOf,
  type DimOrOptions,
  divisorOf,
  kept,
  mask,
  type Reduced,
  type ReduceOptions,
  type Reduction,
  reduceArguments,
  reduction,
  reductionRow,
  sameType,
} from "./reduction.js";

/** `x / part * scale` along the reduced dimensions, and 0 where the part is 0. */
function direction(x: Tensor, part: Tensor, scale: number): Tensor {
  const none = part.eq(0);
  return none.where(0, scaledDiv(x, none.where(1, part), scale));
}

/** @internal A power of 2 above the square root of n. */
export const above = (n: number): number => 2 ** Math.floor(Math.log2(Math.max(n, 1)) / 2 + 1);

/** @internal The mean of squares. */
export const meanSquare: Reduction = reduction("meanSquare", {
  flops: 2,
  accuracy: "tree",
  type: sameType,
  divisor: (x, p) => divisorOf(x.shape, p),
  rule: general(["x"], {
    vjp: (g, [x], c) => [x.mul(kept(g, c).mul(2 / divisorOf(x.shape, c.params)))],
    jvp: ([t], [x], c) => meanOf(x.mul(t!), c.params).mul(2),
  }),
});

/** A kernel of a gradient: by g, x and, of a root, the result. */
function backwardKernel(name: string, divisor: (shape: Shape, p: Reduced) => number = divisorOf) {
  const row = defineKernel<Reduced>({ name, family: "fused", accuracy: "tree", flops: perResult(4) });
  return ([g, x, ...others]: readonly [Tensor, Tensor, ...Tensor[]], { params }: Context<Reduced>) => {
    if (!areNeighbours(params.dims)) return null;
    const { type, shape } = x;
    const inputs = [g, x, ...others].map((one) => one.contiguous());
    const attrs = [mask(params.dims), divisor(shape, params)];
    return runKernel({ row, inputs, results: [{ type, shape }], attrs, params });
  };
}
const lengthBackward = backwardKernel("normBackward", (_, { divisor }) => divisor ?? 1);

/**
 * @internal `sqrt(sum(x^2) / divisor)`, which neither overflows nor underflows on the way; the divisor is 1 by default.
 * The derivative is 0 at the zero vector.
 */
export const lengthOf = reductionRow("norm", {
  flops: 2,
  accuracy: "tree",
  type: sameType,
  divisor: (_, { divisor }) => divisor ?? 1,
  rule: general(["out", "x"], {
    vjp: (g, [, x], c) => [unitVector(x, c.params).mul(kept(g, c))],
    fused: (g, [y, x], c) => lengthBackward([g, x, y], c),
    jvp: ([t], [, x], c) => unitVector(x, c.params).mul(t!).sum(c.params.dims, { keepdim: c.params.keepdim }),
  }),
});

/** @internal A length as a part, which always fits, times a number. */
export function partOfLength(x: Tensor, dims: readonly number[]): { readonly part: Tensor; readonly times: number } {
  const times = above(countOf(x.shape, dims));
  return { part: lengthOf(x, { dims, keepdim: true, divisor: times ** 2 }), times };
}

/** x / its length, divided by the root of the divisor. */
function unitVector(x: Tensor, { dims, divisor = 1 }: Reduced): Tensor {
  const { part, times } = partOfLength(x, dims);
  return direction(x, part, 1 / times / Math.sqrt(divisor));
}

/** @internal Half of x minus its mean, which does not overflow. */
export const halfCentred = (x: Tensor, dims: readonly number[]): Tensor =>
  x.mul(0.5).sub(x.mean(dims, { keepdim: true }).mul(0.5));

/** A variance or its root. */
const momentRow = (name: string, kernel: string, rule: Rule<Reduced>) =>
  reductionRow(name, {
    kernel,
    flops: 4,
    accuracy: "tree",
    type: sameType,
    divisor: (x, p) => divisorOf(x.shape, p),
    rule,
  });

const varianceBackward = backwardKernel("varBackward");
const deviationBackward = backwardKernel("stdBackward");

const varianceOf = momentRow(
  "variance",
  "var",
  general(["x"], {
    vjp: (g, [x], c) => [halfCentred(x, c.params.dims).mul(kept(g, c).mul(4 / divisorOf(x.shape, c.params)))],
    fused: (g, [x], c) => varianceBackward([g, x], c),
    jvp: ([t], [x], c) => meanOf(halfCentred(x, c.params.dims).mul(t!), c.params).mul(4),
  }),
);

const deviationOf = momentRow(
  "std",
  "std",
  general(["out", "x"], {
    vjp: (g, [, x], c) => [fromMean(x, c.params).mul(kept(g, c).div(divisorOf(x.shape, c.params)))],
    fused: (g, [y, x], c) => deviationBackward([g, x, y], c),
    jvp: ([t], [, x], c) => meanOf(fromMean(x, c.params).mul(t!), c.params),
  }),
);
/** x minus its mean, divided by the deviation. */
function fromMean(x: Tensor, p: Reduced): Tensor {
  const { dims } = p;
  const divisor = divisorOf(x.shape, p);
  const times = divisor > 0 ? above(countOf(x.shape, dims) / divisor) : 1;
  const part = deviationOf(x, { dims, keepdim: true, divisor: divisor * times ** 2 });
  return direction(halfCentred(x, dims), part, 2 / times);
}

export interface VarianceOptions extends ReduceOptions {
  /** The divisor is n - correction; default 1 (Bessel's correction), as in PyTorch. */
  readonly correction?: number | undefined;
}

/** Calls f with the dimensions to reduce and the divisor n - correction. */
function withDivisor(
  op: string,
  f: (x: Tensor, p: Reduced) => Tensor,
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
  const { dims, keepdim } = reduceArguments(op, x.ndim, named, { keepdim: given.keepdim });
  const correction = needNumber(op, "the correction", given.correction ?? 1);
  const divisor = Math.max(countOf(x.shape, dims) - correction, 0);
  return f(asFloat(x), { dims, keepdim, divisor });
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
export const variance: VarianceReduction = (x, dim, options) => withDivisor("var", varianceOf, x, dim, options);

/** @internal f, whose derivative is infinite at 0, with derivative 0 there. */
export function flatAtZero(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const zero = x.eq(0);
  return zero.where(0, f(zero.where(1, x)));
}

/**
 * The standard deviation, the square root of {@link variance}. It does not overflow where only
 * differences, squares or sums would.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient (x - mean) / ((n - correction) std), 0 where all elements are equal.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 3]).std({ correction: 0 }).item(); // 1
 */
export const std: VarianceReduction = (x, dim, options) => withDivisor("std", deviationOf, x, dim, options);
