/** `x.at(...)`: views by position, slice and string; copies by list and mask. */
import { refuse } from "../core/arguments.js";
import { describe, fail, named, showBounds } from "../core/errors.js";
import { axis, showShape } from "../core/shape.js";
import { Batched } from "../engine/batched.js";
import { needIndex, needTensor } from "../engine/operand.js";
import { tensor } from "../tensor/from-data.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { copiedByAt } from "./copied-by-at.js";
import { type Entry, entriesOf, type Index, type List, Slice } from "./index-entries.js";
import { jointPlaces, type Lookup, type Places } from "./joint-places.js";
import { sliceRange } from "./slice.js";
import { placesOf } from "./true-places.js";

function sliced(x: Tensor, dim: number, s: Slice): Tensor {
  if (s.start === undefined && s.stop === undefined && s.step === 1) return x;
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

function selected(op: string, x: Tensor, dim: number, position: number): Tensor {
  const size = x.shape[axis(op, dim, x.ndim)]!;
  if (!Number.isInteger(position)) refuse(op, "a position", "an integer", position);
  if (position < -size || position >= size)
    fail("ERR_INDEX", op, `position out of range for dim ${dim}`, showBounds(-size, size - 1), String(position));
  const start = position < 0 ? position + size : position;
  return sliceRange(x, { dim, start, length: 1, step: 1 }).squeeze(dim);
}

/** An array as an index tensor; an array of booleans as the positions of true. */
function indexList(op: string, entry: List, size: number): Tensor {
  if (isTensor(entry)) return needIndex(op, entry);
  return listed(op, [...entry], size); // a hole is undefined
}

function listed(op: string, entry: readonly (number | boolean)[], size: number): Tensor {
  if (entry.length > 0 && entry.every((value) => typeof value === "boolean")) {
    if (entry.length !== size)
      fail("ERR_SHAPE", op, "the mask does not fit the dimension", String(size), String(entry.length));
    return tensor(Int32Array.from((entry as readonly boolean[]).flatMap((yes, i) => (yes ? [i] : []))));
  }
  if (!entry.every((value) => Number.isInteger(value)))
    fail("ERR_ARGUMENT", op, "a list holds something else", "integers or booleans", describe(entry));
  return tensor(Int32Array.from(entry as readonly number[]));
}

function maskPlaces(op: string, x: Tensor, dim: number, mask: Tensor): Tensor {
  const span = x.shape.slice(dim, dim + mask.ndim);
  if (showShape(span) !== showShape(mask.shape))
    fail("ERR_SHAPE", op, "the mask does not fit the dimensions", showShape(span), showShape(mask.shape));
  return placesOf(mask);
}

interface Viewed {
  readonly part: Tensor;
  /** The remaining index lists, each with the dimensions of `part` that it indexes. */
  readonly lists: readonly Lookup[];
}

/** @internal x indexed by everything that gives views: positions, slices and new dimensions. */
export function viewed(op: string, x: Tensor, entries: readonly Entry[]): Viewed {
  const lists: Lookup[] = [];
  let part = x;
  let dim = 0;
  for (const entry of entries) {
    if (typeof entry === "number") part = selected(op, part, dim, entry);
    else if (entry === null) part = part.unsqueeze(dim++);
    else if (entry instanceof Slice) part = sliced(part, dim++, entry);
    else if (isTensor(entry) && entry.dtype === "bool") {
      if (entry.ndim === 0) part = part.unsqueeze(dim);
      const axes = Math.max(entry.ndim, 1);
      lists.push({ dim, axes, index: entry.ndim === 0 ? placesOf(entry) : maskPlaces(op, part, dim, entry) });
      dim += axes;
    } else if (isTensor(entry) && entry.ndim === 0) {
      const index = needIndex(op, entry);
      part =
        index instanceof Batched
          ? part.indexSelect(dim, index.reshape([1])).squeeze(dim)
          : selected(op, part, dim, index.item());
    } else {
      lists.push({ dim, axes: 1, index: indexList(op, entry, part.shape[dim]!) });
      dim++;
    }
  }
  return { part, lists };
}

/** The elements of x at positions in some of its dimensions. */
function lookUp(x: Tensor, { first, end, index }: Places): Tensor {
  const before = x.shape.slice(0, first);
  const after = x.shape.slice(end);
  const joined = end - first === 1 ? x : x.flatten(first, end - 1);
  const out = joined.indexSelect(first, index.ndim === 1 ? index : index.reshape([-1]));
  return index.ndim === 1 ? out : out.reshape([...before, ...index.shape, ...after]);
}

/** Indexes x; several lists are paired element by element, or taken in every combination (outer). */
function part(x: Tensor, index: readonly Index[], together: boolean): Tensor {
  needTensor("at", x);
  const entries = entriesOf("at", index, x.ndim);
  return named("at", () => {
    const { part, lists } = viewed("at", x, entries);
    if (lists.length === 0) {
      const view = part === x ? x.unsqueeze(0).squeeze(0) : part;
      if (copiedByAt.has(x)) copiedByAt.add(view);
      return view;
    }
    const places = together
      ? [jointPlaces("at", part.shape, lists, "shapes that broadcast, or x.at.outer(...) for every combination")]
      : lists.map((list) => jointPlaces("at", part.shape, [list])).reverse();
    const out = places.reduce(lookUp, part);
    copiedByAt.add(out);
    return out;
  });
}

/**
 * Indexes x, one entry per dimension; dimensions without an entry are taken whole. Numbers, integer tensors of rank 0,
 * slices, strings and null give views. Index lists (arrays, index tensors and masks) copy, as in PyTorch: numbers and
 * tensors of rank 0 are applied first; then the lists broadcast together (a mask of k dimensions counts as k lists) and
 * are paired element by element. {@link at.outer} takes every combination instead. The value of a tensor of rank 0 and
 * the number of true elements of a mask are read back into JavaScript, because they decide where a view begins, and the
 * shape.
 * @shape the broadcast dimensions of the lists stand in the place of the first list, or come first if a slice or null
 * is between the lists. @dtype that of x.
 * @gradient the incoming gradient at the index, accumulated where indices repeat; zeros elsewhere.
 * @throws ERR_INDEX for a position out of range (slices clip); ERR_SHAPE for lists that do not broadcast, or a mask
 * that does not fit; ERR_ARGUMENT for a malformed string; the message points at the character.
 * @example arange(6).reshape([2, 3]).at("1, ::-1").toArray(); // [5, 4, 3]
 * @example arange(6).reshape([2, 3]).at([0, 1], [2, 0]).toArray(); // [2, 3]
 */
export function at(x: Tensor, ...index: readonly Index[]): Tensor {
  return part(x, index, true);
}

/**
 * As {@link at}, but each list is applied to its own dimension, so that the result has every combination, as with
 * NumPy's `ix_`.
 * @shape the dimensions of each list stand in the place of those that it indexes.
 * @gradient as {@link at}.
 * @throws as {@link at}.
 * @example arange(6).reshape([2, 3]).at.outer([0, 1], [2, 0]).toArray(); // [[2, 0], [5, 3]]
 */
at.outer = (x: Tensor, ...index: readonly Index[]): Tensor => part(x, index, false);

/** `x.at(...)` and `x.at.outer(...)`. */
export interface At {
  /** The part of x at an index; see {@link at}. */
  (...index: readonly Index[]): Tensor;
  /** The part of x at every combination of the lists; see {@link at}. */
  outer(...index: readonly Index[]): Tensor;
}
