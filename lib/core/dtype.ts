import { describe, fail } from "./errors.js";
import { isNameIn } from "./options.js";

/**
 * The element types of tensors. bfloat16 and float16 are for storage: their arithmetic is float32's, each result rounded
 * once, also where it is made of several steps. Half precision meets the other half, and float32, in float32. Sums read halves,
 * and matrix products without gradients bfloat16, as they are stored, instead of from a float32 copy.
 */
export type DType = "float32" | "float64" | "bfloat16" | "float16" | "int32" | "int64" | "uint8" | "bool";

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

/** One row of the dtype table; `code` is the native number, set when the add-on is loaded. */
export interface DTypeRow {
  readonly name: DType;
  readonly kind: Kind;
  readonly size: number;
  /** Of two dtypes the one of the higher level holds the result. */
  readonly level: number;
  /** It holds every integer in [low, end), and of integers and truth values these are all. */
  readonly low: number;
  readonly end: number;
  /** What the elements are read into: of halves the floats that they stand for. */
  readonly array: ArrayOf;
  /** The dtype of arithmetic, of halves float32, else the dtype itself. */
  readonly compute: DTypeRow;
  /** Whether arithmetic is another dtype's. */
  readonly half: boolean;
  code: number;
  /** [code]: the attribute list of an elementwise call, made once. */
  attrs: number[];
}

/** Floats hold more integers than these, but not each of them. */
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

/** Structured clone reads every property of what it copies: so a tensor that is posted or cloned says what to do instead. */
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

/** @internal Whether a number is one of the integers that a dtype holds, each of them exactly. */
export const holds = (type: DTypeRow, value: number | bigint): boolean =>
  (typeof value === "bigint" || Number.isInteger(value)) && value >= type.low && value < type.end;

/** @internal Those integers, for a message. */
export const showRange = (type: DTypeRow): string => `${BigInt(type.low)} to ${BigInt(type.end) - 1n}`;

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
  if (chosen.kind !== "float" || chosen.half)
    fail("ERR_DTYPE", "setDefaultDtype", "not a float dtype", "float32 or float64", dtype);
  defaultRow = chosen;
}
