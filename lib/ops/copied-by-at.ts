import type { Tensor } from "../tensor/tensor.js";

/** @internal Tensors that `at` copied for a list or mask, and views of them by `at`: `assign` on one would be lost. */
export const copiedByAt = new WeakSet<Tensor>();
