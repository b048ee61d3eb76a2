/** What a call of a kernel costs, from dtypes and shapes alone. */
import type { DTypeRow } from "../core/dtype.js";
import { numel, type Shape } from "../core/shape.js";
import type { Family } from "./family.js";

/** A tensor without its elements. */
export interface TensorSpec {
  readonly type: DTypeRow;
  readonly shape: Shape;
}

/** One call of a kernel: everything but the elements. */
export interface KernelCall {
  readonly kernel: string;
  readonly family: Family;
  /** The numbers that the kernel gets besides its operands. */
  readonly attrs: readonly number[];
  readonly results: readonly TensorSpec[];
  /** Numbers among the inputs are null. */
  readonly inputs: readonly (TensorSpec | null)[];
  /** Whether the results are tensors that existed before. */
  readonly writes: boolean;
  readonly cost: Cost;
}

/**
 * `flops` counts floating-point operations: an addition, a multiplication, a comparison or a function of one element is
 * one, a multiply-add two. `bytesRead` and `bytesWritten` count each element once, however often a kernel meets it.
 */
export interface Cost {
  readonly flops: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** The floating-point operations of a call, for rows whose family does not say. */
export type Flops = (call: Omit<KernelCall, "cost">) => number;

/** Some operations for each element of the first result. */
export const perResult =
  (count: number): Flops =>
  ({ results }) =>
    count * numel(results[0]!.shape);

/** Some operations for each element of the first input. */
export const perInput =
  (count: number): Flops =>
  ({ inputs }) =>
    count * sizeOf(inputs[0]!);

const sizeOf = (x: TensorSpec | null): number => (x === null ? 1 : numel(x.shape));
const none: Flops = () => 0;

/** By family; null where each row has to say. */
export const familyFlops: { readonly [F in Family]: Flops | null } = {
  unary: perResult(1),
  binary: perResult(1),
  ternary: perResult(1),
  compare: perResult(1),
  reduce: perInput(1),
  movement: none,
  index: none,
  random: none,
  creation: none,
  matmul: null,
  linalg: null,
  fused: null,
  optimizer: null,
};
