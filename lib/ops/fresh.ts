import { unwrapBatched } from "../engine/batched.js";
import type { Tensor } from "../tensor/tensor.js";

/** @internal The result of an op that must copy: cloned if it shares x's storage. */
export const fresh = (out: Tensor, x: Tensor): Tensor =>
  unwrapBatched(out).handle === unwrapBatched(x).handle ? out.clone() : out;
