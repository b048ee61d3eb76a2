/** Ops that pick and place elements by index. */
import { named } from "../core/errors.js";
import type { Tensor } from "../tensor/tensor.js";
import { addAt, pick, place, select } from "./index-rows.js";

/**
 * The slices of x at the given indices of one dimension, in the order of the indices; negative ones count from the end.
 * @shape the index has rank 1; gives the shape of x with the index's length in dimension `dim`. @dtype that of x.
 * @gradient the incoming gradient, accumulated at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless the index is an integer tensor.
 * @example tensor([5, 6, 7]).indexSelect(0, tensor([2, 0], { dtype: "int32" })).toArray(); // [7, 5]
 */
export const indexSelect = (x: Tensor, dim: number, index: Tensor): Tensor => select(x, dim, index, true);

/**
 * x plus the slices of `source`, added at the given indices; repeated indices accumulate in order.
 * @shape that of x; source has the index's length in dimension `dim` and x's sizes elsewhere. @dtype that of x.
 * @gradient the incoming gradient for x, and its slices at the indices for source.
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if source does not fit; ERR_DTYPE if x's integer dtype does
 * not hold its elements.
 * @example zeros([2]).indexAdd(0, tensor([1, 1], { dtype: "int32" }), tensor([3, 4])).toArray(); // [0, 7]
 */
export const indexAdd = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  addAt(x, dim, index, source, true);

/**
 * `out[i][j] = x[index[i][j]][j]` for dim 0, and correspondingly for other dimensions. Negative indices count from the
 * end.
 * @shape that of the index. @dtype that of x.
 * @gradient the incoming gradient, accumulated at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if the index does not fit; ERR_DTYPE unless the index is an
 * integer tensor.
 * @example tensor([[1, 2], [3, 4]]).gather(1, tensor([[1], [0]], { dtype: "int32" })).toArray(); // [[2], [3]]
 */
export const gather = (x: Tensor, dim: number, index: Tensor): Tensor => pick(x, dim, index, true);

/**
 * A copy of x with `x[index[i][j]][j] = source[i][j]` for dim 0, and correspondingly for other dimensions. Where
 * indices repeat, the last value is kept; negative ones count from the end.
 * @shape that of x; source has the shape of the index. @dtype that of x.
 * @gradient for x the incoming gradient, 0 where it was overwritten; for source its elements at the indices (exact
 * unless indices repeat).
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if index or source do not fit; ERR_DTYPE if x's integer dtype
 * does not hold the source's elements.
 * @example zeros([3]).scatter(0, tensor([2], { dtype: "int32" }), tensor([9])).toArray(); // [0, 0, 9]
 */
export const scatter = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  place(x, index, source, { dim, fromEnd: true, add: false });

/**
 * As {@link scatter}, but the values are added to x; repeated indices accumulate in order.
 * @shape that of x; source has the shape of the index. @dtype that of x.
 * @gradient the incoming gradient for x, and its elements at the indices for source.
 * @throws as {@link scatter}.
 * @example ones([3]).scatterAdd(0, tensor([2, 2], { dtype: "int32" }), tensor([1, 1])).toArray(); // [1, 1, 3]
 */
export const scatterAdd = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  named("scatterAdd", () => place(x, index, source, { dim, fromEnd: true, add: true }));
