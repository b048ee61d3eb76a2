/**
 * Conversion of values written into a tensor of another dtype: integer and bool dtypes only take values that they hold.
 */
import { type DTypeRow, holds, showRange } from "../core/dtype.js";
import { fail, NablaError, named } from "../core/errors.js";
import { cast } from "../engine/apply.js";
import { needOperand } from "../engine/operand.js";
import type { Operand } from "../engine/rule.js";
import { scalar } from "../tensor/from-data.js";
import type { Tensor } from "../tensor/tensor.js";
import { exactly } from "./checked.js";

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
  // Every element fits.
  if (x.type.low >= type.low && x.type.end <= type.end) return cast(x, type);
  return named(op, () => exactly(x, type, what));
}

/** @internal x in an integer or bool dtype; where that does not hold an element, the element as text. */
export function exactOr(x: Tensor, type: DTypeRow): Tensor | string {
  try {
    const { compute } = x.type;
    return x.type === type ? x : exactly(cast(x, compute), type);
  } catch (error) {
    if (error instanceof NablaError && error.code === "ERR_DTYPE") return String(error.details["got"]);
    throw error;
  }
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
