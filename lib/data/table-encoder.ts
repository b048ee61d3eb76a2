/** From a table to tensors, by rules that are learned from one table and kept for others. */
import { needChoice, refuse } from "../core/arguments.js";
import { dtypes } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { isPlain } from "../core/tree.js";
import { fromTyped } from "../tensor/allocate.js";
import { typedArray } from "../tensor/javascript-memory.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Column, NamedColumns, NumberColumn, TextColumn } from "./column.js";

export interface EncodeOptions {
  /** The column that becomes `y`: numbers a float32 column `[rows, 1]`, text the indices of its categories, int32. */
  readonly target?: string | undefined;
  /** "standardize" (default): numbers get the mean 0 and the standard deviation 1; "none": they stay as they are. */
  readonly numeric?: "standardize" | "none" | undefined;
  /**
   * What stands for a missing number: the "median" or "mean" of its column, or "error" (default). Missing text has no
   * category then: all its columns are 0, as for a category that the encoder has not seen.
   */
  readonly missing?: "median" | "mean" | "error" | undefined;
  /** "oneHot" (default): a column for each category; "drop": columns of text are left out. */
  readonly text?: "oneHot" | "drop" | undefined;
  /** The encoder of another table, whose rules are used; the only option then. */
  readonly encoder?: TableEncoder | undefined;
}

/** How a column becomes columns of `x`. */
export type EncodedFeature =
  | {
      readonly name: string;
      readonly kind: "number";
      /** What stands for a missing value; null if it is an error. */
      readonly fill: number | null;
      readonly mean: number;
      readonly std: number;
    }
  | {
      readonly name: string;
      readonly kind: "text";
      readonly categories: readonly string[];
      /** Whether a missing value is an error. */
      readonly complete: boolean;
    };

/** The rules of an encoded table: plain data, which JSON keeps. */
export interface TableEncoder {
  readonly features: readonly EncodedFeature[];
  /** The column `y`, and its categories if it is text. */
  readonly target: { readonly name: string; readonly categories: readonly string[] | null } | null;
}

export interface EncodedTable {
  /** The features, float32 `[rows, columns]`. */
  readonly x: Tensor;
  /** The target; null if there is none in the table. */
  readonly y: Tensor | null;
  /** The names of the columns of `x`: "rooms", "city=Rome". */
  readonly names: readonly string[];
  readonly encoder: TableEncoder;
}

const op = "encode";

export function encodeTable(table: NamedColumns, options?: EncodeOptions): EncodedTable {
  const given = checkOptions<EncodeOptions>(op, options, ["target", "numeric", "missing", "text", "encoder"]);
  const { encoder: known, ...rules } = given;
  if (known !== undefined && Object.keys(rules).length > 0)
    refuse(op, "the option encoder", "no other option beside it", Object.keys(rules).join(", "));
  const encoder = known === undefined ? learn(table, rules) : needEncoder(known);
  const width = encoder.features.reduce((sum, feature) => sum + widthOf(feature), 0);
  const x = typedArray<Float32Array>(op, Float32Array, table.length * width);
  let start = 0;
  for (const feature of encoder.features) {
    write(table, feature, x, start, width);
    start += widthOf(feature);
  }
  const names = encoder.features.flatMap((feature) =>
    feature.kind === "number" ? [feature.name] : feature.categories.map((category) => `${feature.name}=${category}`),
  );
  const { target } = encoder;
  const y = target === null || !table.names.includes(target.name) ? null : encodeTarget(table, target);
  return { x: fromTyped(op, x, dtypes.float32, [table.length, width]), y, names, encoder };
}

const widthOf = (feature: EncodedFeature): number => (feature.kind === "number" ? 1 : feature.categories.length);

function learn(table: NamedColumns, rules: EncodeOptions): TableEncoder {
  const numeric = needChoice(op, "numeric", rules.numeric ?? "standardize", ["standardize", "none"]);
  const missing = needChoice(op, "missing", rules.missing ?? "error", ["median", "mean", "error"]);
  const text = needChoice(op, "text", rules.text ?? "oneHot", ["oneHot", "drop"]);
  const { target: name } = rules;
  const target = name === undefined ? null : { name, categories: categoriesOf(table.column(name)) };
  const features: EncodedFeature[] = [];
  for (const name of table.names) {
    if (name === target?.name) continue;
    const column = table.column(name);
    if (column.kind === "number") features.push(learnNumbers(name, column, numeric, missing));
    else if (text === "oneHot")
      features.push({ name, kind: "text", categories: column.categories, complete: missing === "error" });
  }
  return { features, target };
}

const categoriesOf = (column: Column): readonly string[] | null => (column.kind === "text" ? column.categories : null);

function learnNumbers(
  name: string,
  { values }: NumberColumn,
  numeric: "standardize" | "none",
  missing: "median" | "mean" | "error",
): EncodedFeature {
  const present = values.filter((x) => !Number.isNaN(x));
  if (present.length < values.length && missing === "error") needComplete(name, values);
  const mean = meanOf(present);
  const fill = missing === "error" ? null : missing === "mean" ? mean : medianOf(present);
  if (!Number.isFinite(mean))
    fail("ERR_ARGUMENT", op, `column ${JSON.stringify(name)} has no finite mean`, "finite numbers", String(mean));
  if (numeric === "none") return { name, kind: "number", fill, mean: 0, std: 1 };
  // Standardized as they are encoded: with what stands for the missing ones.
  const all = fill === null ? present : values.map((x) => (Number.isNaN(x) ? fill : x));
  const center = meanOf(all);
  const std = Math.sqrt(meanOf(all.map((x) => (x - center) ** 2)));
  return { name, kind: "number", fill, mean: center, std: std > 0 ? std : 1 };
}

const meanOf = (values: Float64Array): number => {
  let sum = 0;
  for (const x of values) sum += x;
  return values.length === 0 ? 0 : sum / values.length;
};

function medianOf(values: Float64Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function needComplete(name: string, values: Float64Array): void {
  const row = values.findIndex(Number.isNaN);
  if (row >= 0) lacks(name, row);
}

const lacks = (name: string, row: number): never =>
  fail("ERR_ARGUMENT", op, `row ${row} has no ${JSON.stringify(name)}`, 'values, or the option missing: "median"');

function needKind<K extends Column["kind"]>(table: NamedColumns, name: string, kind: K): Column & { readonly kind: K } {
  const column = table.column(name);
  // A column without values may be of either kind.
  if (column.kind !== kind && kind === "text" && column.kind === "number" && column.values.every(Number.isNaN))
    return { kind: "text", categories: [], codes: new Int32Array(table.length).fill(-1) } as TextColumn as never;
  if (column.kind !== kind)
    fail("ERR_ARGUMENT", op, `column ${JSON.stringify(name)} is of another kind`, kind, column.kind);
  return column as Column & { readonly kind: K };
}

function write(table: NamedColumns, feature: EncodedFeature, x: Float32Array, start: number, width: number): void {
  if (feature.kind === "number") {
    const { mean, std, fill } = feature;
    const { values } = needKind(table, feature.name, "number");
    if (fill === null) needComplete(feature.name, values);
    for (let row = 0; row < values.length; row++) {
      const value = values[row]!;
      x[row * width + start] = ((Number.isNaN(value) ? fill! : value) - mean) / std;
    }
    return;
  }
  const { categories, codes } = needKind(table, feature.name, "text");
  const places = new Map(feature.categories.map((category, i) => [category, i]));
  const place = categories.map((category) => places.get(category) ?? -1);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code < 0 && feature.complete) lacks(feature.name, row);
    const at = code < 0 ? -1 : place[code]!;
    if (at >= 0) x[row * width + start + at] = 1;
  }
}

function encodeTarget(table: NamedColumns, { name, categories }: NonNullable<TableEncoder["target"]>): Tensor {
  if (categories === null) {
    const { values } = needKind(table, name, "number");
    const row = values.findIndex(Number.isNaN);
    if (row >= 0) fail("ERR_ARGUMENT", op, `row ${row} has no target ${JSON.stringify(name)}`, "a value in each row");
    return fromTyped(op, Float32Array.from(values), dtypes.float32, [table.length, 1]);
  }
  const column = needKind(table, name, "text");
  const places = new Map(categories.map((category, i) => [category, i]));
  const place = column.categories.map((category) => places.get(category) ?? -1);
  const indices = column.codes.map((code, row) => {
    const index = code < 0 ? undefined : place[code]!;
    if (index === undefined)
      fail("ERR_ARGUMENT", op, `row ${row} has no target ${JSON.stringify(name)}`, "a value in each row");
    if (index < 0)
      fail(
        "ERR_ARGUMENT",
        op,
        `the target of row ${row} is a new category`,
        categories.slice(0, 8).join(", "),
        describe(column.categories[code]),
      );
    return index;
  });
  return fromTyped(op, indices, dtypes.int32, [table.length]);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isNumber = (value: unknown): boolean => Number.isFinite(value);

/** ERR_ARGUMENT for anything but what `encode` returned as the encoder. */
function needEncoder(encoder: unknown): TableEncoder {
  const bad = (): never => refuse(op, "the encoder", "the encoder of another table", encoder);
  if (!isPlain(encoder) || !Array.isArray(encoder["features"])) return bad();
  for (const feature of encoder["features"] as unknown[]) {
    if (!isPlain(feature) || !isText(feature["name"])) return bad();
    const { kind, fill, mean, std, categories, complete } = feature;
    const fits =
      kind === "number"
        ? (fill === null || isNumber(fill)) && isNumber(mean) && isNumber(std) && std !== 0
        : kind === "text" && isTexts(categories) && typeof complete === "boolean";
    if (!fits) return bad();
  }
  const { target } = encoder;
  if (target !== null && !(isPlain(target) && isText(target["name"]))) return bad();
  const { categories } = (target ?? { categories: null }) as { categories: unknown };
  return categories === null || isTexts(categories) ? (encoder as unknown as TableEncoder) : bad();
}
