/** Ops that repeat, roll and pad. */
import { needChoice, needInteger, refuse } from "../core/arguments.js";
import { describe, fail, showBounds } from "../core/errors.js";
import { checkOptions, keysOf } from "../core/options.js";
import { axis, checkShape, dimList, type Shape, showShape } from "../core/shape.js";
import { needIndex, needTensor } from "../engine/operand.js";
import { filled } from "../tensor/allocate.js";
import { arange } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { asNumber } from "./element.js";
import { fresh } from "./fresh.js";
import { cat } from "./join.js";

function needSizes(op: string, what: string, sizes: unknown, least?: number): readonly number[] {
  if (!Array.isArray(sizes))
    fail("ERR_ARGUMENT", op, `there is no list for ${what}`, "a list of integers", describe(sizes));
  return Array.from(sizes, (size) => needInteger(op, "a number of the list", size, least));
}

/** x repeated along each dimension of the result, which may have additional leading ones. */
function repeated(op: string, x: Tensor, times: readonly number[]): Tensor {
  const sizes = times.map((_, d) => x.shape[d - times.length + x.ndim] ?? 1);
  const pairs = (ones: boolean): Shape => times.flatMap((n, d) => (n === 1 ? [sizes[d]!] : [ones ? 1 : n, sizes[d]!]));
  const target = checkShape(op, pairs(false));
  const out = x
    .reshape(pairs(true))
    .expand(target)
    .reshape(times.map((n, d) => n * sizes[d]!));
  return fresh(out, x);
}

/**
 * Repeats x the given number of times along each dimension; additional numbers add leading dimensions. Always copies.
 * @gradient the incoming gradient, summed over the repetitions.
 * @throws ERR_SHAPE for fewer numbers than dimensions; ERR_ARGUMENT for negative ones.
 * @example tensor([1, 2]).repeat([2, 2]).toArray(); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function repeat(x: Tensor, sizes: readonly number[]): Tensor {
  needTensor("repeat", x);
  const times = needSizes("repeat", "the sizes", sizes, 0);
  if (times.length < x.ndim) fail("ERR_SHAPE", "repeat", "too few numbers", `at least ${x.ndim}`, String(times.length));
  return repeated("repeat", x, times);
}

/**
 * As {@link repeat}, but there may be fewer numbers than dimensions: then the first dimensions are not repeated.
 * @gradient the incoming gradient, summed over the repetitions.
 * @throws ERR_ARGUMENT for negative numbers.
 * @example tensor([[1], [2]]).tile([2]).toArray(); // [[1, 1], [2, 2]]
 */
export function tile(x: Tensor, dims: readonly number[]): Tensor {
  needTensor("tile", x);
  const times = needSizes("tile", "the dims", dims, 0);
  const missing = Math.max(x.ndim - times.length, 0);
  return repeated("tile", x, [...new Array<number>(missing).fill(1), ...times]);
}

/**
 * Repeats each slice along a dimension: all the same number of times, or each as often as its entry of a tensor
 * `repeats`. Without `dim`, the elements of the flattened x. The sum of a tensor `repeats` is read back into
 * JavaScript, because it decides the shape.
 * @gradient the incoming gradient, summed over the repetitions.
 * @throws ERR_ARGUMENT for negative numbers; ERR_SHAPE unless `repeats` has one entry for each slice.
 * @example tensor([1, 2]).repeatInterleave(2).toArray(); // [1, 1, 2, 2]
 */
export function repeatInterleave(x: Tensor, repeats: number | Tensor, dim?: number): Tensor {
  const op = "repeatInterleave";
  needTensor(op, x);
  if (dim !== undefined) axis(op, dim, x.ndim);
  if (dim === undefined || x.ndim === 0) return repeatInterleave(x.reshape([-1]), repeats, 0);
  const at = axis(op, dim, x.ndim);
  const size = x.shape[at]!;
  if (typeof repeats !== "number") {
    const counts = needIndex(op, repeats).reshape([-1]);
    if (repeats.ndim > 1 || (counts.numel !== 1 && counts.numel !== size))
      fail("ERR_SHAPE", op, "the repeats do not fit the dimension", showShape([size]), showShape(repeats.shape));
    if (counts.numel === 1) return repeatInterleave(x, counts.item(), at);
    if (counts.numel > 0) needInteger(op, "a number of repeats", counts.amin().item(), 0);
    // Position j of the result is a copy of element i if it lies between the cumulative counts before and after i.
    const [total] = checkShape(op, [counts.sum().item()]) as [number];
    return x.indexSelect(at, counts.cumsum(0).searchsorted(arange(total), { right: true }));
  }
  const times = needInteger(op, "the number of repeats", repeats, 0);
  const target = checkShape(op, x.shape.toSpliced(at + 1, 0, times));
  const out = x
    .unsqueeze(at + 1)
    .expand(target)
    .flatten(at, at + 1);
  return fresh(out, x);
}

/**
 * Rolls x along dimensions by the given shifts; what leaves at one end enters at the other. Without `dims`, x is rolled
 * as if it were flattened.
 * @shape that of x.
 * @gradient the incoming gradient, rolled back.
 * @throws ERR_ARGUMENT unless there are as many shifts as dims; ERR_AXIS for a dim out of range.
 * @example tensor([1, 2, 3]).roll(1).toArray(); // [3, 1, 2]
 */
export function roll(x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[]): Tensor {
  needTensor("roll", x);
  const by = needSizes("roll", "the shifts", typeof shifts === "number" ? [shifts] : shifts);
  const along = dims === undefined ? [0] : dimList("roll", dims, x.ndim);
  if (by.length !== along.length)
    fail("ERR_ARGUMENT", "roll", "there must be a shift for each dim", String(along.length), String(by.length));
  const whole = dims === undefined || x.ndim === 0 ? x.reshape([-1]) : x;
  const rolled = along.reduce((y, dim, i) => {
    const size = y.shape[dim]!;
    const front = size === 0 ? 0 : ((by[i]! % size) + size) % size;
    return front === 0 ? y : cat([y.narrow(dim, size - front, front), y.narrow(dim, 0, size - front)], dim);
  }, whole);
  return fresh(rolled.reshape(x.shape), x);
}

export type PadMode = "constant" | "reflect" | "replicate" | "circular";
export interface PadOptions {
  /** How the border is filled; default "constant". */
  readonly mode?: PadMode | undefined;
  /** The constant; default 0. */
  readonly value?: number | undefined;
}

type Border = (x: Tensor, dim: number, width: number, front: boolean, value: number) => Tensor;
const borders: Readonly<Record<PadMode, Border>> = {
  constant: (x, dim, width, _, value) => filled("pad", value, x.type, []).expand(x.shape.with(dim, width)),
  reflect: (x, dim, width, front) => x.narrow(dim, front ? 1 : x.shape[dim]! - 1 - width, width).flip(dim),
  replicate: (x, dim, width, front) => x.narrow(dim, front ? 0 : x.shape[dim]! - 1, 1).expand(x.shape.with(dim, width)),
  circular: (x, dim, width, front) => x.narrow(dim, front ? x.shape[dim]! - width : 0, width),
};
/** The widest border that the mode can fill from n elements. */
const widest: Readonly<Record<PadMode, (n: number) => number>> = {
  constant: () => Number.POSITIVE_INFINITY,
  reflect: (n) => Math.max(n - 1, 0),
  replicate: (n) => (n === 0 ? 0 : Number.POSITIVE_INFINITY),
  circular: (n) => n,
};

/**
 * Pads x. `padding` is [before, after] for the last dimension, then [before, after] for the one before it, and so on,
 * in one flat array, as in PyTorch. Negative widths crop.
 * @gradient the part of the incoming gradient at x; in modes other than "constant", the gradients of repeated elements
 * are accumulated.
 * @throws ERR_ARGUMENT for an odd number of widths; ERR_SHAPE for more than two widths per dimension, or a border wider
 * than the mode allows; ERR_DTYPE for a value that x's integer dtype does not hold.
 * @example tensor([1, 2, 3]).pad([1, 2], { mode: "reflect" }).toArray(); // [2, 1, 2, 3, 2, 1]
 */
export function pad(x: Tensor, padding: readonly number[], options?: PadOptions): Tensor {
  needTensor("pad", x);
  const widths = needSizes("pad", "the padding", padding);
  const { mode = "constant", value = 0 } = checkOptions<PadOptions>("pad", options, ["mode", "value"]);
  needChoice("pad", "mode", mode, keysOf(borders));
  if (typeof value !== "number") refuse("pad", "the value", "a number", value);
  const constant = asNumber("pad", x.type, value);
  if (widths.length % 2 !== 0)
    fail("ERR_ARGUMENT", "pad", "the padding must hold pairs", "an even number", String(widths.length));
  if (widths.length > 2 * x.ndim)
    fail("ERR_SHAPE", "pad", "more pairs than dimensions", `at most ${2 * x.ndim} numbers`, String(widths.length));
  let out = x;
  for (let i = 0; i < widths.length; i += 2) {
    const [before, after] = [widths[i]!, widths[i + 1]!];
    const dim = x.ndim - 1 - i / 2;
    const size = x.shape[dim]!;
    const most = widest[mode](size);
    const cut = Math.max(-before, 0);
    const kept = size - cut - Math.max(-after, 0);
    if (Math.max(before, after) > most || kept < 0)
      fail("ERR_SHAPE", "pad", "the border does not fit", showBounds(-size, most), `${before} and ${after}`);
    checkShape("pad", out.shape.with(dim, size + before + after));
    const border = (width: number, front: boolean): Tensor[] =>
      width > 0 ? [borders[mode](out, dim, width, front, constant)] : [];
    if (before !== 0 || after !== 0)
      out = cat([...border(before, true), out.narrow(dim, cut, kept), ...border(after, false)], dim);
  }
  return fresh(out, x);
}

export interface MeshgridOptions {
  /** "ij": the first vector varies along the first dimension; "xy": along the second. Default "ij". */
  readonly indexing?: "ij" | "xy" | undefined;
}

/**
 * Coordinate grids of vectors: one view for each vector, all of the same shape.
 * @shape [n], [m], .. give [n, m, ..]; for "xy" [m, n, ..].
 * @gradient the incoming gradient, summed over the repetitions.
 * @throws ERR_SHAPE for a tensor of rank above 1; ERR_ARGUMENT for an empty array.
 * @example meshgrid([tensor([1, 2]), tensor([3, 4])]).map((x) => x.toArray()); // [[[1, 1], [2, 2]], [[3, 4], [3, 4]]]
 */
export function meshgrid(tensors: readonly Tensor[], options?: MeshgridOptions): Tensor[] {
  if (!Array.isArray(tensors) || tensors.length === 0) refuse("meshgrid", "the input", "a list of tensors", tensors);
  const { indexing = "ij" } = checkOptions<MeshgridOptions>("meshgrid", options, ["indexing"]);
  needChoice("meshgrid", "indexing", indexing, ["ij", "xy"]);
  for (const x of tensors as readonly Tensor[])
    if (needTensor("meshgrid", x, "every element").ndim > 1)
      fail("ERR_SHAPE", "meshgrid", "not a list", "rank 1 or 0", showShape(x.shape));
  const shape = checkShape(
    "meshgrid",
    tensors.map((x: Tensor) => x.numel),
  );
  const grids = (tensors as readonly Tensor[]).map((x, i) =>
    x.reshape(shape.map((_, d) => (d === i ? x.numel : 1))).expand(shape),
  );
  return indexing === "xy" && grids.length > 1 ? grids.map((grid) => grid.transpose(0, 1)) : grids;
}
