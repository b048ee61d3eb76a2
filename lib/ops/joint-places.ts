/** Combines several index lists, each for its own dimensions, into one list of positions. */
import { broadcast, numel, type Shape } from "../core/shape.js";
import { arange } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { placesIn } from "./checked.js";

/** @internal Indices into `axes` dimensions from `dim` on, combined to row-major positions. */
export interface Lookup {
  readonly dim: number;
  readonly axes: number;
  readonly index: Tensor;
}

/** @internal Row-major positions in the dimensions from `first` to before `end`. */
export interface Places {
  readonly first: number;
  readonly end: number;
  readonly index: Tensor;
}

/**
 * @internal The positions of paired index lists, broadcast together. If a full dimension lies between two lists, their
 * dimensions come first, so every dimension before the last list is indexed: full ones by all their indices.
 */
export function jointPlaces(op: string, shape: Shape, lists: readonly Lookup[], expected?: string): Places {
  const last = lists.at(-1)!;
  const end = last.dim + last.axes;
  if (lists.length === 1) return { first: last.dim, end, index: last.index };
  lists.reduce((all: Shape, { index }) => broadcast(op, all, index.shape, expected), []);
  const apart = lists.some((list, i) => i > 0 && list.dim !== lists[i - 1]!.dim + lists[i - 1]!.axes);
  const first = apart ? 0 : lists[0]!.dim;
  let wholes = end - first - lists.reduce((sum, { axes }) => sum + axes, 0);
  const right = new Array<number>(wholes).fill(1);
  let places: Tensor | null = null;
  for (let dim = first; dim < end; ) {
    const list = lists.find((each) => each.dim === dim);
    const axes = list?.axes ?? 1;
    const size = numel(shape.slice(dim, dim + axes));
    let index: Tensor;
    if (list === undefined) index = arange(size).reshape([size, ...new Array<number>(--wholes).fill(1)]);
    else {
      index = placesIn(list.index, size).reshape([...list.index.shape, ...right]);
    }
    places = places === null ? index : places.mul(size).add(index);
    dim += axes;
  }
  return { first, end, index: places! };
}
