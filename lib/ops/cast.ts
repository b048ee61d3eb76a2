import { type DType, dtypeRow } from "../core/dtype.js";
import { cast } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * x in another dtype; x itself where it has that dtype already. Floats go to integers towards zero and are held at the
 * ends of what the integer holds, NaN becomes 0; anything nonzero is true. Halves are rounded to nearest, ties to even.
 * @gradient the identity, cast back, between float dtypes.
 * @throws ERR_DTYPE for an unknown dtype.
 * @example tensor([1.7, -1.7]).to("int32").toArray(); // [1, -1]
 */
export function to(x: Tensor, dtype: DType): Tensor {
  needTensor("to", x);
  return cast(x, dtypeRow("to", dtype));
}
