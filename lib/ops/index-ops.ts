/** Ops that pick and place elements by index. */
import { named } from "../core/errors.js";
import type { Tensor } from "../tensor/tensor.js";
import { addAt, pick, place, select } from "./index-rows.js";

/**
 * The elements at the given indices of one dimension (negative: from the end), in their order.
 * @shape x with dimension `dim` of the index's length.
 * @gradient added up at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless the index is an integer tensor.
 * @example tensor([5, 6, 7]).indexSelect(0, tensor([2, 0], { dtype: "int32" })).toArray(); // [7, 5]
 */
export const indexSelect = (x: Tensor, dim: number, index: Tensor): Tensor => select(x, dim, index, true);

/**
 * x plus the slices of `source` at the given indices; repeated indices accumulate in order.
 * @shape that of x; source has the index's length in dimension `dim` and x's sizes elsewhere.
 * @gradient the incoming gradient for x, and its slices at the indices for source.
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if source does not fit; ERR_DTYPE if x's integer dtype does
 * not hold its elements.
 * @example zeros([2]).indexAdd(0, tensor([1, 1], { dtype: "int32" }), tensor([3, 4])).toArray(); // [0, 7]
 */
export const indexAdd = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  addAt(x, dim, index, source, true);

/**
 * `out[i][j] = x[index[i][j]][j]` for dim 0, and so on for the other dimensions.
 * @shape that of the index.
 * @gradient added up at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if the index does not fit.
 * @example tensor([[1, 2], [3, 4]]).gather(1, tensor([[1], [0]], { dtype: "int32" })).toArray(); // [[2], [3]]
 */
export const gather = (x: Tensor, dim: number, index: Tensor): Tensor => pick(x, dim, index, true);

/**
 * x with `x[index[i][j]][j] = source[i][j]` for dim 0, and so on; where indices repeat, the last one is kept.
 * @gradient for x the incoming gradient, 0 where it was overwritten; for source its elements at the indices (exact
 * unless indices repeat).
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if index or source do not fit; ERR_DTYPE if x's integer dtype
 * does not hold the source's elements.
 * @example zeros([3]).scatter(0, tensor([2], { dtype: "int32" }), tensor([9])).toArray(); // [0, 0, 9]
 */
export const scatter = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  place(x, index, source, { dim, fromEnd: true, add: false });

/**
 * As {@link scatter}, but adds to x; repeated indices accumulate in order.
 * @gradient the incoming gradient, and its elements at the indices for source.
 * @example ones([3]).scatterAdd(0, tensor([2, 2], { dtype: "int32" }), tensor([1, 1])).toArray(); // [1, 1, 3]
 */
export const scatterAdd = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  named("scatterAdd", () => place(x, index, source, { dim, fromEnd: true, add: true }));
