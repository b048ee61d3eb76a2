/** Whether a value is what a comment says. */

/** `0.693...`: a number that begins with these digits. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** The value that a comment spells, or undefined where it is prose. What stands after ` = ` counts: `cos(1) = 0.54...`. */
export function literal(comment: string): unknown {
  const text = comment.split(/(?:^| )= /).at(-1)!;
  const source = text.replaceAll(/(-?\d+(?:\.\d*)?)\.\.\./g, 'new Digits("$1")');
  try {
    return new Function("Digits", `"use strict"; return (${source});`)(Digits);
  } catch {
    return undefined;
  }
}

const rounded = (value: number): number => Number(value.toPrecision(significant));
const isTyped = (value: unknown): value is Float32Array => ArrayBuffer.isView(value) && !(value instanceof DataView);

const significant = 6;

/** Equal as far as the comment goes: a fraction to six significant digits, anything else exactly. */
export function matches(value: unknown, expected: unknown): boolean {
  if (expected instanceof Digits) return typeof value === "number" && String(value).startsWith(expected.text);
  if (typeof value === "number" && typeof expected === "number")
    return Number.isInteger(value) ? value === expected : Object.is(rounded(value), rounded(expected));
  if (isTyped(value)) return matches(Array.from(value), expected);
  if (Array.isArray(value) && Array.isArray(expected))
    return value.length === expected.length && value.every((item, i) => matches(item, expected[i]));
  if (typeof value === "object" && typeof expected === "object" && value !== null && expected !== null) {
    const keys = Object.keys(expected);
    const of = (object: object, key: string): unknown => (object as Record<string, unknown>)[key];
    return keys.length === Object.keys(value).length && keys.every((key) => matches(of(value, key), of(expected, key)));
  }
  return Object.is(value, expected);
}
