import { numel } from "../core/shape.js";
import { type FloatWidth, positional, rounding, scientific, scientificDigits } from "./decimal.js";

export interface PrintOptions {
  /** The maximum number of digits after the point; default 8. */
  readonly precision?: number | undefined;
  /** Tensors with more elements are abbreviated with `...`; default 1000. */
  readonly threshold?: number | undefined;
  /** The number of elements shown at each end of an abbreviated axis; default 3. */
  readonly edgeItems?: number | undefined;
  /** The line width; default 75. */
  readonly lineWidth?: number | undefined;
  /** Whether to avoid scientific notation for small numbers; default false. */
  readonly suppress?: boolean | undefined;
}

type Value = number | bigint | boolean;
type Style = Required<{ [K in keyof PrintOptions]: NonNullable<PrintOptions[K]> }>;
type Writer = (value: Value) => string;

const defaults: Style = { precision: 8, threshold: 1000, edgeItems: 3, lineWidth: 75, suppress: false };

const open = "tensor(";
const separator = ", ";

/**
 * Formats a tensor like NumPy: nested brackets, aligned columns, the fewest digits that distinguish the numbers, `...`
 * in the middle of large axes.
 * @param data the elements in row-major order
 * @param dtype its name; floats print the shortest digits of their own width
 *
 * @example
 * formatTensor([1, 2.5, 3, 4], [2, 2], "float32");
 * // tensor([[1. , 2.5],
 * //         [3. , 4. ]], dtype=float32)
 */
export function formatTensor(
  data: ArrayLike<Value>,
  shape: readonly number[],
  dtype: string,
  options: PrintOptions = {},
): string {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const style: Style = { ...defaults, ...given };
  const size = numel(shape);
  const shown = shape.map((length) => shownIndices(length, size > style.threshold ? style.edgeItems : length));
  const values: Value[] = [];
  if (size > 0) collect(data, shape, shown, 0, 0, values);
  return layOut(values, shape, shown, dtype, style);
}

/** The number of elements shown at each end of an axis of a large tensor; null to show all. */
export const shownEdge = (shape: readonly number[]): number | null =>
  numel(shape) > defaults.threshold ? defaults.edgeItems : null;

/** {@link formatTensor} of a large tensor, given only the elements that are shown. */
export function formatEdges(edges: ArrayLike<Value>, shape: readonly number[], dtype: string): string {
  const shown = shape.map((length) => shownIndices(length, defaults.edgeItems));
  return layOut(Array.from(edges), shape, shown, dtype, defaults);
}

function layOut(
  values: readonly Value[],
  shape: readonly number[],
  shown: readonly (readonly number[])[],
  dtype: string,
  style: Style,
): string {
  const { threshold, lineWidth } = style;
  const size = numel(shape);
  const body = size === 0 ? "[]" : formatBody(values, shape, shown, dtype, style);
  const noted = (size === 0 && shape.length !== 1) || size > threshold;
  const extras = `${noted ? `shape=[${shape.join(separator)}], ` : ""}dtype=${dtype})`;
  const text = `${open}${body},`;
  const lastLine = text.length - (text.lastIndexOf("\n") + 1);
  return text + (lastLine + extras.length + 1 > lineWidth ? `\n${" ".repeat(open.length)}` : " ") + extras;
}

function formatBody(
  values: readonly Value[],
  shape: readonly number[],
  shown: readonly (readonly number[])[],
  dtype: string,
  style: Style,
): string {
  const write = writerFor(values, dtype, shape.length, style);
  let next = 0;
  const word = () => write(values[next++] as Value);

  const rows = (axis: number, indent: string, width: number): string => {
    if (axis === shape.length) return word();
    const indices = shown[axis] as readonly number[];
    const inner = `${indent} `;
    const nested = (index: number) => (index === gap ? "..." : rows(axis + 1, inner, width - 1));
    if (axis === shape.length - 1) return `[${wrap(indices.map(nested), indent, width - 1)}]`;
    const lineEnd = `,${"\n".repeat(shape.length - 1 - axis)}${indent}`;
    return `[${indices.map(nested).join(lineEnd)}]`;
  };
  return rows(0, " ".repeat(open.length + 1), style.lineWidth - 1);
}

/** Marks the omitted middle of an axis among the shown indices. */
const gap = -1;

function shownIndices(length: number, edge: number): readonly number[] {
  if (length <= 2 * edge) return Array.from({ length }, (_, i) => i);
  const head = Array.from({ length: edge }, (_, i) => i);
  return [...head, gap, ...head.map((i) => length - edge + i)];
}

function collect(
  data: ArrayLike<Value>,
  shape: readonly number[],
  shown: readonly (readonly number[])[],
  axis: number,
  offset: number,
  out: Value[],
): void {
  if (axis === shape.length) {
    out.push(data[offset] as Value);
    return;
  }
  const length = shape[axis] as number;
  for (const index of shown[axis] as readonly number[]) {
    if (index !== gap) collect(data, shape, shown, axis + 1, offset * length + index, out);
  }
}

/** Wraps words into lines of at most `width` columns, broken after separators. */
function wrap(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = [];
  let line = indent;
  words.forEach((word, i) => {
    if (line.length + word.length > width && line.length > indent.length) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += i + 1 < words.length ? word + separator : word;
  });
  lines.push(line);
  return lines.join("\n").slice(indent.length);
}

function writerFor(values: readonly Value[], dtype: string, rank: number, style: Style): Writer {
  if (dtype === "bool") return (value) => (value ? "True" : "False").padStart(rank === 0 ? 0 : 5);
  const float = widths[dtype];
  if (float !== undefined) return floatWriter(values as readonly number[], float, style);
  const width = longest(values.map(String));
  return (value) => String(value).padStart(width);
}

const widths: Readonly<Record<string, FloatWidth>> = { float64: 64, float32: 32, float16: 16, bfloat16: "bf16" };

const largest = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.max(a, b), 0);
const longest = (parts: readonly (string | undefined)[]) => largest(parts.map((part = "") => part.length));

/** Chooses one notation for the array from its finite values, and aligns columns at the decimal point. */
function floatWriter(values: readonly number[], width: FloatWidth, style: Style): Writer {
  const finite = values.filter(Number.isFinite);
  let left = 0;
  let right = 0;
  let write = (x: number) => String(x);
  if (finite.length > 0 && wantsScientific(finite, width, style)) {
    const places = largest(finite.map((x) => scientificDigits(x, style.precision, width)));
    const words = finite.map((x) => scientific(x, places, width).split(/[.e]/));
    const exponent = longest(words.map((word) => word[2])) - 1;
    left = longest(words.map((word) => word[0]));
    right = places + 2 + exponent;
    write = (x) => scientific(x, places, width, exponent).padStart(left + 1 + right);
  } else if (finite.length > 0) {
    const words = finite.map((x) => positional(x, style.precision, width).split("."));
    left = longest(words.map((word) => word[0]));
    right = longest(words.map((word) => word[1]));
    write = (x) => {
      const [whole = "", fraction = ""] = positional(x, style.precision, width).split(".");
      return `${whole.padStart(left)}.${fraction.padEnd(right)}`;
    };
  }
  for (const x of values) if (!Number.isFinite(x)) left = Math.max(left, special(x).length - right - 1);
  return (value) => {
    const x = value as number;
    return Number.isFinite(x) ? write(x) : special(x).padStart(left + 1 + right);
  };
}

function special(x: number): string {
  return Number.isNaN(x) ? "nan" : x < 0 ? "-inf" : "inf";
}

function wantsScientific(finite: readonly number[], width: FloatWidth, style: Style): boolean {
  const round = rounding(width);
  const magnitudes = finite.filter((x) => x !== 0).map(Math.abs);
  if (magnitudes.length === 0) return false;
  const max = largest(magnitudes);
  const min = magnitudes.reduce((a, b) => Math.min(a, b));
  if (max >= (width === 64 ? 1e8 : 1e6)) return true;
  return !style.suppress && (min < round(1e-4) || round(max / min) > 1000);
}
