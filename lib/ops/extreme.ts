/** `max` and `min`: a tensor for all elements; values and indices along a dimension. */
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { axis } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";

export interface ExtremeOptions {
  /** Whether the dimension is kept with size 1; default false. */
  readonly keepdim?: boolean | undefined;
}
/** The extreme values along a dimension, and where they are (int32, the lowest index among equals). */
export interface Extreme {
  /** The extreme values. */
  readonly values: Tensor;
  /** Their indices along the dimension (int32). */
  readonly indices: Tensor;
}

function extreme(op: "max" | "min", x: Tensor, dim: unknown, options: ExtremeOptions | undefined): Tensor | Extreme {
  needTensor(op, x);
  if (dim === undefined) return named(op, () => (op === "max" ? x.amax() : x.amin()));
  if (typeof dim !== "number")
    fail("ERR_ARGUMENT", op, "dim must be an integer", `a dim, or ${op}imum(a, b) for two tensors`, "another value");
  const { keepdim = false } = checkOptions<ExtremeOptions>(op, options, [], ["keepdim"]);
  const at = axis(op, dim, x.ndim);
  const indices = named(op, () => (op === "max" ? x.argmax(at, { keepdim: true }) : x.argmin(at, { keepdim: true })));
  const values = x.ndim === 0 ? x.clone() : x.gather(at, indices);
  return keepdim || x.ndim === 0 ? { values, indices } : { values: values.squeeze(at), indices: indices.squeeze(at) };
}

/**
 * The largest element, or with `dim` the largest along it and their indices; NaN counts as largest.
 * @shape without `dim` []; with it both that of x without the dimension (size 1 with `keepdim`).
 * @gradient without `dim` as {@link amax}; with `dim`, the incoming gradient at the index.
 * @throws ERR_SHAPE over an empty dimension; ERR_ARGUMENT for a second tensor: use {@link maximum}.
 * @example max(tensor([[1, 5], [7, 2]]), 1).values.toArray(); // [5, 7]
 */
export function max(x: Tensor): Tensor;
export function max(x: Tensor, dim: number, options?: ExtremeOptions): Extreme;
export function max(x: Tensor, dim?: number, options?: ExtremeOptions): Tensor | Extreme {
  return extreme("max", x, dim, options);
}

/**
 * The smallest element, or with `dim` the smallest along it and their indices; NaN counts as smallest.
 * @shape without `dim` []; with it both that of x without the dimension (size 1 with `keepdim`).
 * @gradient without `dim` as {@link amin}; with `dim`, the incoming gradient at the index.
 * @throws ERR_SHAPE over an empty dimension; ERR_ARGUMENT for a second tensor: use {@link minimum}.
 * @example min(tensor([[1, 5], [7, 2]]), 1).indices.toArray(); // [0, 1]
 */
export function min(x: Tensor): Tensor;
export function min(x: Tensor, dim: number, options?: ExtremeOptions): Extreme;
export function min(x: Tensor, dim?: number, options?: ExtremeOptions): Tensor | Extreme {
  return extreme("min", x, dim, options);
}
