/** Short texts of values, for pictures. */
import { numel, type Shape } from "../core/shape.js";
import type { Tensor } from "../tensor/tensor.js";

/** Tensors with at most this many elements are shown with values, if the text is not too wide. */
const SMALL = 8;
const WIDE = 48;
const DIGITS = 4;
const MAX_DIGITS = 7;
const TINY = 1e-4;

/** Four significant digits, or all digits before the decimal point. */
export function formatNumber(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  if (x !== 0 && Math.abs(x) < TINY) return Number(x.toPrecision(DIGITS)).toExponential();
  const whole = Math.abs(x) < 1 ? 1 : Math.floor(Math.log10(Math.abs(x))) + 1;
  if (Number.isInteger(x) && whole <= MAX_DIGITS) return String(x);
  return String(Number(x.toPrecision(whole > MAX_DIGITS ? DIGITS : Math.max(whole, DIGITS))));
}

function formatElement(x: number | bigint, dtype: string): string {
  if (dtype === "bool") return x ? "true" : "false";
  return typeof x === "bigint" || !dtype.includes("float") ? String(x) : formatNumber(x);
}

/** `float32[20, 3]`. */
export const formatType = (dtype: string, shape: Shape): string => `${dtype}[${shape.join(", ")}]`;

/** A number, a few numbers in brackets, or the dtype and shape of a larger tensor. */
export function formatValue(x: Tensor): string {
  const count = numel(x.shape);
  if (count === 0 || count > SMALL) return formatType(x.dtype, x.shape);
  let level = Array.from(x.toTypedArray() as ArrayLike<number | bigint>, (value) => formatElement(value, x.dtype));
  for (const size of x.shape.toReversed()) {
    const rows = level.length / size;
    level = Array.from({ length: rows }, (_, row) => `[${level.slice(row * size, (row + 1) * size).join(", ")}]`);
  }
  const text = level[0]!;
  return text.length > WIDE ? formatType(x.dtype, x.shape) : text;
}
