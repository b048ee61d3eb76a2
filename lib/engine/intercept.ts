import type { DTypeRow } from "../core/dtype.js";
import type { Tensor } from "../tensor/tensor.js";
import type { KernelCall } from "./call.js";
import { intercepting, mode } from "./modes.js";

const none: readonly never[] = [];

/** Passes a call to the interceptor; what `run` does is not intercepted again. `scalar` is the dtype of number operands. */
export function intercepted<P>(
  { row, inputs, attrs, params, targets = none, results = targets }: KernelCall<P>,
  scalar: DTypeRow,
  run: () => readonly Tensor[],
): readonly Tensor[] {
  return mode.intercept!({
    row,
    inputs,
    attrs,
    params,
    results,
    targets,
    scalar,
    run: () => intercepting(null, run),
  });
}
