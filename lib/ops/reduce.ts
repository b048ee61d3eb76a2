/**
 * Reductions. Sums are added in a fixed order (a tree), so results depend neither on threads nor on the instruction
 * set.
 */
import { refuse } from "../core/arguments.js";
import { type DTypeRow, dtypes } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { type Shape, sameShape, showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import { general, type Rule } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  accumulator,
  asFloat,
  divisorOf,
  everything,
  kept,
  type Reduced,
  type Reduction,
  reduceArguments,
  reduction,
  reductionRow,
  sameType,
} from "./reduction.js";

/**
 * The sum over `dim` (default all dimensions).
 * @shape that of x without the reduced dimensions (size 1 with `keepdim`). @dtype that of x; integers and bool give
 * int64.
 * @gradient the incoming gradient, expanded to the shape of x.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 2], [3, 4]]).sum(0).toArray(); // [4, 6]
 */
export const sum: Reduction = reduction("sum", {
  accuracy: "tree",
  type: accumulator,
  rule: { kind: "linear", transpose: (g, c) => kept(g, c).expand(c.inputShapes[0]!) },
});

// Distributes g evenly among the elements that equal the extremum.
const extremeRule: Rule<Reduced> = general(["out", "x"], {
  vjp: (g, [y, x], c) => {
    const hits = x.eq(kept(y, c)).to(g.dtype);
    return [hits.mul(kept(g, c).div(hits.sum(c.params.dims, { keepdim: true })))];
  },
  jvp: ([t], [y, x], c) => {
    const hits = x.eq(kept(y, c)).to(t!.dtype);
    return hits
      .mul(t!)
      .sum(c.params.dims, { keepdim: c.params.keepdim })
      .div(hits.sum(c.params.dims, { keepdim: c.params.keepdim }));
  },
});

/**
 * The largest element over `dim` (default all dimensions); NaN if the elements contain NaN.
 * @shape as {@link sum}. @dtype that of x.
 * @gradient the incoming gradient, divided evenly among equal largest elements.
 * @throws ERR_SHAPE over an empty dimension; ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 5], [7, 2]]).amax(1).toArray(); // [5, 7]
 */
export const amax: Reduction = reduction("amax", {
  accuracy: "exact",
  type: sameType,
  rule: extremeRule,
  needsElements: true,
});

/**
 * The smallest element over `dim` (default all dimensions); NaN if the elements contain NaN.
 * @shape as {@link sum}. @dtype that of x.
 * @gradient the incoming gradient, divided evenly among equal smallest elements.
 * @throws ERR_SHAPE over an empty dimension; ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 5], [7, 2]]).amin(1).toArray(); // [1, 2]
 */
export const amin: Reduction = reduction("amin", {
  accuracy: "exact",
  type: sameType,
  rule: extremeRule,
  needsElements: true,
});

const truth = (): DTypeRow => dtypes.bool;
const truthRule: Rule<Reduced> = { kind: "none", reason: "the result is a truth value" };
const allTrue = reduction("all", { accuracy: "exact", type: truth, rule: truthRule });
const anyTrue = reduction("any", { accuracy: "exact", type: truth, rule: truthRule });

/**
 * Whether all elements over `dim` (default all dimensions) are nonzero; true for an empty reduction.
 * @shape as {@link sum}. @dtype bool. @gradient none.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 0]).all().item(); // 0
 */
export const all: Reduction = (x, dim, options) => allTrue(needTensor("all", x).to("bool"), dim, options);

/**
 * Whether any element over `dim` (default all dimensions) is nonzero; false for an empty reduction.
 * @shape as {@link sum}. @dtype bool. @gradient none.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 0]).any().item(); // 1
 */
export const any: Reduction = (x, dim, options) => anyTrue(needTensor("any", x).to("bool"), dim, options);

export const meanOf = reductionRow("mean", {
  kernel: "sum",
  accuracy: "tree",
  type: sameType,
  divisor: (x, p) => divisorOf(x.shape, p),
  rule: {
    kind: "linear",
    transpose: (g, c) => {
      const shape = c.inputShapes[0]!;
      return kept(g.div(divisorOf(shape, c.params)), c).expand(shape);
    },
  },
});

/** @internal The sum of all elements, divided before it is rounded. */
export const sumOver = (x: Tensor, divisor: number): Tensor => meanOf(x, { ...everything(x.ndim), divisor });

/**
 * The arithmetic mean over `dim` (default all dimensions); NaN for an empty reduction. It does not overflow where only
 * the sum would.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient the incoming gradient / n, expanded to the shape of x.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 2, 6]).mean().item(); // 3
 */
export const mean: Reduction = (x, dim, options) =>
  meanOf(asFloat(needTensor("mean", x)), reduceArguments("mean", x.ndim, dim, options));

/**
 * x summed over dimensions so that it has the given shape, which broadcasts to that of x: the transpose of `expand`.
 * @dtype as {@link sum}. @gradient the incoming gradient, expanded to the shape of x.
 * @throws ERR_SHAPE if the shape does not broadcast to that of x.
 * @example ones([2, 3]).sumToSize([3]).toArray(); // [2, 2, 2]
 */
export function sumToSize(x: Tensor, shape: Shape): Tensor {
  needTensor("sumToSize", x);
  if (!Array.isArray(shape)) refuse("sumToSize", "the shape", "an array of sizes", shape);
  if (sameShape(x.shape, shape)) return x;
  const extra = x.ndim - shape.length;
  const dims: number[] = [];
  x.shape.forEach((size, i) => {
    const target = shape[i - extra];
    if (target === undefined || (target === 1 && size !== 1)) dims.push(i);
    else if (target !== size)
      fail("ERR_SHAPE", "sumToSize", "the shape does not broadcast", showShape(x.shape), describe(shape));
  });
  if (extra < 0) fail("ERR_SHAPE", "sumToSize", "the shape does not broadcast", showShape(x.shape), describe(shape));
  const out = dims.length === 0 ? x : x.sum(dims);
  return sameShape(out.shape, shape) ? out : out.reshape(shape);
}
