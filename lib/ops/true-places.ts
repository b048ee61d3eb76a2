/** Positions where a mask is true. */
import { dtypes } from "../core/dtype.js";
import { numel, type Shape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { defineRow } from "../engine/row.js";
import type { Tensor } from "../tensor/tensor.js";

const row = defineRow<Shape>({
  name: "nonzero",
  family: "index",
  kernel: "nonzero",
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "none", reason: "the result is an index" },
  largest: ([mask], each) => ({ type: dtypes.int32, shape: [numel(mask!.shape), ...each] }),
  replay: ([mask], each) => truePlaces(mask as Tensor, each),
});

/**
 * @internal The coordinates of each true element, in row-major order: one int32 tensor of the given shape for each
 * dimension.
 */
export function truePlaces(mask: Tensor, each: Shape): Tensor {
  const dense = mask.detach().contiguous();
  const count = dense.sum().item();
  return apply(row, [dense], dense.type, dtypes.int32, [count, ...each], [], each);
}

/** @internal The row-major positions of true elements. */
export const placesOf = (mask: Tensor): Tensor => truePlaces(mask, []);
