import { describe, fail } from "./errors.js";
import { isNameIn } from "./options.js";

/**
 * The element types of tensors. bfloat16 and float16 are storage formats: ops on them compute in float32 and round the
 * result once, also if they consist of several steps. bfloat16 with float16 promotes to float32. Sums read both formats
 * without a float32 copy, and so do matrix products of bfloat16 that need no gradient.
 */
export type DType = "float32" | "float64" | "bfloat16" | "float16" | "int32" | "int64" | "uint8" | "bool";

/** The typed array for the elements of each dtype. */
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

/** One row of the dtype table; `code` is the native code, set when the add-on is loaded. */
export interface DTypeRow {
  readonly name: DType;
  readonly kind: Kind;
  readonly size: number;
  /** Promotion: the result of two dtypes is the one with the higher level. */
  readonly level: number;
  /** The dtype represents every integer in [low, end) exactly; for integer and bool dtypes these are all values. */
  readonly low: number;
  readonly end: number;
  /** The typed array that elements are read into; for bfloat16 and float16, Float32Array. */
  readonly array: ArrayOf;
  /** The dtype of arithmetic: float32 for bfloat16 and float16, else the dtype itself. */
  readonly compute: DTypeRow;
  /** True for bfloat16 and float16, whose arithmetic is float32. */
  readonly half: boolean;
  code: number;
  /** [code]: the attribute list of an elementwise call, made once. */
  attrs: number[];
}

/** Floats also represent larger integers, but not all of them. */
const integers: Readonly<Record<DType, readonly [low: number, end: number]>> = {
  bool: [0, 2],
  uint8: [0, 2 ** 8],
  int32: [-(2 ** 31), 2 ** 31],
  int64: [-(2 ** 63), 2 ** 63],
  float16: [-(2 ** 11), 2 ** 11 + 1],
  bfloat16: [-(2 ** 8), 2 ** 8 + 1],
  float32: [-(2 ** 24), 2 ** 24 + 1],
  float64: [-(2 ** 53), 2 ** 53],
};

/**
 * structuredClone reads every property, so cloning or posting a tensor throws an error that says what to do instead.
 */
const posted = {
  get: (): never =>
    fail(
      "ERR_WORKER",
      "postMessage",
      "a tensor cannot be posted or cloned",
      "x.share(), which attach() takes",
      "a Tensor",
    ),
  enumerable: true,
};

/** The first property of each row, so that it is read before those that cannot be cloned. */
class Unposted {
  constructor() {
    Object.defineProperty(this, "posted", posted);
  }
}

class Row extends Unposted implements DTypeRow {
  readonly name: DType;
  readonly kind: Kind;
  readonly size: number;
  readonly level: number;
  readonly low: number;
  readonly end: number;
  readonly array: ArrayOf;
  readonly compute: DTypeRow;
  readonly half: boolean;
  code = -1;
  attrs = [-1];

  constructor(name: DType, kind: Kind, size: number, level: number, array: ArrayOf, compute?: DTypeRow) {
    super();
    const [low, end] = integers[name];
    this.name = name;
    this.kind = kind;
    this.size = size;
    this.level = level;
    this.low = low;
    this.end = end;
    this.array = array;
    this.compute = compute ?? this;
    this.half = compute !== undefined;
  }
}

const float32 = new Row("float32", "float", 4, 5, Float32Array);

/** @internal */
export const dtypes: Readonly<Record<DType, DTypeRow>> = {
  bool: new Row("bool", "bool", 1, 0, Uint8Array),
  uint8: new Row("uint8", "int", 1, 1, Uint8Array),
  int32: new Row("int32", "int", 4, 2, Int32Array),
  int64: new Row("int64", "int", 8, 3, BigInt64Array),
  float16: new Row("float16", "float", 2, 4, Float32Array, float32),
  bfloat16: new Row("bfloat16", "float", 2, 4, Float32Array, float32),
  float32,
  float64: new Row("float64", "float", 8, 6, Float64Array),
};

/** @internal The row of a dtype's name; ERR_DTYPE for anything else. */
export function dtypeRow(op: string, name: unknown): DTypeRow {
  const found = isNameIn(dtypes, name) ? dtypes[name] : undefined;
  return found ?? fail("ERR_DTYPE", op, "unknown dtype", Object.keys(dtypes).join(", "), describe(name));
}

/** @internal */
export function promote(a: DTypeRow, b: DTypeRow): DTypeRow {
  if (a.level !== b.level) return a.level > b.level ? a : b;
  return a === b ? a : a.compute;
}

/** @internal Whether a dtype represents the number, an integer, exactly. */
export const holds = (type: DTypeRow, value: number | bigint): boolean =>
  (typeof value === "bigint" || Number.isInteger(value)) && value >= type.low && value < type.end;

/** @internal The range of integers of a dtype, for messages. */
export const showRange = (type: DTypeRow): string => `${BigInt(type.low)} to ${BigInt(type.end) - 1n}`;

let defaultRow = dtypes.float32;

/** @internal */
export const defaultFloat = (): DTypeRow => defaultRow;

/**
 * The default dtype, for numbers and new tensors: `"float32"` unless {@link setDefaultDtype} has changed it.
 * @example getDefaultDtype(); // "float32"
 */
export const getDefaultDtype = (): DType => defaultRow.name;

/**
 * Sets the default dtype of this JavaScript thread, for numbers and new tensors.
 * @throws ERR_DTYPE for anything but `"float32"` and `"float64"`.
 * @example
 * setDefaultDtype("float64");
 * tensor([1]).dtype; // "float64"
 * setDefaultDtype("float32");
 */
export function setDefaultDtype(dtype: "float32" | "float64"): void {
  const chosen = dtypeRow("setDefaultDtype", dtype);
  if (chosen.kind !== "float" || chosen.half)
    fail("ERR_DTYPE", "setDefaultDtype", "not a float dtype", "float32 or float64", dtype);
  defaultRow = chosen;
}
