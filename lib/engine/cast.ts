import type { DType } from "../core/dtype.js";
import type { Tensor } from "../tensor/tensor.js";
import { noFlops } from "./cost.js";
import { defineRow, type Row } from "./row.js";

/** The row of `to`, which the engine also uses to convert half precision. */
export const castRow: Row<DType> = defineRow<DType>({
  name: "to",
  family: "unary",
  kernel: "identity",
  inputs: 1,
  accuracy: "exact",
  moves: true,
  flops: noFlops,
  rule: { kind: "linear", transpose: (g, c) => g.to(c.inputTypes[0]!.name) },
  replay: ([x], dtype) => (x as Tensor).to(dtype),
});
