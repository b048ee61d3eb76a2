/** Median and quantiles. */
import { needChoice, needShare, refuse } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { checkOptions, keysOf } from "../core/options.js";
import { axis, showShape } from "../core/shape.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { tensor } from "../tensor/from-data.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import type { Extreme, ExtremeOptions } from "./extreme.js";

/**
 * The median: the middle element (the lower of two), or with `dim` the medians along it and their indices; NaN if x
 * contains NaN.
 * @shape without `dim` []; with it both that of x without the dimension (size 1 with `keepdim`).
 * @gradient the incoming gradient at the chosen element, zeros elsewhere.
 * @throws ERR_SHAPE over an empty dimension; ERR_AXIS for a dim out of range.
 * @example median(tensor([5, 1, 3])).item(); // 3
 */
export function median(x: Tensor): Tensor;
export function median(x: Tensor, dim: number, options?: ExtremeOptions): Extreme;
export function median(x: Tensor, dim?: number, options?: ExtremeOptions): Tensor | Extreme {
  needTensor("median", x);
  if (dim === undefined) return median(x.reshape([-1]), 0).values;
  const at = axis("median", dim, x.ndim);
  const { keepdim = false } = checkOptions<ExtremeOptions>("median", options, [], ["keepdim"]);
  const y = x.ndim === 0 ? x.reshape([1]) : x;
  const size = y.shape[at]!;
  if (size === 0) fail("ERR_SHAPE", "median", "nothing to reduce", "a dimension with elements", showShape(x.shape));
  const middle = Math.floor((size - 1) / 2);
  const ordered = y.topk(middle + 1, at, { largest: false }).indices.narrow(at, middle, 1);
  const indices = y
    .isnan()
    .any(at, { keepdim: true })
    .where(y.argmax(at, { keepdim: true }), ordered);
  const values = y.gather(at, indices);
  return keepdim && x.ndim > 0 ? { values, indices } : { values: values.squeeze(at), indices: indices.squeeze(at) };
}

export type Interpolation = "linear" | "lower" | "higher" | "nearest" | "midpoint";
export interface QuantileOptions {
  /** The dimension; without it, the quantile of all elements. */
  readonly dim?: number | undefined;
  /** Whether the dimension is kept with size 1; default false. */
  readonly keepdim?: boolean | undefined;
  /** How to compute a quantile that lies between two elements; default "linear". */
  readonly interpolation?: Interpolation | undefined;
}

/** The weight of the upper element at a fraction of the way from the lower one. */
const weights: Readonly<Record<Interpolation, (fraction: number, lower: number) => number>> = {
  linear: (fraction) => fraction,
  lower: () => 0,
  higher: (fraction) => Math.ceil(fraction),
  // Ties round to the even position.
  nearest: (fraction, lower) => (fraction === 0.5 ? lower % 2 : Math.round(fraction)),
  midpoint: (fraction) => Math.ceil(fraction) / 2,
};

/**
 * The q-quantile along a dimension or of all elements; NaN if these contain NaN. If q is an array or a tensor of rank
 * 1, the results are stacked along a new first dimension. A tensor q is read back into JavaScript.
 * @gradient the incoming gradient, at the one or two elements that the quantile is interpolated from.
 * @throws ERR_ARGUMENT unless 0 <= q <= 1; ERR_DTYPE for an integer tensor; ERR_SHAPE for an empty dimension.
 * @example tensor([1, 2, 3, 4]).quantile(0.5).item(); // 2.5
 */
export function quantile(
  x: Tensor,
  q: number | readonly number[] | Tensor,
  dim?: number | QuantileOptions,
  options?: QuantileOptions,
): Tensor {
  const op = "quantile";
  needFloat(op, needTensor(op, x));
  const inPlace = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given = checkOptions<QuantileOptions>(op, inPlace ? dim : options, ["dim", "interpolation"], ["keepdim"]);
  const { keepdim = false, interpolation = "linear" } = given;
  needChoice(op, "interpolation", interpolation, keysOf(weights));
  const named = inPlace || dim === undefined ? given.dim : dim;
  const at = named === undefined ? 0 : axis(op, named, x.ndim);
  const single = typeof q === "number" || (isTensor(q) && q.ndim === 0);
  const list: readonly unknown[] = typeof q === "number" ? [q] : isTensor(q) ? Array.from(q.toTypedArray(), Number) : q;
  if (!Array.isArray(list) || (isTensor(q) && q.ndim > 1)) refuse(op, "q", "a number or a list of them", q);
  for (const share of list) needShare(op, "q", share);
  const y = named === undefined || x.ndim === 0 ? x.reshape([-1]) : x;
  const size = y.shape[at]!;
  if (size === 0) fail("ERR_SHAPE", op, "nothing to reduce", "a dimension with elements", showShape(x.shape));
  const ordered = y.sort(at).values.movedim(at, 0);
  const positions = (list as number[]).map((share) => share * (size - 1));
  const lower = positions.map(Math.floor);
  const rows = (places: number[]): Tensor => ordered.indexSelect(0, tensor(Int32Array.from(places)));
  const weight = tensor(
    positions.map((position, i) => weights[interpolation](position - lower[i]!, lower[i]!)),
    { dtype: x.type.compute.name, shape: [lower.length, ...ordered.shape.slice(1).fill(1)] },
  );
  const below = rows(lower);
  const above = rows(positions.map(Math.ceil));
  // An exact position takes nothing of its neighbor, which may be infinite, and equal infinities have difference 0.
  const whole = weight.eq(0).logicalOr(below.isinf().logicalAnd(below.eq(above)));
  const between = roundedOnce([below, above], (low, high) =>
    whole.where(low, weight.eq(1).where(high, low.lerp(high, weight))),
  );
  const nan = y.isnan().any(at, { keepdim: true }).movedim(at, 0);
  const values = nan.where(Number.NaN, between);
  const kept = x.shape.map((size, d) => (named === undefined || d === at ? 1 : size));
  const rest = keepdim ? kept : named === undefined ? [] : x.shape.filter((_, d) => d !== at);
  return values.reshape(single ? rest : [list.length, ...rest]);
}
