/**
 * Conversion of values written into a tensor of another dtype: integer and bool dtypes only take values that they hold.
 */
import { type DTypeRow, holds, showRange } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { cast } from "../engine/apply.js";
import { unwrapBatched } from "../engine/batched.js";
import { needOperand } from "../engine/operand.js";
import type { Operand } from "../engine/rule.js";
import * as frame from "../native/frame.js";
import { scalar } from "../tensor/create.js";
import { raise } from "../tensor/handle.js";
import type { Tensor } from "../tensor/tensor.js";

/** @internal Whether an integer or bool dtype holds every element of x, in the whole batch inside vmap. */
export function holdsAll(op: string, type: DTypeRow, x: Tensor): boolean {
  if (x.type.kind !== "float" && x.type.low >= type.low && x.type.end <= type.end) return true;
  const all = cast(unwrapBatched(x), x.type.compute);
  frame.begin(0, 0, 1, []);
  frame.putOperand(0, all.handle, all.type.code, all.shape, all.layout, all.offset, 0);
  const held = frame.door.holds(type.code);
  if (frame.failed()) raise(op);
  return held;
}

/** @internal An element that the dtype does not hold, for error messages. */
export function misfitOf(type: DTypeRow, x: Tensor): string {
  const values: ArrayLike<number | bigint> = unwrapBatched(x).toTypedArray();
  return String(Array.prototype.find.call(values, (value: number | bigint) => !holds(type, value)));
}

/**
 * @internal Converts a tensor to the dtype that it is written to: ERR_DTYPE for floats into integers or bool, and for
 * integers that do not fit.
 */
export function asDtype(op: string, type: DTypeRow, x: Tensor, what = "the value"): Tensor {
  if (type.kind === "float" || x.type === type) return cast(x, type);
  if (x.type.kind === "float")
    fail(
      "ERR_DTYPE",
      op,
      `${what} would be cut`,
      `an integer or bool dtype for ${type.name} (use .to("${type.name}"))`,
      x.dtype,
    );
  if (!holdsAll(op, type, x))
    fail(
      "ERR_DTYPE",
      op,
      `${what} does not fit ${type.name}`,
      `${showRange(type)} (or use .to("${type.name}"))`,
      misfitOf(type, x),
    );
  return cast(x, type);
}

/** @internal A number as an element of the dtype: any number as bool; integer dtypes must hold it. */
export function asNumber(op: string, type: DTypeRow, value: number): number {
  if (type.kind === "bool") return Number(value !== 0);
  if (type.kind === "int" && !holds(type, value))
    fail("ERR_DTYPE", op, `the value does not fit ${type.name}`, showRange(type), String(value));
  return value;
}

/** @internal A number or tensor as an operand that does not change x's dtype. */
export function asElement(op: string, x: Tensor, value: Operand): Operand {
  needOperand(op, value);
  if (typeof value !== "number") return asDtype(op, x.type, value);
  const number = asNumber(op, x.type, value);
  return x.dtype === "bool" ? scalar(number !== 0) : number;
}
