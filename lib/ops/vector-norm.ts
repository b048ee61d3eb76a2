/** The p-norm. */
import { needNumber } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";
import { partOfNorm } from "./part-of-norm.js";
import { asFloat, type Reduced, type ReduceOptions, reduceArguments, reducedShape } from "./reduction.js";
import { lengthOf } from "./variance.js";

export interface NormOptions extends ReduceOptions {
  /** The order p: any number, Infinity or -Infinity; default 2. */
  readonly ord?: number | undefined;
}

/** `norm(x)`, `norm(x, { ... })`, `norm(x, [0, 1])`; a single dim only together with `ord`. */
export type NormArguments =
  | [options?: NormOptions]
  | [dim: readonly number[] | undefined, options?: NormOptions]
  | [dim: number | readonly number[] | undefined, options: NormOptions & { readonly ord: number }];

/**
 * The p-norm: `sum(|x|^p)^(1/p)` over `dim` (default all dimensions); the largest |x| for p = Infinity, the smallest
 * for -Infinity, the number of nonzero elements for 0.
 * @param args options; or an array of dims, and options; or one dim, and options with `ord`. A number alone is an
 * error, because PyTorch reads it as the order and other reductions here as the dim.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient sign(x) |x|^(p-1) / norm^(p-1), and 0 at the zero vector; for an infinite order divided evenly among equal
 * extremes; none for order 0.
 * @throws ERR_AXIS for a dim out of range or given twice; ERR_SHAPE for an infinite order over an empty dimension;
 * ERR_ARGUMENT for a number without `ord`.
 * @example tensor([[3, 4], [0, 0]]).norm([1]).toArray(); // [5, 0]
 */
export function norm(x: Tensor, ...args: NormArguments): Tensor {
  needTensor("norm", x);
  const [dim, options] = args;
  const inPlace = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given = checkOptions<NormOptions>(
    "norm",
    inPlace ? (dim as NormOptions) : options,
    ["ord", "dim"],
    ["keepdim"],
  );
  if (typeof dim === "number" && given.ord === undefined)
    fail(
      "ERR_ARGUMENT",
      "norm",
      "a number alone may be the order or the dim",
      `norm({ ord: ${dim} }) or norm({ dim: ${dim} })`,
      `norm(${dim})`,
    );
  const over = inPlace || dim === undefined ? given.dim : (dim as number | readonly number[]);
  const { dims, keepdim } = reduceArguments("norm", x.ndim, over, { keepdim: given.keepdim });
  const p = given.ord === undefined ? 2 : given.ord;
  needNumber("norm", "the order", p);
  return roundedOnce([asFloat(x)], (y) => normOf(y, p, { dims, keepdim }), { once: p === 2 });
}

function normOf(y: Tensor, p: number, reduced: Reduced): Tensor {
  if (p === 2) return lengthOf(y, reduced);
  if (p === 1) return y.abs().sum(reduced.dims, { keepdim: reduced.keepdim });
  const { part, times } = partOfNorm(y, p, reduced.dims);
  const whole = typeof times === "number" ? part : part.mul(times);
  return reduced.keepdim ? whole : whole.reshape(reducedShape(y.shape, reduced));
}
