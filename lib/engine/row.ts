import { opcode } from "../native/frame.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Operand, type Rule, saveMasks } from "./rule.js";

/** How closely a float32 result follows the exact one, in units in the last place; "exact" is 0, sums say "tree". */
export type Accuracy = number | "tree" | "exact";

export type { Operand };

export type Family =
  | "unary"
  | "binary"
  | "ternary"
  | "compare"
  | "reduce"
  | "movement"
  | "index"
  | "matmul"
  | "linalg"
  | "random"
  | "fused"
  | "optimizer";

/** One op: everything the house knows about it in one place. */
export interface RowSpec<P> {
  readonly name: string;
  readonly family: Family;
  /** The native kernel, or null for a view, which moves no element. */
  readonly kernel: string | null;
  readonly inputs: number;
  readonly rule: Rule<P>;
  /** The op again, on other inputs with the parameters of a recorded call. */
  replay(inputs: readonly Operand[], params: P): Tensor;
  /** In float32. */
  readonly accuracy: Accuracy;
}

export interface Row<P = never> extends RowSpec<P> {
  readonly opcode: number;
  readonly saves: readonly number[];
}

const rows = new Map<string, Row>();

/** Registers a row of the table; its kernel must exist and its name be new. */
export function defineRow<P>(spec: RowSpec<P>): Row<P> {
  if (rows.has(spec.name)) throw new Error(`the op ${spec.name} is defined twice`);
  const row: Row<P> = {
    ...spec,
    opcode: spec.kernel === null ? -1 : opcode(spec.kernel),
    saves: saveMasks(spec.rule as Rule<never>, spec.inputs),
  };
  rows.set(spec.name, row as unknown as Row);
  return row;
}

/** THE TABLE, in order of definition. */
export const table: ReadonlyMap<string, Row> = rows;
