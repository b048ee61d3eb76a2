/** Creation of tensors from data or constants. Random ones are in ops/random.ts. */
import { needFinite, refuse } from "../core/arguments.js";
import {
  type DType,
  type DTypeRow,
  defaultFloat,
  dtypeRow,
  dtypes,
  holds,
  showRange,
  type TypedArray,
} from "../core/dtype.js";
import { describe, fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { checkShape, numel, type Shape, sameShape, showShape } from "../core/shape.js";
import * as frame from "../native/frame.js";
import { Handle, mayRetry, raise } from "./handle.js";
import { typedArray } from "./javascript-memory.js";
import { reclaim } from "./memory.js";
import { isTensor, type NestedArray, Tensor } from "./tensor.js";

export interface CreateOptions {
  /** The dtype of the result; the default depends on the function. */
  readonly dtype?: DType | undefined;
  /** Whether the tensor is a leaf that requires grad; default false. */
  readonly requiresGrad?: boolean | undefined;
}
export interface TensorOptions extends CreateOptions {
  /** The shape, for an array or typed array of all elements in row-major order. */
  readonly shape?: readonly number[] | undefined;
}

/** @internal Applies the option `requiresGrad`. */
export function finish(op: string, x: Tensor, requiresGrad: boolean | undefined): Tensor {
  if (requiresGrad !== true) return x;
  if (x.type.kind !== "float")
    fail("ERR_GRADIENT", op, "only float tensors can require grad", "a float dtype", x.dtype);
  x.requiresGrad = true;
  return x;
}

/** A contiguous tensor on a storage that a native call allocates and fills; `call` writes the frame and runs it. */
function made(op: string, type: DTypeRow, shape: Shape, call: (handle: Handle) => void): Tensor {
  if (frame.underPressure()) reclaim();
  let handle = new Handle();
  call(handle);
  for (let i = 0; mayRetry(i); i++) {
    handle = new Handle();
    call(handle);
  }
  if (frame.failed()) raise(op);
  handle.take(0);
  return new Tensor(handle, type, shape, null, 0, null);
}

/** @internal Copies a typed array of the dtype's own kind into a new storage; for half precision, bits or floats. */
export const fromTyped = (op: string, source: ArrayBufferView, type: DTypeRow, shape: Shape): Tensor =>
  made(op, type, shape, (handle) => {
    frame.begin(0, 0, 1, []);
    frame.putFresh(0, type.code, shape, 0);
    frame.door.create(handle, source);
  });

const identity = frame.opcode("identity");

/** @internal Fills with one number. */
export const filled = (op: string, value: number | bigint, type: DTypeRow, shape: Shape): Tensor =>
  made(op, type, shape, (handle) => {
    frame.begin(identity, 1, 1, type.attrs);
    frame.putFresh(0, type.code, shape, 0);
    frame.putScalar(1, type.code, value);
    frame.door.execute(handle);
  });

const emptyCode = frame.opcode("empty");

/** @internal A tensor whose elements the caller is about to write. */
export const empty = (op: string, type: DTypeRow, shape: Shape): Tensor =>
  made(op, type, shape, (handle) => {
    frame.begin(emptyCode, 1, 0, []);
    frame.putFresh(0, type.code, shape, 0);
    frame.door.execute(handle);
  });

/** The dtype for each kind of typed array; some are widened. */
const storedAs: Readonly<Record<string, DTypeRow>> = {
  Float32Array: dtypes.float32,
  Float64Array: dtypes.float64,
  // Node 24 has this class; the elements are float16 bits.
  Float16Array: dtypes.float16,
  Int32Array: dtypes.int32,
  BigInt64Array: dtypes.int64,
  Uint8Array: dtypes.uint8,
  Uint8ClampedArray: dtypes.uint8,
};
const widenedTo: Readonly<Record<string, DTypeRow>> = {
  Int8Array: dtypes.int32,
  Int16Array: dtypes.int32,
  Uint16Array: dtypes.int32,
  Uint32Array: dtypes.int64,
  BigUint64Array: dtypes.int64,
};

const kindGetter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get!;
/** The class name of a typed array of any realm; undefined for other values. */
const kindOf = (value: unknown): string | undefined => kindGetter.call(value) as string | undefined;

/** Checks that the value fits an integer or bool dtype; returns the element to store. */
function element(op: string, value: number | bigint | boolean, type: DTypeRow): number | bigint {
  if (type.kind === "float") return Number(value);
  if (type.kind === "bool") return Number(value) === 0 ? 0 : 1;
  const integer = typeof value === "bigint" ? value : Number(value);
  if (!holds(type, integer))
    fail("ERR_DTYPE", op, "the value does not fit the dtype", `an ${type.name}, ${showRange(type)}`, String(value));
  return type === dtypes.int64 ? BigInt(integer) : Number(integer);
}

function convertAll(op: string, values: ArrayLike<number | bigint | boolean>, type: DTypeRow): TypedArray {
  const out = typedArray<TypedArray>(op, type.half ? Float64Array : type.array, values.length);
  if (type.kind === "float") for (let i = 0; i < values.length; i++) out[i] = Number(values[i]);
  else for (let i = 0; i < values.length; i++) out[i] = element(op, values[i]!, type);
  return out;
}

function fromTypedArray(data: TypedArray, wanted: DTypeRow | undefined, shape: Shape): Tensor {
  const kind = kindOf(data)!;
  const own = storedAs[kind];
  const type = wanted ?? own ?? widenedTo[kind]!;
  if (own !== type || type.kind === "bool") return fromTyped("tensor", convertAll("tensor", data, type), type, shape);
  const asIs = type.half ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
  return fromTyped("tensor", asIs, type, shape);
}

/** The shape of nested arrays, by their first elements, and all values in row-major order. */
function flatten(data: NestedArray): { shape: number[]; values: (number | boolean | bigint)[] } {
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > 64) fail("ERR_SHAPE", "tensor", "the data is nested too deeply");
  }
  checkShape("tensor", shape);
  const values: (number | boolean | bigint)[] = [];
  const visit = (level: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof level !== "number" && typeof level !== "boolean" && typeof level !== "bigint") {
        if (Array.isArray(level))
          fail("ERR_SHAPE", "tensor", "the data is ragged", `a value at depth ${depth}`, "an array");
        fail("ERR_ARGUMENT", "tensor", "an element is not a number, boolean or bigint", undefined, describe(level));
      }
      values.push(level);
      return;
    }
    if (!Array.isArray(level) || level.length !== shape[depth]) {
      const got = Array.isArray(level) ? `one of ${level.length}` : describe(level);
      fail("ERR_SHAPE", "tensor", "the data is ragged", `arrays of ${shape[depth]} at depth ${depth}`, got);
    }
    for (const inner of level as unknown[]) visit(inner, depth + 1);
  };
  visit(data, 0);
  if (values.length !== numel(shape)) fail("ERR_SHAPE", "tensor", "the data changes while it is read");
  return { shape, values };
}

/** The dtype of plain values: booleans are bool, bigints int64, numbers the default dtype. */
function typeOfValues(values: readonly (number | boolean | bigint)[]): DTypeRow {
  const kinds = new Set(values.map((value) => typeof value));
  if (kinds.size === 1 && kinds.has("boolean")) return dtypes.bool;
  if (kinds.size === 1 && kinds.has("bigint")) return dtypes.int64;
  if (kinds.size > 1)
    fail(
      "ERR_DTYPE",
      "tensor",
      "the elements are of several types",
      "only numbers, booleans or bigints",
      [...kinds].join(" and "),
    );
  return defaultFloat();
}

/**
 * Makes a tensor from a copy of the data: a number, nested arrays of equal lengths, a typed array, or another tensor.
 *
 * The default dtype is `getDefaultDtype()` for numbers, bool for booleans, int64 for bigints, and the corresponding one
 * for typed arrays and tensors. Buffer and Uint8ClampedArray become uint8; Int8Array, Int16Array and Uint16Array int32;
 * Uint32Array and BigUint64Array int64. For bfloat16 and float16, numbers are rounded to nearest, ties to even.
 * @throws ERR_SHAPE for ragged arrays, or a `shape` with another number of elements; ERR_DTYPE for a value that an
 * integer dtype does not hold; ERR_ARGUMENT for anything that is not data; ERR_GRADIENT for an integer tensor that
 * requires grad.
 * @example tensor([[1, 2], [3, 4]]).shape; // [2, 2]
 */
export function tensor(data: NestedArray | TypedArray | Tensor, options?: TensorOptions): Tensor {
  const given = checkOptions<TensorOptions>("tensor", options, ["dtype", "shape"], ["requiresGrad"]);
  const wanted = given.dtype === undefined ? undefined : dtypeRow("tensor", given.dtype);
  const wantedShape = given.shape === undefined ? undefined : checkShape("tensor", given.shape);
  const shaped = (own: Shape): Shape => {
    if (wantedShape === undefined) return own;
    if (numel(own) !== numel(wantedShape))
      fail(
        "ERR_SHAPE",
        "tensor",
        "the data does not fill the shape",
        `${numel(wantedShape)} elements for ${showShape(wantedShape)}`,
        String(numel(own)),
      );
    return wantedShape;
  };
  let out: Tensor;
  if (isTensor(data)) {
    out = fromTypedArray(data.toTypedArray(), wanted ?? data.type, shaped(data.shape));
  } else if (kindOf(data) !== undefined) {
    out = fromTypedArray(data as TypedArray, wanted, shaped([(data as TypedArray).length]));
  } else {
    const { shape, values } = flatten(data as NestedArray);
    const type = wanted ?? typeOfValues(values);
    out = fromTyped("tensor", convertAll("tensor", values, type), type, shaped(shape));
  }
  return finish("tensor", out, given.requiresGrad);
}

/**
 * Makes a tensor of rank 0 from a number. @dtype as {@link tensor}. @throws as {@link tensor}.
 * @example scalar(3).item(); // 3
 */
export function scalar(value: number | boolean | bigint, options?: CreateOptions): Tensor {
  if (typeof value !== "number" && typeof value !== "boolean" && typeof value !== "bigint")
    fail("ERR_ARGUMENT", "scalar", "not a number, boolean or bigint", undefined, describe(value));
  const given = checkOptions<CreateOptions>("scalar", options, ["dtype"], ["requiresGrad"]);
  return named("scalar", () => tensor(value, given));
}

function constant(
  op: string,
  shape: readonly number[],
  value: number,
  type: DTypeRow,
  options?: CreateOptions,
): Tensor {
  if (typeof value !== "number") refuse(op, "the value", "a number", value);
  const given = checkOptions<CreateOptions>(op, options, ["dtype"], ["requiresGrad"]);
  const chosen = given.dtype === undefined ? type : dtypeRow(op, given.dtype);
  return finish(op, filled(op, element(op, value, chosen), chosen, checkShape(op, shape)), given.requiresGrad);
}

const like = (op: string, x: Tensor): Tensor => (isTensor(x) ? x : refuse(op, "the input", "a tensor", x));

/**
 * A tensor filled with zeros.
 * @dtype default `getDefaultDtype()`.
 * @throws ERR_ARGUMENT for an invalid size; ERR_MEMORY beyond the memory limit.
 * @example zeros([2]).toArray(); // [0, 0]
 */
export const zeros = (shape: readonly number[], options?: CreateOptions): Tensor =>
  constant("zeros", shape, 0, defaultFloat(), options);

/**
 * A tensor filled with ones.
 * @dtype default `getDefaultDtype()`.
 * @throws ERR_ARGUMENT for an invalid size; ERR_MEMORY beyond the memory limit.
 * @example ones([2]).toArray(); // [1, 1]
 */
export const ones = (shape: readonly number[], options?: CreateOptions): Tensor =>
  constant("ones", shape, 1, defaultFloat(), options);

/**
 * A tensor filled with one number.
 * @dtype default `getDefaultDtype()`.
 * @throws ERR_DTYPE for a number that an integer dtype does not hold; ERR_ARGUMENT for an invalid size.
 * @example full([2], 7).toArray(); // [7, 7]
 */
export function full(shape: readonly number[], value: number, options?: CreateOptions): Tensor {
  return constant("full", shape, value, defaultFloat(), options);
}

/**
 * Zeros, with the shape and dtype of x.
 * @example zerosLike(tensor([1, 2])).toArray(); // [0, 0]
 */
export const zerosLike = (x: Tensor, options?: CreateOptions): Tensor =>
  constant("zerosLike", like("zerosLike", x).shape, 0, x.type, options);

/**
 * Ones, with the shape and dtype of x.
 * @example onesLike(tensor([1, 2])).toArray(); // [1, 1]
 */
export const onesLike = (x: Tensor, options?: CreateOptions): Tensor =>
  constant("onesLike", like("onesLike", x).shape, 1, x.type, options);

/**
 * A tensor filled with one number, with the shape and dtype of x. @throws as {@link full}.
 * @example fullLike(tensor([1, 2]), 7).toArray(); // [7, 7]
 */
export const fullLike = (x: Tensor, value: number, options?: CreateOptions): Tensor =>
  constant("fullLike", like("fullLike", x).shape, value, x.type, options);

const arangeCode = frame.opcode("arange");

/** start + i * step. */
const progression = (op: string, start: number, step: number, length: number, type: DTypeRow): Tensor =>
  made(op, type, [length], (handle) => {
    frame.begin(arangeCode, 1, 0, [start, step]);
    frame.putFresh(0, type.code, [length], 0);
    frame.door.execute(handle);
  });

function finiteNumbers(op: string, values: readonly unknown[]): void {
  for (const value of values) needFinite(op, "a number", value);
}

/** ERR_DTYPE unless an integer dtype holds each start + i * step. */
function needTerms(type: DTypeRow, start: number, step: number, length: number): void {
  const fractions = [start, step].filter((value) => !Number.isInteger(value));
  if (fractions.length > 0)
    fail(
      "ERR_DTYPE",
      "arange",
      `a fraction does not fit ${type.name}`,
      "integers, or a float dtype",
      `${fractions[0]}`,
    );
  if (length === 0) return;
  for (const term of [BigInt(start), BigInt(start) + BigInt(step) * BigInt(length - 1)])
    if (!holds(type, term))
      fail("ERR_DTYPE", "arange", `a number does not fit ${type.name}`, showRange(type), `${term}`);
}

/**
 * The numbers from `start` (default 0) to `end`, exclusive, in steps of `step` (default 1).
 * @dtype default int32 if all three are integers, else `getDefaultDtype()`.
 * @throws ERR_ARGUMENT for a step of 0, or one that leads away from the end; ERR_DTYPE if an integer dtype does not
 * hold all of them.
 * @example arange(3).toArray(); // [0, 1, 2]
 */
export function arange(end: number, options?: CreateOptions): Tensor;
export function arange(start: number, end: number, options?: CreateOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: CreateOptions): Tensor;
export function arange(...args: (number | CreateOptions | undefined)[]): Tensor {
  const last = args[args.length - 1];
  const options = typeof last === "object" ? (args.pop() as CreateOptions) : undefined;
  const values = args.filter((arg) => arg !== undefined) as number[];
  finiteNumbers("arange", values.length === 0 ? [undefined] : values);
  const [start, end, step] = values.length === 1 ? [0, values[0]!, 1] : [values[0]!, values[1]!, values[2] ?? 1];
  if (step === 0 || (end - start) / step < 0)
    fail(
      "ERR_ARGUMENT",
      "arange",
      "the step does not lead to the end",
      undefined,
      `from ${start} to ${end} by ${step}`,
    );
  const given = checkOptions<CreateOptions>("arange", options, ["dtype"], ["requiresGrad"]);
  const integers = [start, end, step].every(Number.isInteger);
  const type = given.dtype === undefined ? (integers ? dtypes.int32 : defaultFloat()) : dtypeRow("arange", given.dtype);
  const length = Math.max(Math.ceil((end - start) / step), 0);
  checkShape("arange", [length]);
  if (type.kind !== "float") needTerms(type, start, step, length);
  const wide = progression("arange", start, step, length, type.half ? dtypes.float64 : type);
  const out = type.half ? fromTyped("arange", wide.toTypedArray(), type, [length]) : wide;
  return finish("arange", out, given.requiresGrad);
}

/**
 * `count` evenly spaced numbers from `start` to `end`, inclusive.
 * @dtype default `getDefaultDtype()`. @throws ERR_ARGUMENT unless the count is an integer of at least 0;
 * ERR_DTYPE for an integer dtype.
 * @example linspace(0, 1, 3).toArray(); // [0, 0.5, 1]
 */
export function linspace(start: number, end: number, count: number, options?: CreateOptions): Tensor {
  finiteNumbers("linspace", [start, end]);
  checkShape("linspace", [count]);
  const given = checkOptions<CreateOptions>("linspace", options, ["dtype"], ["requiresGrad"]);
  const type = given.dtype === undefined ? defaultFloat() : dtypeRow("linspace", given.dtype);
  if (type.kind !== "float") fail("ERR_DTYPE", "linspace", "not a float dtype", "a float dtype", type.name);
  const values = typedArray<TypedArray>("linspace", type.half ? Float64Array : type.array, count);
  // Computed from both ends, so that the last value is exactly `end`.
  for (let i = 0; i < count; i++) {
    const step = (end - start) / Math.max(count - 1, 1);
    values[i] = i < count / 2 ? start + i * step : end - (count - 1 - i) * step;
  }
  return finish("linspace", fromTyped("linspace", values, type, [count]), given.requiresGrad);
}

/**
 * The identity matrix with `n` rows and `m` columns (default n).
 * @dtype default `getDefaultDtype()`. @throws ERR_ARGUMENT unless the sizes are integers of at least 0.
 * @example eye(2).toArray(); // [[1, 0], [0, 1]]
 */
export function eye(n: number, m?: number | CreateOptions, options?: CreateOptions): Tensor {
  const square = m === undefined || typeof m === "object";
  const columns = square ? n : m;
  checkShape("eye", [n, columns]);
  if (typeof m === "object" && options !== undefined)
    fail("ERR_ARGUMENT", "eye", "there are options twice", "eye(n, m, options)", describe(m));
  const given = checkOptions<CreateOptions>("eye", typeof m === "object" ? m : options, ["dtype"], ["requiresGrad"]);
  const type = given.dtype === undefined ? defaultFloat() : dtypeRow("eye", given.dtype);
  const values = typedArray<TypedArray>("eye", type.array, n * columns);
  for (let i = 0; i < Math.min(n, columns); i++) values[i * columns + i] = type === dtypes.int64 ? 1n : 1;
  return finish("eye", fromTyped("eye", values, type, [n, columns]), given.requiresGrad);
}

/**
 * Whether both have the same shape and dtype and equal elements; NaN equals nothing.
 * @throws ERR_ARGUMENT unless both are tensors.
 * @example equal(tensor([1, 2]), tensor([1, 2])); // true
 */
export function equal(a: Tensor, b: Tensor): boolean {
  like("equal", a);
  like("equal", b);
  if (a.type !== b.type || !sameShape(a.shape, b.shape)) return false;
  const x = a.toTypedArray();
  const y = b.toTypedArray();
  return x.every((value: number | bigint, i: number) => value === y[i]);
}

export interface CloseOptions {
  /** The relative tolerance; default 1e-5. */
  readonly rtol?: number | undefined;
  /** The absolute tolerance; default 1e-8. */
  readonly atol?: number | undefined;
  /** Whether NaN equals NaN; default false. */
  readonly equalNan?: boolean | undefined;
}

/**
 * Whether `|a - b| <= atol + rtol |b|` for all elements; dtypes may differ.
 * @throws ERR_SHAPE if the shapes differ; ERR_ARGUMENT unless both are tensors.
 * @example allClose(tensor([1]), tensor([1.01]), { rtol: 0.1 }); // true
 */
export function allClose(a: Tensor, b: Tensor, options?: CloseOptions): boolean {
  like("allClose", a);
  like("allClose", b);
  const {
    rtol = 1e-5,
    atol = 1e-8,
    equalNan = false,
  } = checkOptions<CloseOptions>("allClose", options, ["rtol", "atol"], ["equalNan"]);
  if (!sameShape(a.shape, b.shape))
    fail("ERR_SHAPE", "allClose", "the shapes differ", showShape(a.shape), showShape(b.shape));
  const x = a.toTypedArray();
  const y = b.toTypedArray();
  for (let i = 0; i < x.length; i++) {
    const p = Number(x[i]);
    const q = Number(y[i]);
    if (p === q || (equalNan && Number.isNaN(p) && Number.isNaN(q))) continue;
    if (!(Math.abs(p - q) <= atol + rtol * Math.abs(q)) || !Number.isFinite(p - q)) return false;
  }
  return true;
}
