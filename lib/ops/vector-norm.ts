/** The p-norm. */
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { needTensor } from "../engine/operand.js";
import { roundedOnce } from "../engine/wide.js";
import type { Tensor } from "../tensor/tensor.js";
import { asFloat, flatAtZero, type ReduceOptions, reduceArguments } from "./reduce.js";

export interface NormOptions extends ReduceOptions {
  /** The order p, any number, Infinity and -Infinity among them; 2 unless given. */
  readonly ord?: number | undefined;
}

/**
 * The p-norm of vectors: `sum(|x|^p)^(1/p)` over `dim` (all dimensions where it is left out); the largest |x| for Infinity,
 * the smallest for -Infinity, the number of nonzeros for 0. Integers and bool become the default float dtype.
 * @gradient sign(x) |x|^(p-1) / norm^(p-1), 0 at the zero vector; shared among equal largest elements.
 * @throws ERR_AXIS for a dim out of range or given twice; ERR_SHAPE for an infinite order over no element.
 * @example tensor([[3, 4], [0, 0]]).norm(1).toArray(); // [5, 0]
 */
export function norm(x: Tensor, dim?: number | readonly number[] | NormOptions, options?: NormOptions): Tensor {
  needTensor("norm", x);
  const inPlace = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given = checkOptions<NormOptions>("norm", inPlace ? (dim as NormOptions) : options, ["ord", "dim", "keepdim"]);
  const named = inPlace || dim === undefined ? given.dim : (dim as number | readonly number[]);
  const { dims, keepdim } = reduceArguments("norm", x.ndim, named, { keepdim: given.keepdim });
  const p = given.ord === undefined ? 2 : given.ord;
  if (typeof p !== "number" || Number.isNaN(p))
    fail("ERR_ARGUMENT", "norm", "the order is not valid", "a number", describe(p));
  return roundedOnce([asFloat(x)], (y) => normOf(y, p, dims, keepdim));
}

function normOf(y: Tensor, p: number, dims: readonly number[], keepdim: boolean): Tensor {
  if (p === 2) return flatAtZero(y.square().sum(dims, { keepdim }), (sum) => sum.sqrt());
  const size = y.abs();
  if (p === 1) return size.sum(dims, { keepdim });
  if (p === Number.POSITIVE_INFINITY) return size.amax(dims, { keepdim });
  if (p === Number.NEGATIVE_INFINITY) return size.amin(dims, { keepdim });
  if (p === 0) return size.ne(0).to(y.dtype).sum(dims, { keepdim });
  const power = p > 0 ? flatAtZero(size, (z) => z.pow(p)) : size.pow(p);
  const root = (sum: Tensor): Tensor => sum.pow(1 / p);
  const sum = power.sum(dims, { keepdim });
  return p > 0 ? flatAtZero(sum, root) : root(sum);
}
