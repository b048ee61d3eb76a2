import { fail } from "../core/errors.js";
import { leaves, type Tensor } from "../tensor/tensor.js";
import { LeafNode } from "./tape.js";

leaves.make = (x: Tensor): LeafNode => {
  if (x.type.kind !== "float")
    fail("ERR_GRADIENT", "requiresGrad", "only float tensors can require grad", "a float dtype", x.dtype);
  return new LeafNode(x);
};

/** Makes a tensor one that accumulates a gradient. */
export function makeLeaf(x: Tensor): Tensor {
  x.requiresGrad = true;
  return x;
}
