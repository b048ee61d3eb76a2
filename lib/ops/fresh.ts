import { unwrapBatched } from "../engine/batched.js";
import type { Tensor } from "../tensor/tensor.js";

/** @internal The result of an op that copies: itself, or a copy where it came to lie in the storage of x. */
export const fresh = (out: Tensor, x: Tensor): Tensor =>
  unwrapBatched(out).handle === unwrapBatched(x).handle ? out.clone() : out;
