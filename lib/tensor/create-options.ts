/** What functions that create tensors share. */
import type { DType } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import type { Tensor } from "./tensor.js";

export interface CreateOptions {
  /** The dtype of the result; the default depends on the function. */
  readonly dtype?: DType | undefined;
  /** Whether the tensor is a leaf that requires grad; default false. */
  readonly requiresGrad?: boolean | undefined;
}

/** Applies the option `requiresGrad`. */
export function finish(op: string, x: Tensor, requiresGrad: boolean | undefined): Tensor {
  if (requiresGrad !== true) return x;
  if (x.type.kind !== "float")
    fail("ERR_GRADIENT", op, "only float tensors can require grad", "a float dtype", x.dtype);
  x.requiresGrad = true;
  return x;
}
