/** Composed ops on half-precision inputs: their parts compute in float32, and the result is rounded once. */
import { type DTypeRow, promote } from "../core/dtype.js";
import type { Tensor } from "../tensor/tensor.js";
import { cast } from "./apply.js";
import { isBatched } from "./batched.js";
import { mode, unrounded } from "./modes.js";

interface Use {
  /** Whether `f` uses each input once, so that a gradient is rounded once without a float32 copy of the input. */
  readonly once?: boolean;
}

/**
 * Computes `f` without rounding: in float32 if an input is half precision. Kernels convert half-precision inputs tile
 * by tile where they can. Where a graph is recorded, and inside vmap, `f` gets float32 copies, so that gradients
 * accumulate in float32 too.
 */
export function inFloat32(
  inputs: readonly Tensor[],
  f: (...inputs: readonly Tensor[]) => Tensor,
  { once = false }: Use = {},
): Tensor {
  if (!inputs.some((x) => x.type.half)) return f(...inputs);
  const recorded = mode.grad && inputs.some((x) => x.node !== null);
  if (!isBatched(inputs) && (once || !recorded)) return unrounded(() => f(...inputs));
  return f(...inputs.map((x) => cast(x, x.type.half ? x.type.compute : x.type)));
}

/** The same, rounded to the promoted dtype of the inputs; inside another such op, that one rounds. */
export function roundedOnce(inputs: readonly Tensor[], f: (...inputs: readonly Tensor[]) => Tensor, use?: Use): Tensor {
  const y = inFloat32(inputs, f, use);
  return mode.keepFloat32 || !inputs.some((x) => x.type.half) ? y : cast(y, meeting(inputs));
}

/** The promoted dtype of tensors. */
export const meeting = (tensors: readonly Tensor[]): DTypeRow => tensors.map((x) => x.type).reduce(promote);
