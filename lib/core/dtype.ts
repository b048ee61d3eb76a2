import { describe, fail } from "./errors.js";

/** The element types of tensors. */
export type DType = "float32" | "float64" | "int32" | "int64" | "uint8" | "bool";

/** What the elements of each dtype are read into and made from. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

type ArrayOf = { new (length: number): TypedArray; readonly name: string };

export type Kind = "bool" | "int" | "float";

/** @internal One row of the dtype table; `code` is the native number, set when the add-on is loaded. */
export interface DTypeRow {
  readonly name: DType;
  readonly kind: Kind;
  readonly size: number;
  /** Of two dtypes the one of the higher level holds the result. */
  readonly level: number;
  readonly array: ArrayOf;
  code: number;
  /** [code]: the attribute list of an elementwise call, made once. */
  attrs: number[];
}

const row = (name: DType, kind: Kind, size: number, level: number, array: ArrayOf): DTypeRow => ({
  name,
  kind,
  size,
  level,
  array,
  code: -1,
  attrs: [-1],
});

/** @internal */
export const dtypes: Readonly<Record<DType, DTypeRow>> = {
  bool: row("bool", "bool", 1, 0, Uint8Array),
  uint8: row("uint8", "int", 1, 1, Uint8Array),
  int32: row("int32", "int", 4, 2, Int32Array),
  int64: row("int64", "int", 8, 3, BigInt64Array),
  float32: row("float32", "float", 4, 4, Float32Array),
  float64: row("float64", "float", 8, 5, Float64Array),
};

/** @internal The row of a dtype's name; ERR_DTYPE for anything else. */
export function dtypeRow(op: string, name: unknown): DTypeRow {
  const found = typeof name === "string" && Object.hasOwn(dtypes, name) ? dtypes[name as DType] : undefined;
  return found ?? fail("ERR_DTYPE", op, "unknown dtype", Object.keys(dtypes).join(", "), describe(name));
}

/** @internal */
export const promote = (a: DTypeRow, b: DTypeRow): DTypeRow => (a.level >= b.level ? a : b);

let defaultRow = dtypes.float32;

/** @internal */
export const defaultFloat = (): DTypeRow => defaultRow;

/** The dtype that numbers become: `"float32"` unless {@link setDefaultDtype} has said otherwise. */
export const getDefaultDtype = (): DType => defaultRow.name;

/**
 * Sets the dtype that numbers become in this JavaScript thread.
 * @throws ERR_DTYPE for anything but `"float32"` and `"float64"`.
 */
export function setDefaultDtype(dtype: "float32" | "float64"): void {
  const chosen = dtypeRow("setDefaultDtype", dtype);
  if (chosen.kind !== "float") fail("ERR_DTYPE", "setDefaultDtype", "not a float dtype", "float32 or float64", dtype);
  defaultRow = chosen;
}
