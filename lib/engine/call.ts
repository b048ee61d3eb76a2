import type { DTypeRow } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Operand, Row } from "./row.js";

/** The dtype and shape of a result, before the call has run. */
export interface Result {
  readonly type: DTypeRow;
  readonly shape: Shape;
}

/** What a kernel is given. */
export interface KernelCall<P> {
  readonly row: Row<P>;
  readonly inputs: readonly Operand[];
  /** The kernel's numeric attributes. */
  readonly attrs: readonly number[];
  readonly params?: P;
  /** The new results. */
  readonly results?: readonly Result[];
  /** In place of new results: existing tensors that are written to. */
  readonly targets?: readonly Tensor[];
  /** The op that errors name; default: the row's name. */
  readonly op?: string;
}

/** One kernel call or view, as an interceptor sees it: what really runs, after conversion of half precision. */
export interface Call {
  readonly row: Row;
  readonly inputs: readonly Operand[];
  readonly params: unknown;
  readonly attrs: readonly number[];
  /** The results; for a call that writes, its targets. */
  readonly results: readonly Result[];
  /** Existing tensors that are written to; empty if the results are new. */
  readonly targets: readonly Tensor[];
  /** The dtype of number operands. */
  readonly scalar: DTypeRow;
  /** Runs the call without interception and returns its results, or its targets if it writes. */
  run(): readonly Tensor[];
}

/** Runs a call in place of the engine, and returns its results. */
export type Interceptor = (call: Call) => readonly Tensor[];
