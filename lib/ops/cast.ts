import { type DType, dtypeRow } from "../core/dtype.js";
import { apply } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import type { Tensor } from "../tensor/tensor.js";

const row = defineRow<DType>({
  name: "to",
  family: "unary",
  kernel: "identity",
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "linear", transpose: (g, c) => g.to(c.inputTypes[0]!.name) },
  replay: ([x], dtype) => to(x as Tensor, dtype),
});

/**
 * x in another dtype; x itself where it has that dtype already. Floats go to integers towards zero and are held at the
 * ends of what the integer holds, NaN becomes 0; anything nonzero is true.
 * @gradient the identity, cast back, between float dtypes.
 * @throws ERR_DTYPE for an unknown dtype.
 * @example tensor([1.7, -1.7]).to("int32").toArray(); // [1, -1]
 */
export function to(x: Tensor, dtype: DType): Tensor {
  needTensor("to", x);
  const type = dtypeRow("to", dtype);
  return type === x.type ? x : apply(row, [x], type, type, x.shape, type.attrs, dtype);
}
