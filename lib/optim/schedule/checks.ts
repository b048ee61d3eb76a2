import { describe, fail } from "../../core/errors.js";

/** Checks for a finite number above `above`. */
export function finite(op: string, name: string, value: unknown, above = Number.NEGATIVE_INFINITY): number {
  if (typeof value === "number" && Number.isFinite(value) && value > above) return value;
  const expected = above === Number.NEGATIVE_INFINITY ? "a finite number" : `a finite number above ${above}`;
  return fail("ERR_ARGUMENT", op, `${name} is not valid`, expected, describe(value));
}

/** Checks for a positive integer. */
export function count(op: string, name: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  return fail("ERR_ARGUMENT", op, `${name} is not valid`, "an integer above 0", describe(value));
}
