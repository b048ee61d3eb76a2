import type { Tensor } from "../tensor/tensor.js";

/**
 * @internal Tensors that `at` copied for a list or mask, and views of them: `assign` on one would not reach the
 * original.
 */
export const copiedByAt = new WeakSet<Tensor>();
