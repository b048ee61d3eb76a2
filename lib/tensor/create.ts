/** Tensors of constants and progressions. Random ones are in ops/random.ts. */
import { needFinite, refuse } from "../core/arguments.js";
import { type DTypeRow, defaultFloat, dtypeRow, dtypes, holds, showRange, type TypedArray } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { checkShape } from "../core/shape.js";
import { filled, fromTyped, progression } from "./allocate.js";
import { type CreateOptions, finish } from "./create-options.js";
import { element } from "./from-data.js";
import { typedArray } from "./javascript-memory.js";
import { isTensor, type Tensor } from "./tensor.js";

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
  // A difference that overflows is halved.
  const part = Number.isFinite(end - start) ? 1 : 0.5;
  const step = (end * part - start * part) / Math.max(count - 1, 1);
  // Computed from both ends, so that the last value is exactly `end`.
  for (let i = 0; i < count; i++)
    values[i] = i < count / 2 ? start + (i * step) / part : end - ((count - 1 - i) * step) / part;
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
