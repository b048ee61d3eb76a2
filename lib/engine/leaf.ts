import { fail } from "../core/errors.js";
import { leafHook } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { LeafNode } from "./tape.js";

/** Makes a tensor one that gradients arrive at. */
export function makeLeaf(x: Tensor): Tensor {
  if (x.type.kind !== "float") fail("ERR_GRADIENT", "requiresGrad", "only float tensors can require grad", "float32 or float64", x.dtype);
  if (x.node === null) x.node = new LeafNode(x);
  return x;
}
leafHook.make = makeLeaf;
