/** `x.at(...)`: views by position, slice and string; copies by list and mask. */
import { brand } from "../core/copy.js";
import { describe, fail, named } from "../core/errors.js";
import { axis, showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import { tensor } from "../tensor/create.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { sliceRange } from "./movement.js";
import { placesOf } from "./true-places.js";

/**
 * Bounds of a slice, counted as JavaScript's and Python's: negative ones from the end, clipped to the size.
 * @throws ERR_ARGUMENT for a bound that is not an integer, or a step of 0.
 * @example new Slice(1, 5, 2).step; // 2
 */
export class Slice {
  readonly start: number | undefined;
  readonly stop: number | undefined;
  readonly step: number;
  constructor(start?: number, stop?: number, step = 1) {
    for (const bound of [start, stop, step])
      if (bound !== undefined && !Number.isInteger(bound))
        fail("ERR_ARGUMENT", "slice", "a bound is not valid", "an integer", describe(bound));
    if (step === 0) fail("ERR_ARGUMENT", "slice", "the step must not be 0");
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}
brand("other", Slice);

/**
 * A slice for {@link at}.
 * @throws as {@link Slice}.
 * @example tensor([5, 6, 7]).at(slice(1, 3)).toArray(); // [6, 7]
 */
export const slice = (start?: number, stop?: number, step?: number): Slice => new Slice(start, stop, step);

/**
 * One entry per dimension: a position, a slice, a string of either (`"..., 1:3, ::-1"`), null for a new dimension, a list
 * or tensor of indices, or a mask.
 */
export type Index = number | string | null | Slice | Tensor | readonly number[] | readonly boolean[];

const ellipsis = Symbol("...");
type Entry = number | null | Slice | Tensor | readonly number[] | readonly boolean[] | typeof ellipsis;

/** Reads one string of entries; an error points at the character. */
function parse(text: string): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  const wrong = (position: number): never =>
    fail(
      "ERR_ARGUMENT",
      "at",
      `bad index string at character ${position + 1}: ${JSON.stringify(text)}`,
      'entries such as "1", "1:3", "::-1", "...", "null"',
      undefined,
      { position },
    );
  for (const part of text.split(",")) {
    const trimmed = part.trim();
    const first = at + part.length - part.trimStart().length;
    const found = /^(?:(\.\.\.)|(null)|(-?\d+)|(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?)$/.exec(
      trimmed.replace(/\s*:\s*/g, ":"),
    );
    if (found === null) {
      const good = /^[\s\d:.-]*/.exec(trimmed)![0].length;
      wrong(first + Math.min(good, Math.max(trimmed.length - 1, 0)));
    } else if (found[1] !== undefined) entries.push(ellipsis);
    else if (found[2] !== undefined) entries.push(null);
    else if (found[3] !== undefined) entries.push(Number(found[3]));
    else {
      const bound = (digits: string | undefined) => (digits === undefined ? undefined : Number(digits));
      if (found[6] === "0") wrong(first + trimmed.lastIndexOf("0"));
      entries.push(new Slice(bound(found[4]), bound(found[5]), bound(found[6]) ?? 1));
    }
    at += part.length + 1;
  }
  return entries;
}

/** How many dimensions of the input an entry takes. */
function taken(entry: Entry): number {
  if (entry === null || entry === ellipsis) return 0;
  if (isTensor(entry) && entry.dtype === "bool") return entry.ndim;
  return 1;
}

function sliced(x: Tensor, dim: number, s: Slice): Tensor {
  const size = x.shape[dim]!;
  const clip = (bound: number, low: number, high: number) =>
    Math.min(Math.max(bound < 0 ? bound + size : bound, low), high);
  if (s.step > 0) {
    const start = clip(s.start ?? 0, 0, size);
    const stop = clip(s.stop ?? size, 0, size);
    const length = Math.max(Math.ceil((stop - start) / s.step), 0);
    return sliceRange(x, { dim, start: length === 0 ? 0 : start, length, step: s.step });
  }
  const start = s.start === undefined ? size - 1 : clip(s.start, -1, size - 1);
  const stop = s.stop === undefined ? -1 : clip(s.stop, -1, size - 1);
  const length = Math.max(Math.ceil((stop - start) / s.step), 0);
  return sliceRange(x, { dim, start: length === 0 ? 0 : start, length, step: s.step });
}

function indexList(entry: Tensor | readonly number[] | readonly boolean[], size: number): Tensor {
  if (isTensor(entry)) return entry;
  if (entry.length > 0 && entry.every((value) => typeof value === "boolean")) {
    if (entry.length !== size)
      fail("ERR_SHAPE", "at", "the mask does not fit the dimension", String(size), String(entry.length));
    return tensor(Int32Array.from((entry as readonly boolean[]).flatMap((yes, i) => (yes ? [i] : []))));
  }
  if (!entry.every((value) => Number.isInteger(value)))
    fail("ERR_ARGUMENT", "at", "a list holds something else", "integers or booleans", describe(entry));
  return tensor(Int32Array.from(entry as readonly number[]));
}

/** Applies a mask over several dimensions, or an index tensor or list over one, from `dim` on. */
function advanced(
  x: Tensor,
  dim: number,
  entry: Tensor | readonly number[] | readonly boolean[],
): { out: Tensor; used: number } {
  if (isTensor(entry) && entry.dtype === "bool") {
    const span = x.shape.slice(dim, dim + entry.ndim);
    if (showShape(span) !== showShape(entry.shape))
      fail("ERR_SHAPE", "at", "the mask does not fit the dimensions", showShape(span), showShape(entry.shape));
    const flat = x.reshape([...x.shape.slice(0, dim), -1, ...x.shape.slice(dim + entry.ndim)]);
    return { out: flat.indexSelect(dim, placesOf(entry)), used: 1 };
  }
  const index = indexList(entry, x.shape[dim]!);
  const out = x.indexSelect(dim, index.reshape([-1]));
  const shape = [...x.shape.slice(0, dim), ...index.shape, ...x.shape.slice(dim + 1)];
  return { out: index.ndim === 1 ? out : out.reshape(shape), used: index.ndim };
}

/**
 * The part of x at the given index, one entry per dimension; what is not named is taken whole. Numbers, slices, strings
 * and null give views; index lists, index tensors and masks copy. Several lists are taken one after the other, each along
 * its own dimension.
 * @gradient zeros around the part; added up where indices repeat.
 * @throws ERR_INDEX for a position out of range (slices clip); ERR_ARGUMENT for a bad string, pointing at the character.
 * @example arange(6).reshape([2, 3]).at("1, ::-1").toArray(); // [5, 4, 3]
 */
export function at(x: Tensor, ...index: readonly Index[]): Tensor {
  needTensor("at", x);
  const entries: Entry[] = index.flatMap((entry): Entry[] => (typeof entry === "string" ? parse(entry) : [entry]));
  for (const entry of entries) {
    const fine =
      entry === null ||
      entry === ellipsis ||
      typeof entry === "number" ||
      entry instanceof Slice ||
      isTensor(entry) ||
      Array.isArray(entry);
    if (!fine)
      fail("ERR_ARGUMENT", "at", "not an index", "a number, string, null, slice, list or tensor", describe(entry));
  }
  const used = entries.map(taken).reduce((sum, n) => sum + n, 0);
  if (used > x.ndim) fail("ERR_INDEX", "at", "too many indices", `at most ${x.ndim}`, String(used));
  if (entries.filter((entry) => entry === ellipsis).length > 1)
    fail("ERR_ARGUMENT", "at", "more than one ellipsis", 'at most one "..."');
  return named("at", () => picked(x, entries, x.ndim - used));
}

/** Entry by entry; an ellipsis stands for `rest` dimensions. */
function picked(x: Tensor, entries: readonly Entry[], rest: number): Tensor {
  let out = x;
  let dim = 0;
  for (const entry of entries) {
    if (entry === ellipsis) dim += rest;
    else if (entry === null) out = out.unsqueeze(dim++);
    else if (typeof entry === "number") {
      const size = out.shape[axis("at", dim, out.ndim)]!;
      if (!Number.isInteger(entry))
        fail("ERR_ARGUMENT", "at", "a position is not valid", "an integer", describe(entry));
      if (entry < -size || entry >= size)
        fail("ERR_INDEX", "at", `position out of range for dim ${dim}`, `${-size} to ${size - 1}`, String(entry));
      out = sliceRange(out, { dim, start: entry < 0 ? entry + size : entry, length: 1, step: 1 }).squeeze(dim);
    } else if (entry instanceof Slice) out = sliced(out, dim++, entry);
    else {
      const result = advanced(out, dim, entry);
      out = result.out;
      dim += result.used;
    }
  }
  return out === x ? x.at(null).squeeze(0) : out;
}
