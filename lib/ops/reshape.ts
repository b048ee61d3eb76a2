/** Views of all elements with other sizes. Only a reshape that cannot be a view copies. */
import { needInteger, refuse } from "../core/arguments.js";
import { fail, named } from "../core/errors.js";
import {
  axes,
  axis,
  checkRank,
  contiguousStrides,
  mapList,
  numel,
  type Shape,
  sameShape,
  showShape,
} from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import { view } from "../engine/view.js";
import type { Tensor } from "../tensor/tensor.js";
import { asView, layoutOf } from "./view-rows.js";

const reshapeRow = defineRow<Shape>({
  ...asView,
  name: "reshape",
  rule: { kind: "linear", transpose: (g, c) => g.reshape(c.inputShapes[0]!) },
  replay: ([x], shape) => reshape(x as Tensor, shape),
  batch: { params: (shape, batchSize) => [batchSize, ...shape] },
});

/** The strides of x under the new shape, without moving elements; undefined if impossible. */
function viewStrides(x: Tensor, shape: Shape): readonly number[] | undefined {
  if (x.layout === null || numel(shape) === 0) return contiguousStrides(shape);
  // Groups of old dimensions that can be merged, innermost first: [elements, innermost stride].
  const runs: [number, number][] = [];
  let expected = Number.NaN;
  for (let d = x.shape.length - 1; d >= 0; d--) {
    const size = x.shape[d]!;
    if (size === 1) continue;
    const stride = x.layout[d]!;
    if (stride === expected) runs[runs.length - 1]![0] *= size;
    else runs.push([size, stride]);
    expected = stride * size;
  }
  // Each new dimension must divide what is left of one group.
  const strides = new Array<number>(shape.length).fill(1);
  let run = 0;
  let [left, stride] = runs[0] ?? [1, 1];
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d]!;
    if (size === 1) continue;
    if (left === 1) [left, stride] = runs[++run]!;
    if (left % size !== 0) return undefined;
    strides[d] = stride;
    stride *= size;
    left /= size;
  }
  return strides;
}

/** The shape with its one -1 filled in. */
function inferShape(op: string, shape: readonly number[], elements: number): Shape {
  if (!Array.isArray(shape)) refuse(op, "the shape", "an array of sizes", shape);
  checkRank(op, shape.length);
  let known = 1;
  let open = -1;
  const filled = mapList(shape, (size, i) => {
    if (size === -1 && open < 0) open = i;
    else known *= needInteger(op, "a size", size, 0);
    return size;
  });
  if (open >= 0) filled[open] = known === 0 ? 0 : elements / known;
  if (numel(filled) !== elements || !Number.isInteger(filled[open] ?? 0))
    fail("ERR_SHAPE", op, "the number of elements differs", `${elements} elements`, showShape(shape));
  return filled;
}

/**
 * The elements in row-major order with another shape; one size may be -1, which is then inferred. A view if the strides
 * allow it, else a copy.
 * @gradient the incoming gradient, reshaped back.
 * @throws ERR_SHAPE if the numbers of elements differ.
 * @example arange(6).reshape([2, -1]).shape; // [2, 3]
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  needTensor("reshape", x);
  const target = inferShape("reshape", shape, x.numel);
  const strides = viewStrides(x, target);
  if (strides === undefined) return reshape(x.contiguous(), target);
  return view(reshapeRow, x, target, layoutOf(target, strides), x.offset, target);
}

/**
 * As {@link reshape}, but always a view.
 * @throws ERR_SHAPE also where the strides do not allow a view.
 * @example arange(6).view([3, 2]).shape; // [3, 2]
 */
function viewAs(x: Tensor, shape: readonly number[]): Tensor {
  needTensor("view", x);
  const target = inferShape("view", shape, x.numel);
  if (viewStrides(x, target) === undefined)
    fail(
      "ERR_SHAPE",
      "view",
      "the strides do not allow a view",
      "strides that can be merged, or reshape",
      `strides ${showShape(x.strides)}`,
    );
  return reshape(x, target);
}

export { viewAs as view };

const expandRow = defineRow<Shape>({
  ...asView,
  name: "expand",
  rule: { kind: "linear", transpose: (g, c) => g.sumToSize(c.inputShapes[0]!) },
  replay: ([x], shape) => expand(x as Tensor, shape),
  batch: { broadcast: true, params: (shape, batchSize) => [batchSize, ...shape] },
});

/**
 * A view with dimensions of size 1 broadcast to other sizes, and leading dimensions added; -1 keeps a size.
 * @gradient the incoming gradient, summed over broadcast dimensions.
 * @throws ERR_SHAPE if a dimension of a size other than 1 would change.
 * @example tensor([[1], [2]]).expand([2, 3]).toArray(); // [[1, 1, 1], [2, 2, 2]]
 */
export function expand(x: Tensor, shape: readonly number[]): Tensor {
  needTensor("expand", x);
  if (!Array.isArray(shape)) refuse("expand", "the shape", "an array of sizes", shape);
  checkRank("expand", shape.length);
  const extra = shape.length - x.ndim;
  const { strides } = x;
  const layout: number[] = [];
  const target = mapList(shape, (size, d) => {
    const own = x.shape[d - extra];
    const wanted = size === -1 ? (own ?? -1) : size;
    needInteger("expand", "a size", wanted, 0);
    if (own !== undefined && own !== wanted && own !== 1)
      fail("ERR_SHAPE", "expand", "only dimensions of size 1 stretch", showShape(x.shape), showShape(shape));
    layout.push(own === undefined || own !== wanted ? 0 : strides[d - extra]!);
    return wanted;
  });
  if (extra < 0)
    fail("ERR_SHAPE", "expand", "the shape has too few dimensions", `at least ${x.ndim}`, showShape(shape));
  if (sameShape(target, x.shape)) return x;
  return view(expandRow, x, target, layoutOf(target, layout), x.offset, target);
}

/**
 * NumPy's name for {@link expand}. @gradient as expand. @throws as expand.
 * @example tensor([1, 2]).broadcastTo([3, 2]).shape; // [3, 2]
 */
export const broadcastTo = (x: Tensor, shape: readonly number[]): Tensor =>
  named("broadcastTo", () => expand(x, shape));

/** A view of x with the given sizes and strides; squeeze and unsqueeze know the layout. */
const relabel = (x: Tensor, shape: Shape, strides: readonly number[]): Tensor =>
  view(reshapeRow, x, shape, layoutOf(shape, strides), x.offset, shape);

/**
 * A view without dimensions of size 1: all of them, or the named ones (a named one of another size is kept).
 * @gradient the incoming gradient, reshaped back.
 * @throws ERR_AXIS for a dim out of range.
 * @example zeros([1, 3, 1]).squeeze().shape; // [3]
 */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  needTensor("squeeze", x);
  const gone = dim === undefined ? x.shape.map((_, i) => i) : axes("squeeze", dim, x.ndim);
  const kept = x.shape.map((_, i) => i).filter((i) => x.shape[i] !== 1 || !gone.includes(i));
  if (kept.length === x.ndim) return x;
  const { strides } = x;
  return relabel(
    x,
    kept.map((i) => x.shape[i]!),
    kept.map((i) => strides[i]!),
  );
}

/**
 * A view with a dimension of size 1 inserted at `dim`; a negative one counts from the end of the result.
 * @gradient the incoming gradient, reshaped back.
 * @throws ERR_AXIS for a dim out of range.
 * @example zeros([3]).unsqueeze(0).shape; // [1, 3]
 */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  needTensor("unsqueeze", x);
  const at = axis("unsqueeze", dim, x.ndim + 1);
  checkRank("unsqueeze", x.ndim + 1);
  const shape = x.shape.slice();
  const strides = x.strides.slice();
  shape.splice(at, 0, 1);
  strides.splice(at, 0, 1);
  return relabel(x, shape, strides);
}

/**
 * Flattens the dimensions from `start` to `end` (inclusive) into one. A view if the strides allow it, else a copy.
 * @gradient the incoming gradient, reshaped back.
 * @throws ERR_AXIS for a dim out of range, or a start after the end.
 * @example zeros([2, 3, 4]).flatten(1).shape; // [2, 12]
 */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  needTensor("flatten", x);
  const first = axis("flatten", start, x.ndim);
  const last = axis("flatten", end, x.ndim);
  if (first > last) fail("ERR_AXIS", "flatten", "start comes after end", "start up to end", `${start} and ${end}`);
  if (x.ndim === 0) return x.reshape([1]);
  const joined = numel(x.shape.slice(first, last + 1));
  return x.reshape([...x.shape.slice(0, first), joined, ...x.shape.slice(last + 1)]);
}

const contiguousRow = defineRow<undefined>({
  name: "contiguous",
  family: "movement",
  kernel: "identity",
  inputs: 1,
  accuracy: "exact",
  moves: true,
  rule: { kind: "linear", transpose: (g) => g },
  replay: ([x]) => contiguous(x as Tensor),
  batch: {},
});

/**
 * x itself if it is contiguous (row-major without gaps), else a contiguous copy.
 * @gradient the identity.
 * @example zeros([2, 3]).t().contiguous().strides; // [2, 1]
 */
export function contiguous(x: Tensor): Tensor {
  needTensor("contiguous", x);
  return x.layout === null ? x : apply(contiguousRow, [x], x.type, x.type, x.shape, x.type.attrs, undefined);
}
