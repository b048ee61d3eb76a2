/** The cost of a kernel call, computed from dtypes and shapes alone. */
import type { DTypeRow } from "../core/dtype.js";
import { numel, type Shape } from "../core/shape.js";
import type { Family } from "./family.js";

/** The dtype and shape of a tensor. */
export interface TensorSpec {
  readonly type: DTypeRow;
  readonly shape: Shape;
}

/** A kernel call that was recorded instead of being run. */
export interface RecordedCall {
  readonly kernel: string;
  /** The kernel's numeric attributes. */
  readonly attrs: readonly number[];
  readonly results: readonly TensorSpec[];
  /** The inputs; null for number operands. */
  readonly inputs: readonly (TensorSpec | null)[];
  /** Whether the results are existing tensors that are written to. */
  readonly writes: boolean;
  readonly cost: Cost;
}

/**
 * `flops` counts floating-point operations: an addition, multiplication, comparison or function of one element counts
 * 1, a multiply-add 2, a copy or conversion 0. `bytesRead` and `bytesWritten` count each element once, however often a
 * kernel accesses it; an operand that is given twice is read once.
 */
export interface Cost {
  readonly flops: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** The floating-point operations of a call, for rows whose family does not determine them. */
export type Flops = (call: Omit<RecordedCall, "cost">) => number;

/** The given number of operations for each element of the first result. */
export const perResult =
  (count: number): Flops =>
  ({ results }) =>
    count * numel(results[0]!.shape);

/** The given number of operations for each element of the first input. */
export const perInput =
  (count: number): Flops =>
  ({ inputs }) =>
    count * sizeOf(inputs[0]!);

const sizeOf = (x: TensorSpec | null): number => (x === null ? 1 : numel(x.shape));
/** For kernels that copy, convert or draw elements. */
export const noFlops: Flops = () => 0;

/** By family; null if each row must define it. */
export const familyFlops: { readonly [F in Family]: Flops | null } = {
  unary: perResult(1),
  binary: perResult(1),
  ternary: perResult(1),
  compare: perResult(1),
  reduce: perInput(1),
  movement: noFlops,
  index: noFlops,
  random: noFlops,
  creation: noFlops,
  matmul: null,
  linalg: null,
  fused: null,
  optimizer: null,
};
