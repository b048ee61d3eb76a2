import { type DType, dtypeRow } from "../core/dtype.js";
import { cast } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * x converted to another dtype; x itself if it has that dtype. Floats are truncated towards zero and clamped to the
 * integer dtype's range, NaN becomes 0. As bool, everything nonzero is true. Half precision is rounded to nearest, ties
 * to even.
 * @shape that of x.
 * @gradient between float dtypes the incoming gradient, converted back; otherwise none.
 * @throws ERR_DTYPE for an unknown dtype.
 * @example tensor([1.7, -1.7]).to("int32").toArray(); // [1, -1]
 */
export function to(x: Tensor, dtype: DType): Tensor {
  needTensor("to", x);
  return cast(x, dtypeRow("to", dtype));
}
