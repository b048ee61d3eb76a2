/** Tensors from JavaScript data. */
import { type DTypeRow, defaultFloat, dtypeRow, dtypes, holds, showRange, type TypedArray } from "../core/dtype.js";
import { describe, fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { checkShape, numel, type Shape, showShape } from "../core/shape.js";
import { fromTyped } from "./allocate.js";
import { type CreateOptions, finish } from "./create-options.js";
import { typedArray } from "./javascript-memory.js";
import { isTensor, type NestedArray, type Tensor } from "./tensor.js";

export interface TensorOptions extends CreateOptions {
  /** The shape, for an array or typed array of all elements in row-major order. */
  readonly shape?: readonly number[] | undefined;
}

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
export function element(op: string, value: number | bigint | boolean, type: DTypeRow): number | bigint {
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
