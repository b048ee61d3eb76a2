/** Views of the same elements. Only a reshape that cannot be a view copies. */
import { needInteger, refuse } from "../core/arguments.js";
import { describe, fail, named } from "../core/errors.js";
import {
  axes,
  axis,
  checkRank,
  contiguousStrides,
  dimList,
  isContiguous,
  mapList,
  numel,
  type Shape,
  sameShape,
  showShape,
} from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import { defineRow, rowOf } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import { view } from "../engine/view.js";
import type { Tensor } from "../tensor/tensor.js";

const asView = { family: "movement", kernel: null, inputs: 1, accuracy: "exact" } as const;

/** Strides, or null if row-major. */
const layoutOf = (shape: Shape, strides: readonly number[]): readonly number[] | null =>
  isContiguous(shape, strides) ? null : strides;

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

const permuteRow = defineRow<readonly number[]>({
  ...asView,
  name: "permute",
  rule: {
    kind: "linear",
    transpose: (g, c) => {
      const inverse = new Array<number>(c.params.length);
      c.params.forEach((from, to) => {
        inverse[from] = to;
      });
      return g.permute(inverse);
    },
  },
  replay: ([x], order) => permute(x as Tensor, order),
  batch: { params: (order) => [0, ...order.map((dim) => dim + 1)] },
});

/**
 * A view with the dimensions in another order.
 * @gradient the incoming gradient, permuted back.
 * @throws ERR_AXIS unless every dimension is named once.
 * @example zeros([2, 3, 4]).permute([2, 0, 1]).shape; // [4, 2, 3]
 */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  needTensor("permute", x);
  const order = dimList("permute", dims, x.ndim);
  if (order.length !== x.ndim)
    fail("ERR_AXIS", "permute", "every dim must be named once", `${x.ndim} dims`, describe(dims));
  axes("permute", dims, x.ndim);
  const { shape, strides } = x;
  const target = order.map((d) => shape[d]!);
  return view(
    permuteRow,
    x,
    target,
    layoutOf(
      target,
      order.map((d) => strides[d]!),
    ),
    x.offset,
    order,
  );
}

/**
 * A view with two dimensions swapped.
 * @gradient the incoming gradient, swapped back.
 * @throws ERR_AXIS for a dim out of range.
 * @example zeros([2, 3]).transpose(0, 1).shape; // [3, 2]
 */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  needTensor("transpose", x);
  const order = x.shape.map((_, i) => i);
  const i = axis("transpose", a, x.ndim);
  const j = axis("transpose", b, x.ndim);
  if (order.length === 0) return x;
  order[i] = j;
  order[j] = i;
  return x.permute(order);
}

/**
 * The transpose of a matrix, as a view; a tensor of rank 0 or 1 is returned unchanged.
 * @gradient the incoming gradient, transposed.
 * @throws ERR_SHAPE for a higher rank.
 * @example tensor([[1, 2]]).t().shape; // [2, 1]
 */
export function t(x: Tensor): Tensor {
  needTensor("t", x);
  if (x.ndim > 2) fail("ERR_SHAPE", "t", "not a matrix; use transpose", "rank 2 or less", showShape(x.shape));
  if (x.ndim < 2) return x;
  const [rows, columns] = x.shape as readonly [number, number];
  const [row, column] = x.strides as readonly [number, number];
  const shape = [columns, rows];
  return view(permuteRow, x, shape, layoutOf(shape, [column, row]), x.offset, swapped);
}

const swapped: readonly number[] = [1, 0];

/**
 * A view with one or several dimensions moved to other positions; the others keep their order.
 * @gradient the incoming gradient, moved back.
 * @throws ERR_AXIS unless both arguments name the same number of distinct dimensions.
 * @example zeros([2, 3, 4]).movedim(0, -1).shape; // [3, 4, 2]
 */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  needTensor("movedim", x);
  const from = dimList("movedim", source, x.ndim);
  const to = dimList("movedim", destination, x.ndim);
  if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length)
    fail(
      "ERR_AXIS",
      "movedim",
      "source and destination must name as many distinct dims",
      showShape(from),
      showShape(to),
    );
  if (x.ndim === 0) return x;
  const order = new Array<number>(x.ndim).fill(-1);
  from.forEach((dim, i) => {
    order[to[i]!] = dim;
  });
  const rest = x.shape.map((_, i) => i).filter((i) => !from.includes(i));
  return x.permute(order.map((dim) => (dim < 0 ? rest.shift()! : dim)));
}

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

interface Range {
  readonly dim: number;
  readonly start: number;
  readonly length: number;
  readonly step: number;
}

const sliceRow = defineRow<Range>({
  ...asView,
  name: "slice",
  rule: {
    kind: "linear",
    transpose: (g, c) => embed(g, c.inputShapes[0]!, c.params),
    addTo: (sum, g, _, __, c) => {
      const part = sliceRange(sum, c.params);
      runKernel({ op: "slice", row: rowOf("add"), targets: [part], inputs: [part, g], attrs: part.type.attrs });
      part.dispose();
      return true;
    },
  },
  replay: ([x], range) => sliceRange(x as Tensor, range),
  batch: { params: (range) => ({ ...range, dim: range.dim + 1 }) },
});

const embedRow = defineRow<Range & { readonly shape: Shape }>({
  name: "embed",
  family: "movement",
  kernel: "embed",
  inputs: 1,
  accuracy: "exact",
  moves: true,
  rule: { kind: "linear", transpose: (g, c) => sliceRange(g, c.params) },
  replay: ([g], p) => embed(g as Tensor, p.shape, p),
  batch: { params: (p, batchSize) => ({ ...p, dim: p.dim + 1, shape: [batchSize, ...p.shape] }) },
});

/** @internal Zeros of the given shape with g written into the range: the transpose of a slice. */
export function embed(g: Tensor, shape: Shape, range: Range): Tensor {
  const attrs = [range.dim, range.start, range.step];
  return apply(embedRow, [g], g.type, g.type, shape, attrs, { ...range, shape });
}

/** @internal `length` elements of one dimension from `start` on, `step` apart, all within bounds. */
export function sliceRange(x: Tensor, range: Range): Tensor {
  const { dim, start, length, step } = range;
  const shape = x.shape.slice();
  const strides = x.strides.slice();
  shape[dim] = length;
  const offset = numel(shape) === 0 ? x.offset : x.offset + start * strides[dim]!;
  strides[dim] = strides[dim]! * step;
  return view(sliceRow, x, shape, layoutOf(shape, strides), offset, range);
}

/**
 * A view of `length` elements of one dimension from `start` on; a negative start counts from the end.
 * @gradient the incoming gradient in the range, zeros elsewhere.
 * @throws ERR_INDEX if the range is out of bounds; ERR_AXIS for a dim out of range.
 * @example arange(5).narrow(0, 1, 3).toArray(); // [1, 2, 3]
 */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  needTensor("narrow", x);
  const at = axis("narrow", dim, x.ndim);
  const size = x.shape[at] ?? 0;
  const first = needInteger("narrow", "start", start);
  const from = first < 0 ? first + size : first;
  needInteger("narrow", "length", length, 0);
  if (x.ndim === 0 || from < 0 || from + length > size)
    fail("ERR_INDEX", "narrow", "the piece does not lie inside", `0 to ${size}`, `${start} to ${start + length}`);
  return sliceRange(x, { dim: at, start: from, length, step: 1 });
}

/**
 * The elements in reverse order along the named dimensions. A view (PyTorch copies).
 * @gradient the incoming gradient, reversed.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example arange(3).flip(0).toArray(); // [2, 1, 0]
 */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  needTensor("flip", x);
  let out = x;
  for (const dim of axes("flip", dims, x.ndim)) {
    const size = x.shape[dim];
    if (size !== undefined) out = sliceRange(out, { dim, start: Math.max(size - 1, 0), length: size, step: -1 });
  }
  return out;
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
