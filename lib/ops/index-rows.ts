/** The rows of ops that pick and place elements by index, and how they are called. */
import { fail, showBounds } from "../core/errors.js";
import { axis, type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { needIndex, needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import { general, type Operand } from "../engine/rule.js";
import type { Refusal } from "../tensor/handle.js";
import type { Tensor } from "../tensor/tensor.js";
import { after } from "./along.js";
import { asDtype } from "./element.js";

interface Along {
  readonly dim: number;
  /** Whether a negative index counts from the end; otherwise it is out of range. */
  readonly fromEnd: boolean;
}

const attrsOf = ({ dim, fromEnd }: Along): number[] => [dim, fromEnd ? 1 : 0];

function refuses({ dim, fromEnd }: Along, [x]: readonly Operand[]): Refusal {
  const size = (x as Tensor).shape[dim]!;
  return { expected: showBounds(fromEnd ? -size : 0, size - 1) };
}

/** An index of rank 1, repeated over the other dimensions of x. */
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
  rule: general(["y"], {
    vjp: (g, [index], { params, inputShapes }) => [
      addAt(zerosOf(inputShapes[0]!, g), params.dim, index, g, params.fromEnd),
      null,
    ],
    jvp: ([t], [index], { params }) => select(t!, params.dim, index, params.fromEnd),
  }),
  replay: ([x, index], p) => select(x as Tensor, p.dim, index as Tensor, p.fromEnd),
  refuses,
  batch: {
    shared: [1],
    params: after,
    composed: ([x, index], { dim, fromEnd }) =>
      pick(x as Tensor, dim, along(index as Tensor, x as Tensor, dim), fromEnd),
  },
});

/** Zeros of a shape in g's dtype: one element, expanded. */
const zerosOf = (shape: Shape, g: Tensor): Tensor => g.detach().reshape([-1]).narrow(0, 0, 0).sum().expand(shape);

/** @internal {@link indexSelect}; negative indices are out of range unless they count from the end. */
export function select(x: Tensor, dim: number, index: Tensor, fromEnd: boolean): Tensor {
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
  const params = { dim: at, fromEnd };
  const shape = replaced(x.shape, at, list.shape[0]!);
  return apply(selectRow, [x.contiguous(), list], x.type, x.type, shape, attrsOf(params), params);
}

const addRow = defineRow<Along>({
  name: "indexAdd",
  family: "index",
  kernel: "indexAdd",
  inputs: 3,
  accuracy: "exact",
  rule: general(["y"], {
    vjp: (g, [index], { params }, needs) => [
      needs[0] ? g : null,
      null,
      needs[2] ? select(g, params.dim, index, params.fromEnd) : null,
    ],
    jvp: ([tx, , ts], [index], { params, inputShapes }) =>
      ts ? addAt(tx ?? zerosOf(inputShapes[0]!, ts), params.dim, index, ts, params.fromEnd) : tx!,
  }),
  replay: ([x, index, source], p) => addAt(x as Tensor, p.dim, index as Tensor, source as Tensor, p.fromEnd),
  refuses,
  batch: {
    shared: [1],
    params: after,
    composed: ([x, index, source], { dim, fromEnd }) =>
      place(x as Tensor, along(index as Tensor, x as Tensor, dim), source as Tensor, { dim, fromEnd, add: true }),
  },
});

/** @internal {@link indexAdd}; negative indices are out of range unless they count from the end. */
export function addAt(x: Tensor, dim: number, index: Tensor, source: Tensor, fromEnd: boolean): Tensor {
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
  const params = { dim: at, fromEnd };
  const values = asDtype("indexAdd", x.type, source, "the source").contiguous();
  return apply(addRow, [x, list, values], x.type, x.type, x.shape, attrsOf(params), params);
}

const gatherRow = defineRow<Along>({
  name: "gather",
  family: "index",
  kernel: "gather",
  inputs: 2,
  accuracy: "exact",
  moves: true,
  rule: general(["y"], {
    vjp: (g, [index], { params, inputShapes }) => [
      place(zerosOf(inputShapes[0]!, g), index, g, { ...params, add: true }),
      null,
    ],
    jvp: ([t], [index], { params }) => pick(t!, params.dim, index, params.fromEnd),
  }),
  replay: ([x, index], p) => pick(x as Tensor, p.dim, index as Tensor, p.fromEnd),
  refuses,
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

/** @internal {@link gather}; negative indices are out of range unless they count from the end. */
export function pick(x: Tensor, dim: number, index: Tensor, fromEnd: boolean): Tensor {
  needTensor("gather", x);
  const at = axis("gather", dim, x.ndim);
  const places = needIndex("gather", index).contiguous();
  fits("gather", places, x, at);
  const params = { dim: at, fromEnd };
  return apply(gatherRow, [x, places], x.type, x.type, places.shape, attrsOf(params), params);
}

interface Placing extends Along {
  readonly add: boolean;
}

const scatterRow = defineRow<Placing>({
  name: "scatter",
  family: "index",
  kernel: "scatter",
  inputs: 3,
  accuracy: "exact",
  rule: general(["y"], {
    vjp: (g, [index], { params, inputShapes }, needs) => {
      const over = needs[0] && !params.add ? place(g, index, zerosOf(inputShapes[2]!, g), params) : g;
      return [needs[0] ? over : null, null, needs[2] ? pick(g, params.dim, index, params.fromEnd) : null];
    },
    jvp: ([tx, , ts], [index], { params, inputShapes }) => {
      const like = (tx ?? ts)!;
      const base = tx ?? zerosOf(inputShapes[0]!, like);
      return place(base, index, ts ?? zerosOf(inputShapes[2]!, like), params);
    },
  }),
  replay: ([x, index, source], p) => place(x as Tensor, index as Tensor, source as Tensor, p),
  refuses,
  batch: { params: after },
});

/** @internal {@link scatter} and {@link scatterAdd}; negative indices are out of range unless they count from the end. */
export function place(x: Tensor, index: Tensor, source: Tensor, { dim, fromEnd, add }: Placing): Tensor {
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
  const params = { dim: at, fromEnd, add };
  const attrs = [...attrsOf(params), add ? 1 : 0];
  const values = asDtype(op, x.type, source, "the source");
  return apply(scatterRow, [x, places, values], x.type, x.type, x.shape, attrs, params);
}
