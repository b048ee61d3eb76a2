import type { DTypeRow } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Operand, Row } from "./row.js";

/** What is known of a result before the call has run. */
export interface Result {
  readonly type: DTypeRow;
  readonly shape: Shape;
}

/** One call of a kernel, or one view, as an interceptor sees it: what really runs, halves converted and parts apart. */
export interface Call {
  readonly row: Row;
  readonly inputs: readonly Operand[];
  readonly params: never;
  /** The numbers that the kernel is given besides. */
  readonly attrs: readonly number[];
  /** The results; for a call that writes, what is written to. */
  readonly results: readonly Result[];
  /** The tensors that exist and are written to; empty where the results are new. */
  readonly targets: readonly Tensor[];
  /** The dtype that numbers among the inputs take. */
  readonly scalar: DTypeRow;
  /** Runs the call, unseen, and gives its results; of one that writes the targets. */
  run(): readonly Tensor[];
}

/** Takes a call in place of the engine, and gives its results. */
export type Interceptor = (call: Call) => readonly Tensor[];
