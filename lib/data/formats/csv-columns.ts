/** The columns of a CSV file: of numbers where all their values are, else of text. */
import { describe } from "../../core/errors.js";
import { needHeapForTexts, typedArray } from "../../tensor/javascript-memory.js";
import { codeOf, type NumberColumn, type TextColumn } from "../column.js";
import type { Scanner, Visitor } from "./csv-scan.js";
import { decimal } from "./decimal.js";

/** The bytes that are scanned before the event loop may run. */
const stride = 2 ** 20;
const infinite = /^[+-]?inf(inity)?$/i;
/** The number of distinct texts after which V8's heap is looked at again. */
const checkpoint = 2 ** 16;

/** The rows below the header. */
export interface Body {
  readonly bytes: Buffer;
  readonly names: readonly string[];
  readonly kinds: readonly ("number" | "text" | undefined)[];
  readonly missing: ReadonlySet<string>;
  readonly op: string;
  readonly text: (from: number, to: number) => string;
  readonly bad: Bad;
  scanner(): Scanner;
}
export type Bad = (fact: string, line: number, expected?: string, got?: string) => never;
export type Steps<T> = Generator<undefined, T, void>;

/** The columns that have nothing but numbers, null for others, and the number of rows. */
export function* readNumbers(body: Body): Steps<{ numbers: (NumberColumn | null)[]; rows: number }> {
  const { bytes, names, kinds, missing, op, text, bad } = body;
  const scanner = body.scanner();
  const most = yield* countLines(bytes, scanner.at);
  const values = names.map((_, i): Float64Array | null | undefined => (kinds[i] === "text" ? null : undefined));
  let rows = 0;
  /** Memory for a column, once it has a number. */
  const columnFor = (column: number): Float64Array => {
    const made = typedArray<Float64Array>(op, Float64Array, most).fill(Number.NaN, 0, rows);
    values[column] = made;
    return made;
  };
  const numberAt = (column: number, from: number, to: number): number | null | undefined => {
    const value = decimal(bytes, from, to);
    if (!Number.isNaN(value)) return value;
    const content = text(from, to).trim();
    if (missing.has(content)) return undefined;
    if (infinite.test(content)) return content.startsWith("-") ? -Infinity : Infinity;
    const trimmed = content.length < to - from ? decimalOf(content) : Number.NaN;
    if (!Number.isNaN(trimmed)) return trimmed;
    if (kinds[column] !== "number") return null;
    return bad(`${describe(names[column])} is no number`, scanner.line - 1, "a number", describe(content));
  };
  const field = (column: number, from: number, to: number): void => {
    const known = values[column];
    if (known === null || column >= names.length) return;
    const value = numberAt(column, from, to);
    if (value === null) values[column] = null;
    else if (value !== undefined) (known ?? columnFor(column))[rows] = value;
    else if (known !== undefined) known[rows] = Number.NaN;
  };
  const row = (fields: number, line: number): void => {
    rows++;
    if (fields !== names.length) bad("a row of another length", line, `${names.length} fields`, `${fields}`);
  };
  yield* scanAll(scanner, bytes.length, { field, row });
  const numbers = values.map((known, i): NumberColumn | null =>
    known === null ? null : { kind: "number", values: (known ?? columnFor(i)).subarray(0, rows) },
  );
  return { numbers, rows };
}

/** The other columns, as text. */
export function* readTexts(body: Body, numbers: readonly unknown[], rows: number): Steps<(TextColumn | null)[]> {
  const { bytes, missing, op, text } = body;
  const codes = numbers.map((column) => (column === null ? typedArray<Int32Array>(op, Int32Array, rows) : null));
  const categories = codes.map(() => new Map<string, number>());
  let row = 0;
  let distinct = 0;
  let length = 0;
  const field = (column: number, from: number, to: number): void => {
    const list = codes[column]!;
    if (list === null) return;
    const content = text(from, to);
    const texts = categories[column]!;
    const before = texts.size;
    list[row] = missing.has(content) ? -1 : codeOf(texts, content);
    if (texts.size === before) return;
    length += content.length;
    if (++distinct % checkpoint === 0) needHeapForTexts(op, distinct, length);
  };
  if (codes.some((column) => column !== null))
    yield* scanAll(body.scanner(), bytes.length, { field, row: () => void row++ });
  return codes.map((list, i) =>
    list === null ? null : { kind: "text", categories: [...categories[i]!.keys()], codes: list },
  );
}

function* scanAll(scanner: Scanner, end: number, visitor: Visitor): Steps<void> {
  while (scanner.at < end) {
    scanner.scan(scanner.at + stride, visitor);
    yield;
  }
}

/** At most so many rows begin at or after a position. */
function* countLines(bytes: Uint8Array, from: number): Steps<number> {
  let lines = 1;
  for (let start = from; start < bytes.length; start += stride) {
    const end = Math.min(start + stride, bytes.length);
    for (let at = start; at < end; at++) if (bytes[at] === 0x0a) lines++;
    yield;
  }
  return lines;
}

function decimalOf(text: string): number {
  const bytes = Buffer.from(text);
  return decimal(bytes, 0, bytes.length);
}
