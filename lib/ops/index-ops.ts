/** Ops that pick and place elements by index. */
import { fail, named } from "../core/errors.js";
import { axis, type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { needIndex, needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import { save } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";
import { after } from "./along.js";
import { asDtype } from "./element.js";

interface Along {
  readonly dim: number;
}

/** A list of indices, expanded to the other dimensions of x. */
const along = (index: Tensor, x: Tensor, dim: number): Tensor =>
  index.reshape(x.shape.map((_, i) => (i === dim ? -1 : 1))).expand(replaced(x.shape, dim, index.shape[0]!));

const replaced = (shape: Shape, dim: number, size: number): Shape => shape.map((old, i) => (i === dim ? size : old));

const selectRow = defineRow<Along>({
  name: "indexSelect",
  family: "index",
  kernel: "indexSelect",
  inputs: 2,
  accuracy: "exact",
  moves: true,
  rule: {
    kind: "general",
    saves: save.y,
    vjp: (g, [, , index], { params, inputShapes }) => [
      zerosOf(inputShapes[0]!, g).indexAdd(params.dim, index!, g),
      null,
    ],
    jvp: ([t], [, , index], { params }) => indexSelect(t!, params.dim, index!),
  },
  replay: ([x, index], p) => indexSelect(x as Tensor, p.dim, index as Tensor),
  batch: {
    shared: [1],
    params: after,
    composed: ([x, index], { dim }) => gather(x as Tensor, dim, along(index as Tensor, x as Tensor, dim)),
  },
});

/** Zeros of a shape in g's dtype, without a storage of that size. */
const zerosOf = (shape: Shape, g: Tensor): Tensor => g.detach().reshape([-1]).narrow(0, 0, 0).sum().expand(shape);

/**
 * The elements at the given indices of one dimension (negative: from the end), in their order.
 * @shape x with dimension `dim` of the index's length.
 * @gradient added up at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless the index is an integer tensor.
 * @example tensor([5, 6, 7]).indexSelect(0, tensor([2, 0], { dtype: "int32" })).toArray(); // [7, 5]
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  needTensor("indexSelect", x);
  const at = axis("indexSelect", dim, x.ndim);
  const list = needIndex("indexSelect", index).contiguous();
  if (list.ndim !== 1 || x.ndim === 0)
    fail(
      "ERR_SHAPE",
      "indexSelect",
      "not a list of indices into a dimension",
      "an index of rank 1",
      showShape(list.shape),
    );
  const attrs = [at];
  return apply(selectRow, [x.contiguous(), list], x.type, x.type, replaced(x.shape, at, list.shape[0]!), attrs, {
    dim: at,
  });
}

const addRow = defineRow<Along>({
  name: "indexAdd",
  family: "index",
  kernel: "indexAdd",
  inputs: 3,
  accuracy: "exact",
  rule: {
    kind: "general",
    saves: save.y,
    vjp: (g, [, , index], { params }, needs) => [
      needs[0] ? g : null,
      null,
      needs[2] ? g.indexSelect(params.dim, index!) : null,
    ],
    jvp: ([tx, , ts], [, , index], { params, inputShapes }) =>
      ts ? (tx ?? zerosOf(inputShapes[0]!, ts)).indexAdd(params.dim, index!, ts) : tx!,
  },
  replay: ([x, index, source], p) => indexAdd(x as Tensor, p.dim, index as Tensor, source as Tensor),
  batch: {
    shared: [1],
    params: after,
    composed: ([x, index, source], { dim }) =>
      scatterAdd(x as Tensor, dim, along(index as Tensor, x as Tensor, dim), source as Tensor),
  },
});

/**
 * x plus the slices of `source` at the given indices; repeated indices accumulate in order.
 * @shape that of x; source has the index's length in dimension `dim` and x's sizes elsewhere.
 * @gradient the incoming gradient for x, and its slices at the indices for source.
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if source does not fit; ERR_DTYPE if x's integer dtype does
 * not hold its elements.
 * @example zeros([2]).indexAdd(0, tensor([1, 1], { dtype: "int32" }), tensor([3, 4])).toArray(); // [0, 7]
 */
export function indexAdd(x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  needTensor("indexAdd", x);
  needTensor("indexAdd", source, "the source");
  const at = axis("indexAdd", dim, x.ndim);
  const list = needIndex("indexAdd", index).contiguous();
  if (list.ndim !== 1 || x.ndim === 0 || !sameShape(source.shape, replaced(x.shape, at, list.shape[0]!)))
    fail(
      "ERR_SHAPE",
      "indexAdd",
      "the source does not fit",
      showShape(replaced(x.shape, at, list.shape[0] ?? 0)),
      showShape(source.shape),
    );
  const attrs = [at];
  const values = asDtype("indexAdd", x.type, source, "the source").contiguous();
  return apply(addRow, [x, list, values], x.type, x.type, x.shape, attrs, { dim: at });
}

const gatherRow = defineRow<Along>({
  name: "gather",
  family: "index",
  kernel: "gather",
  inputs: 2,
  accuracy: "exact",
  moves: true,
  rule: {
    kind: "general",
    saves: save.y,
    vjp: (g, [, , index], { params, inputShapes }) => [
      zerosOf(inputShapes[0]!, g).scatterAdd(params.dim, index!, g),
      null,
    ],
    jvp: ([t], [, , index], { params }) => gather(t!, params.dim, index!),
  },
  replay: ([x, index], p) => gather(x as Tensor, p.dim, index as Tensor),
  batch: { params: after },
});

function fits(op: string, index: Tensor, x: Tensor, dim: number): void {
  if (index.ndim !== x.ndim || x.ndim === 0 || index.shape.some((size, i) => i !== dim && size > x.shape[i]!))
    fail(
      "ERR_SHAPE",
      op,
      "the index does not fit the input",
      `rank ${x.ndim}, sizes up to ${showShape(x.shape)}`,
      showShape(index.shape),
    );
}

/**
 * `out[i][j] = x[index[i][j]][j]` for dim 0, and so on for the other dimensions.
 * @shape that of the index.
 * @gradient added up at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if the index does not fit.
 * @example tensor([[1, 2], [3, 4]]).gather(1, tensor([[1], [0]], { dtype: "int32" })).toArray(); // [[2], [3]]
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  needTensor("gather", x);
  const at = axis("gather", dim, x.ndim);
  const places = needIndex("gather", index).contiguous();
  fits("gather", places, x, at);
  const attrs = [at];
  return apply(gatherRow, [x, places], x.type, x.type, places.shape, attrs, { dim: at });
}

const scatterRow = defineRow<Along & { readonly add: boolean }>({
  name: "scatter",
  family: "index",
  kernel: "scatter",
  inputs: 3,
  accuracy: "exact",
  rule: {
    kind: "general",
    saves: save.y,
    vjp: (g, [, , index], { params, inputShapes }, needs) => {
      const { dim, add } = params;
      const over = needs[0] && !add ? g.scatter(dim, index!, zerosOf(inputShapes[2]!, g)) : g;
      return [needs[0] ? over : null, null, needs[2] ? g.gather(dim, index!) : null];
    },
    jvp: ([tx, , ts], [, , index], { params, inputShapes }) => {
      const like = (tx ?? ts)!;
      const base = tx ?? zerosOf(inputShapes[0]!, like);
      return place(base, params.dim, index!, ts ?? zerosOf(inputShapes[2]!, like), params.add);
    },
  },
  replay: ([x, index, source], p) => place(x as Tensor, p.dim, index as Tensor, source as Tensor, p.add),
  batch: { params: after },
});

function place(x: Tensor, dim: number, index: Tensor, source: Tensor, add: boolean): Tensor {
  const op = add ? "scatterAdd" : "scatter";
  needTensor(op, x);
  needTensor(op, source, "the source");
  const at = axis(op, dim, x.ndim);
  const places = needIndex(op, index).contiguous();
  fits(op, places, x, at);
  if (!sameShape(source.shape, places.shape))
    fail(
      "ERR_SHAPE",
      op,
      "the source must have the shape of the index",
      showShape(places.shape),
      showShape(source.shape),
    );
  const attrs = [at, add ? 1 : 0];
  const params = { dim: at, add };
  return apply(
    scatterRow,
    [x, places, asDtype(op, x.type, source, "the source")],
    x.type,
    x.type,
    x.shape,
    attrs,
    params,
  );
}

/**
 * x with `x[index[i][j]][j] = source[i][j]` for dim 0, and so on; where indices repeat, the last one is kept.
 * @gradient for x the incoming gradient, 0 where it was overwritten; for source its elements at the indices (exact
 * unless indices repeat).
 * @throws ERR_INDEX for an index out of range; ERR_SHAPE if index or source do not fit; ERR_DTYPE if x's integer dtype
 * does not hold the source's elements.
 * @example zeros([3]).scatter(0, tensor([2], { dtype: "int32" }), tensor([9])).toArray(); // [0, 0, 9]
 */
export const scatter = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  place(x, dim, index, source, false);

/**
 * As {@link scatter}, but adds to x; repeated indices accumulate in order.
 * @gradient the incoming gradient, and its elements at the indices for source.
 * @example ones([3]).scatterAdd(0, tensor([2, 2], { dtype: "int32" }), tensor([1, 1])).toArray(); // [1, 1, 3]
 */
export const scatterAdd = (x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor =>
  named("scatterAdd", () => place(x, dim, index, source, true));
