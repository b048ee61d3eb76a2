import { refuse } from "./arguments.js";
import { describe, fail } from "./errors.js";

/** Sizes of a tensor's dimensions, outermost first. */
export type Shape = readonly number[];

export function numel(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

/** A shape in a message. The sizes may be unchecked: `join` would run their `toString`, which may throw. */
export const showShape = (shape: Shape): string => `[${mapList(shape, describe).join(", ")}]`;

/** The index of an element, by its position in row-major order, as `[1, 2]`. */
export function showIndex(position: number, shape: Shape): string {
  const index: number[] = [];
  let rest = position;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    index.unshift(rest % shape[dim]!);
    rest = Math.floor(rest / shape[dim]!);
  }
  return showShape(index);
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Row-major strides, in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= Math.max(shape[i]!, 1);
  }
  return strides;
}

export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 0) return true;
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i]!;
  }
  return true;
}

/** The broadcast shape, by NumPy's rule: sizes are matched from the last, 1 is expanded. */
export function broadcast(op: string, a: Shape, b: Shape, expected = "equal sizes or 1"): Shape {
  if (sameShape(a, b)) return a;
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      fail("ERR_SHAPE", op, "shapes do not broadcast", expected, `${showShape(a)} and ${showShape(b)}`);
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** A dimension counted from the front; ERR_AXIS unless -rank <= dim < rank. A rank-0 tensor has dimension 0 and -1. */
export function axis(op: string, dim: unknown, rank: number): number {
  if (typeof dim !== "number" || !Number.isInteger(dim)) refuse(op, "dim", "an integer", dim);
  const bound = Math.max(rank, 1);
  if (dim < -bound || dim >= bound)
    fail("ERR_AXIS", op, "dim is out of range", `${-bound} to ${bound - 1} for rank ${rank}`, String(dim));
  return dim < 0 ? dim + bound : dim;
}

/** As `map`, but a hole in the list is undefined. `Array.from` takes three times as long. */
export function mapList<T, U>(list: readonly T[], f: (value: T, i: number) => U): U[] {
  const { length } = list;
  const out: U[] = [];
  for (let i = 0; i < length; i++) out.push(f(list[i] as T, i));
  return out;
}

/** A dimension, or an array of them in the given order, as indices from the front. */
export function dimList(op: string, dims: number | readonly number[], rank: number): number[] {
  if (typeof dims === "number") return [axis(op, dims, rank)];
  const list: unknown = dims;
  if (!Array.isArray(list)) refuse(op, "dim", "an integer or a list of them", dims);
  return mapList(list as readonly unknown[], (dim) => axis(op, dim, rank));
}

/** Distinct dimensions in ascending order. */
export function axes(op: string, dims: number | readonly number[], rank: number): number[] {
  const out = dimList(op, dims, rank).sort((a, b) => a - b);
  for (let i = 1; i < out.length; i++)
    if (out[i] === out[i - 1])
      fail("ERR_AXIS", op, "a dim is given twice", "distinct dims", showShape(dims as readonly number[]));
  return out;
}

/** Checks the sizes of a shape: nonnegative integers, at most `maxRank` of them. */
export function checkShape(op: string, shape: unknown): Shape {
  if (!Array.isArray(shape)) refuse(op, "the shape", "an array of sizes", shape);
  checkRank(op, shape.length);
  // Copies first, so that what was checked is what is used, even for a Proxy.
  const sizes: unknown[] = shape.slice();
  checkRank(op, sizes.length);
  let n = 1;
  for (const size of sizes) {
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0)
      refuse(op, "a size", "an integer of at least 0", size);
    n *= Math.max(size, 1);
  }
  if (n > 2 ** 50)
    fail("ERR_MEMORY", op, "the tensor is too large", "at most 2^50 elements", showShape(sizes as number[]));
  return sizes as number[];
}

/** ERR_SHAPE for more dimensions than the maximum. */
export function checkRank(op: string, rank: number): void {
  if (rank > maxRank) fail("ERR_SHAPE", op, "too many dimensions", `at most ${maxRank}`, String(rank));
}

export let maxRank = 16;

/** @internal Told by the add-on when it is loaded. */
export function setMaxRank(rank: number): void {
  maxRank = rank;
}
