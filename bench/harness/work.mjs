// What a call has to do: floating-point operations and bytes, as nabla counts them from dtypes and shapes, without running it.
import "nabla";
import { costOf, dryRun, dtypes, placeholder } from "../../dist/internal.js";

/** The cost of the kernels that f runs on tensors of these shapes. */
export function workOf(shapes, f, dtype = "float32") {
  const { calls } = dryRun(() => f(...shapes.map((shape) => placeholder(dtypes[dtype], shape))));
  return costOf(calls);
}

/** The same for the last kernel alone. */
export function workOfLast(shapes, f) {
  const { calls } = dryRun(() => f(...shapes.map((shape) => placeholder(dtypes.float32, shape))));
  return calls.at(-1).cost;
}
