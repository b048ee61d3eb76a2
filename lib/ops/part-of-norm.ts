/** Norms that may not fit the dtype, for what is divided by them. */
import { named } from "../core/errors.js";
import type { Tensor } from "../tensor/tensor.js";
import { meanOf } from "./reduce.js";
import { countOf } from "./reduction.js";
import { flatAtZero, partOfLength } from "./variance.js";

/** A norm, with the reduced dimensions kept, as a part, which always fits the dtype, times a tensor or a number. */
export function partOfNorm(
  y: Tensor,
  p: number,
  dims: readonly number[],
): { readonly part: Tensor; readonly times: Tensor | number } {
  const keepdim = true;
  if (p === 2) return partOfLength(y, dims);
  const size = y.abs();
  if (p === 1) {
    const times = 2 ** Math.ceil(Math.log2(Math.max(countOf(y.shape, dims), 1)));
    return { part: meanOf(size, { dims, keepdim, divisor: times }), times };
  }
  if (p === Number.POSITIVE_INFINITY) return { part: named("norm", () => size.amax(dims, { keepdim })), times: 1 };
  if (p === Number.NEGATIVE_INFINITY) return { part: named("norm", () => size.amin(dims, { keepdim })), times: 1 };
  if (p === 0) return { part: size.ne(0).to(y.dtype).sum(dims, { keepdim }), times: 1 };
  const times = largestTerm(size.detach(), p, dims);
  const scaled = size.div(times);
  const power = p > 0 ? flatAtZero(scaled, (z) => z.pow(p)) : scaled.pow(p);
  const root = (sum: Tensor): Tensor => sum.pow(1 / p);
  const sum = power.sum(dims, { keepdim });
  return { part: p > 0 ? flatAtZero(sum, root) : root(sum), times };
}

/** The element whose power is largest; 1 where that is 0 or not finite. */
function largestTerm(size: Tensor, p: number, dims: readonly number[]): Tensor | number {
  if (countOf(size.shape, dims) === 0) return 1;
  const extreme = p > 0 ? size.amax(dims, { keepdim: true }) : size.amin(dims, { keepdim: true });
  return extreme.isfinite().logicalAnd(extreme.ne(0)).where(extreme, 1);
}
