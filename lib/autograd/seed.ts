/** The gradients that a backward starts from. */
import type { DTypeRow } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { own } from "../engine/saved.js";
import type { Node } from "../engine/tape.js";
import { recording } from "../native/door.js";
import { filled } from "../tensor/allocate.js";
import { outlive } from "../tensor/handle.js";
import { Tensor } from "../tensor/tensor.js";

const ones = new Map<DTypeRow, Tensor>();
/** The scalar 1, cached per dtype. It is marked as kept, so leaves copy it. */
function one(y: Tensor): Tensor {
  // While recording, the result has no elements, so it is not cached.
  if (recording()) return filled("backward", 1, y.type, []);
  let seed = ones.get(y.type);
  if (seed === undefined) {
    seed = filled("backward", 1, y.type, []);
    seed.handle.kept = true;
    outlive(seed.handle);
    ones.set(y.type, seed);
  }
  return seed;
}

/** A gradient that the user may write to or dispose of: no borrowed storage, and not the cached scalar 1. */
export function forUser(g: Tensor): Tensor {
  if (g.handle !== ones.get(g.type)?.handle) return own(g);
  return new Tensor(filled("backward", 1, g.type, []).handle, g.type, g.shape, g.layout, g.offset, null);
}

/** Ones in the shape of a one-element result; any other needs a gradient from the caller. */
export function seed(op: string, y: Tensor, gradient: Tensor | null | undefined): Tensor {
  if (gradient === null || gradient === undefined) {
    if (y.numel !== 1)
      fail(
        "ERR_GRADIENT",
        op,
        "the result has more than one element",
        "a one-element result, or a gradient of its shape",
        showShape(y.shape),
      );
    return y.ndim === 0 && (y.node as Node).hooks === null ? one(y) : filled(op, 1, y.type, y.shape);
  }
  if (!sameShape(gradient.shape, y.shape))
    fail(
      "ERR_SHAPE",
      op,
      "the gradient's shape differs from the result's",
      showShape(y.shape),
      showShape(gradient.shape),
    );
  if (gradient.type !== y.type)
    fail("ERR_DTYPE", op, "the gradient's dtype differs from the result's", y.dtype, gradient.dtype);
  // The caller owns this tensor: it is neither released here nor stored in a leaf.
  gradient.handle.kept = true;
  return gradient;
}
