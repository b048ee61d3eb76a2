import type { DTypeRow } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Operand, Row } from "./row.js";

/** An op on its way to the engine, as an interceptor sees it. */
export interface Call {
  readonly row: Row;
  readonly inputs: readonly Operand[];
  readonly params: never;
  /** Dtype and shape of the result, and the dtype that numbers among the inputs take. */
  readonly type: DTypeRow;
  readonly shape: Shape;
  readonly scalar: DTypeRow;
  /** The call on halves as calls of their own, still intercepted: conversions, and the op in float32. Null elsewhere. */
  readonly inFloat32: (() => Tensor) | null;
  /** Goes on as if nobody had intercepted. */
  run(): Tensor;
}
