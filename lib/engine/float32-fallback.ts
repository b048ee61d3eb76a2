/** Ops made of others, on halves: their parts compute in float32, and their results are rounded once. */
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
 * `f` of the inputs, not rounded: float32 where one of them is of a half dtype. Kernels read halves tile by tile where they
 * can. Where a graph is recorded, and inside vmap, `f` is given float32 copies, so that gradients too are added up in float32.
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

/** The same, halves rounded to the dtype in which the inputs meet; inside another such op that one rounds. */
export function roundedOnce(inputs: readonly Tensor[], f: (...inputs: readonly Tensor[]) => Tensor, use?: Use): Tensor {
  const y = inFloat32(inputs, f, use);
  return mode.keepFloat32 || !inputs.some((x) => x.type.half) ? y : cast(y, meeting(inputs));
}

/** The dtype in which tensors meet. */
export const meeting = (tensors: readonly Tensor[]): DTypeRow => tensors.map((x) => x.type).reduce(promote);
