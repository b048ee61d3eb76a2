import { refuse } from "../core/arguments.js";
import { type DTypeRow, defaultFloat, dtypes, holds, promote, showRange } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { numel, showShape } from "../core/shape.js";
import { Tensor } from "../tensor/tensor.js";
import { Batched } from "./batched.js";
import type { Operand } from "./row.js";

function alive(op: string, x: Tensor): Tensor {
  if (x.handle.slot < 0 && !(x instanceof Batched)) fail("ERR_DISPOSED", op, "the tensor has been disposed of");
  return x;
}

/** ERR_ARGUMENT unless the value is a tensor; ERR_DISPOSED for a disposed one. */
export function needTensor(op: string, x: unknown, what = "the input"): Tensor {
  if (x instanceof Tensor) return alive(op, x);
  return refuse(op, what, "a tensor", x);
}

/** ERR_ARGUMENT unless the value is a tensor or a number; ERR_DISPOSED. */
export function needOperand(op: string, x: unknown): Operand {
  if (typeof x === "number") return x;
  if (x instanceof Tensor) return alive(op, x);
  return refuse(op, "an operand", "a tensor or a number", x);
}

/** ERR_DTYPE unless the tensor's dtype is a float one. */
export function needFloat(op: string, x: Tensor): Tensor {
  if (x.type.kind === "float") return x;
  return fail("ERR_DTYPE", op, "not defined for this dtype", "a float dtype", x.dtype);
}

/** A contiguous tensor of integer indices (not a mask). */
export function needIndex(op: string, index: unknown): Tensor {
  const x = needTensor(op, index, "the index");
  if (x.type.kind !== "int")
    fail("ERR_DTYPE", op, "an index must have an integer dtype", "int32, int64 or uint8", x.dtype);
  return x;
}

export const elements = (x: Tensor): number => numel(x.shape);
export const shown = (x: Operand): string => (typeof x === "number" ? String(x) : showShape(x.shape));

/**
 * The promoted dtype of operands. A number takes the dtype of the tensors; beside bool it is int64, or the default
 * dtype if it is a fraction; numbers alone have the default dtype. Whether an integer dtype holds the numbers is
 * checked by {@link needHeld}.
 */
export function commonType(operands: readonly Operand[], inFloats = false): DTypeRow {
  let type: DTypeRow | null = null;
  for (const x of operands)
    if (typeof x !== "number") type = type === null ? x.type : type === x.type ? type : promote(type, x.type);
  if (type === null) return defaultFloat();
  if (type.kind === "float") return type;
  if (inFloats) return defaultFloat();
  if (type.kind === "bool") {
    let numbers = false;
    for (const x of operands) {
      if (typeof x !== "number") continue;
      if (!Number.isInteger(x)) return defaultFloat();
      numbers = true;
    }
    if (numbers) return dtypes.int64;
  }
  return type;
}

/** ERR_DTYPE unless an integer dtype holds the number operands. Other dtypes take any number. */
export function needHeld(op: string, operands: readonly Operand[], type: DTypeRow): void {
  if (type.kind !== "int") return;
  for (let i = 0; i < operands.length; i++) {
    const x = operands[i]!;
    if (typeof x !== "number" || holds(type, x)) continue;
    if (!Number.isInteger(x))
      fail(
        "ERR_DTYPE",
        op,
        `${Number.isFinite(x) ? "a fraction" : x} beside an integer tensor`,
        "an integer, or a float tensor (use .to)",
        String(x),
      );
    const opposite = i === 1 && holds(type, -x) ? opposites[op] : undefined;
    const other = opposite === undefined ? "" : `.${opposite}(${-x}) or `;
    const wider = [dtypes.int32, dtypes.int64].find((row) => holds(row, x)) ?? dtypes.float64;
    fail(
      "ERR_DTYPE",
      op,
      `the number does not fit ${type.name}`,
      `${showRange(type)} (or use ${other}.to("${wider.name}"))`,
      String(x),
    );
  }
}

/** Whether the operand is a number at or below the smallest integer of the dtype. */
export const isLowest = (x: Operand, type: DTypeRow): boolean => typeof x === "number" && x <= type.low;
/** Whether the operand is a number at or above the largest integer of the dtype. */
export const isHighest = (x: Operand, type: DTypeRow): boolean => typeof x === "number" && x >= type.end - 1;

const opposites: Readonly<Record<string, string>> = { add: "sub", sub: "add" };
