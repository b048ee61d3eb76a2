/** Views with the dimensions in another order. */
import { describe, fail } from "../core/errors.js";
import { axes, axis, dimList, showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import { view } from "../engine/view.js";
import type { Tensor } from "../tensor/tensor.js";
import { asView, layoutOf } from "./view-rows.js";

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
