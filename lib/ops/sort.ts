/** Sorting: stable, with NaN above every number. */
import { needInteger } from "../core/arguments.js";
import { dtypes } from "../core/dtype.js";
import { fail, showBounds } from "../core/errors.js";
import { apply } from "../engine/apply.js";
import { isBatched } from "../engine/batched.js";
import { mode } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import type { Tensor } from "../tensor/tensor.js";
import { after, dimAndOptions } from "./along.js";

interface Order {
  readonly dim: number;
  readonly descending: boolean;
  /** How many of the first indices are needed. */
  readonly count: number;
}

const orderRow = defineRow<Order>({
  name: "argsort",
  family: "index",
  kernel: "order",
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "none", reason: "the result is an index" },
  replay: ([x], p) => order(x as Tensor, p),
  batch: { params: after },
});

/** The indices of the first `count` elements in order; one index for a tensor of rank 0. */
function order(x: Tensor, p: Order): Tensor {
  const dense = (x.ndim === 0 ? x.reshape([1]) : x).contiguous();
  const shape = dense.shape.with(p.dim, p.count);
  return apply(orderRow, [dense], x.type, dtypes.int32, shape, [p.dim, p.descending ? 1 : 0], p);
}

export interface SortOptions {
  /** The dimension to sort along; default the last. */
  readonly dim?: number | undefined;
  /** Whether the largest comes first; default false. */
  readonly descending?: boolean | undefined;
}
export interface TopkOptions {
  /** The dimension to search along; default the last. */
  readonly dim?: number | undefined;
  /** Whether the largest elements are returned instead of the smallest; default true. */
  readonly largest?: boolean | undefined;
}
/** Sorted values, and their indices in x (int32). */
export interface Sorted {
  /** The values in order. */
  readonly values: Tensor;
  /** Their indices in x along the dimension (int32). */
  readonly indices: Tensor;
}

/** The first `count` elements in order, and their indices. */
function sorted(x: Tensor, p: Order): Sorted {
  if (x.ndim === 0 || x.type.half || isBatched([x]) || (mode.grad && x.node !== null))
    return taken(x, p.dim, order(x, p));
  const shape = x.shape.with(p.dim, p.count);
  const results = [dtypes.int32, x.type].map((type) => ({ type, shape }));
  const [indices, values] = runKernel({
    row: orderRow,
    inputs: [x.contiguous()],
    results,
    attrs: [p.dim, p.descending ? 1 : 0],
    params: p,
  });
  return { values: values!, indices: indices! };
}

/** The elements of x at indices along a dimension; x may have rank 0. */
function taken(x: Tensor, dim: number, indices: Tensor): Sorted {
  if (x.ndim > 0) return { values: x.gather(dim, indices), indices };
  return { values: x.reshape([1]).gather(0, indices).reshape([]), indices: indices.reshape([]) };
}

function wholeOrder(op: string, x: Tensor, dim?: number | SortOptions, options?: SortOptions): Order {
  needTensor(op, x);
  const { dim: at, descending } = dimAndOptions<SortOptions>(op, x, dim, options, ["dim"], ["descending"]);
  return { dim: at, descending: descending === true, count: x.shape[at] ?? 1 };
}

/**
 * The indices that sort x along a dimension (default the last). The sort is stable; NaN counts as largest.
 * @shape that of x. @dtype int32. @gradient none.
 * @throws ERR_AXIS for a dim out of range.
 * @example tensor([3, 1, 2]).argsort().toArray(); // [1, 2, 0]
 */
export function argsort(x: Tensor, dim?: number | SortOptions, options?: SortOptions): Tensor {
  const indices = order(x, wholeOrder("argsort", x, dim, options));
  return x.ndim === 0 ? indices.reshape([]) : indices;
}

/**
 * x sorted along a dimension (default the last), and the indices of the sorted elements in x. The sort is stable; NaN
 * counts as largest.
 * @shape both that of x. @dtype values that of x, indices int32.
 * @gradient the incoming gradient, at the elements that the values come from.
 * @throws ERR_AXIS for a dim out of range.
 * @example tensor([3, 1, 2]).sort({ descending: true }).values.toArray(); // [3, 2, 1]
 */
export function sort(x: Tensor, dim?: number | SortOptions, options?: SortOptions): Sorted {
  return sorted(x, wholeOrder("sort", x, dim, options));
}

/**
 * The k largest (or smallest) elements along a dimension (default the last), in order, and their indices. Of equal
 * elements the lowest index comes first; NaN counts as largest.
 * @shape both that of x, with size k in the dimension. @dtype values that of x, indices int32.
 * @gradient the incoming gradient, at the elements that the values come from.
 * @throws ERR_ARGUMENT unless 0 <= k <= the dimension's size; ERR_AXIS for a dim out of range.
 * @example tensor([3, 1, 2]).topk(2).indices.toArray(); // [0, 2]
 */
export function topk(x: Tensor, k: number, dim?: number | TopkOptions, options?: TopkOptions): Sorted {
  needTensor("topk", x);
  const { dim: at, largest = true } = dimAndOptions<TopkOptions>("topk", x, dim, options, ["dim"], ["largest"]);
  const size = x.shape[at] ?? 1;
  if (needInteger("topk", "k", k, 0) > size || (x.ndim === 0 && k === 0))
    fail("ERR_ARGUMENT", "topk", "k does not fit the dimension", showBounds(x.ndim === 0 ? 1 : 0, size), String(k));
  return sorted(x, { dim: at, descending: largest, count: k });
}
