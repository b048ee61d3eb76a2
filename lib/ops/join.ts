/** Ops that join and split tensors. */

import { needInteger, refuse } from "../core/arguments.js";
import { type DTypeRow, promote } from "../core/dtype.js";
import { describe, fail, named } from "../core/errors.js";
import { axis, type Shape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { mode } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import { general } from "../engine/rule.js";
import { mostTensors } from "../native/frame.js";
import { filled } from "../tensor/allocate.js";
import { needHeapForTensors } from "../tensor/javascript-memory.js";
import type { Tensor } from "../tensor/tensor.js";

const row = defineRow<number>({
  name: "cat",
  family: "movement",
  kernel: "cat",
  inputs: 2,
  accuracy: "exact",
  moves: true,
  rule: general([], {
    vjp: (g, _, c, needs) => {
      let start = 0;
      return c.inputShapes.map((shape, i) => {
        const length = shape[c.params]!;
        start += length;
        return needs[i] ? g.narrow(c.params, start - length, length) : null;
      });
    },
    jvp: (tangents, _, c) =>
      join(
        tangents.map((t, i) => t ?? filled("cat", 0, c.inputTypes[i]!, c.inputShapes[i]!)),
        c.params,
      ),
  }),
  replay: (inputs, dim) => join(inputs as readonly Tensor[], dim),
  batch: { params: (dim) => dim + 1 },
});

function join(tensors: readonly Tensor[], dim: number): Tensor {
  return joinAs(tensors.map((x) => x.type).reduce(promote), tensors, dim);
}

/**
 * Joins more tensors than one call can hold: in parts, each converted to the result's dtype, and then joins the parts.
 */
function joinAs(type: DTypeRow, tensors: readonly Tensor[], dim: number): Tensor {
  const most = mostTensors - 1;
  if (tensors.length > most) {
    const parts: Tensor[] = [];
    for (let i = 0; i < tensors.length; i += most) parts.push(joinAs(type, tensors.slice(i, i + most), dim));
    return joinAs(type, parts, dim);
  }
  const shape = tensors[0]!.shape.slice();
  shape[dim] = tensors.reduce((total, x) => total + x.shape[dim]!, 0);
  return apply(row, tensors, type, type, shape, [dim], dim);
}

function list(op: string, tensors: readonly Tensor[]): readonly Tensor[] {
  if (!Array.isArray(tensors)) refuse(op, "the input", "an array of tensors", tensors);
  if (tensors.length === 0) fail("ERR_ARGUMENT", op, "nothing to join", "at least one tensor", "an empty array");
  for (const x of tensors) needTensor(op, x, "every element");
  return tensors;
}

/**
 * Concatenates tensors along a dimension.
 * @shape sizes may differ in `dim` only, where they add up. @dtype promoted.
 * @gradient the slices of the incoming gradient.
 * @throws ERR_SHAPE if other sizes differ; ERR_ARGUMENT for an empty array; ERR_AXIS for a dim out of range.
 * @example cat([tensor([1]), tensor([2, 3])]).toArray(); // [1, 2, 3]
 */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const all = list("cat", tensors);
  const first = all[0]!;
  const at = axis("cat", dim, first.ndim);
  if (first.ndim === 0)
    fail("ERR_SHAPE", "cat", "a tensor of rank 0 cannot be joined", "rank 1 or more, or stack", "[]");
  const fits = (shape: Shape) =>
    shape.length === first.ndim && shape.every((size, i) => i === at || size === first.shape[i]);
  for (const x of all)
    if (!fits(x.shape))
      fail("ERR_SHAPE", "cat", "the shapes differ outside the joined dim", showShape(first.shape), showShape(x.shape));
  return join(all, at);
}

/**
 * Stacks tensors of equal shape along a new dimension.
 * @shape that of the tensors, with their number inserted at `dim`. @dtype promoted.
 * @gradient the slices of the incoming gradient.
 * @throws ERR_SHAPE if the shapes differ; ERR_ARGUMENT for an empty array; ERR_AXIS for a dim out of range.
 * @example stack([tensor([1, 2]), tensor([3, 4])]).toArray(); // [[1, 2], [3, 4]]
 */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const all = list("stack", tensors);
  const at = axis("stack", dim, all[0]!.ndim + 1);
  for (const x of all)
    if (showShape(x.shape) !== showShape(all[0]!.shape))
      fail("ERR_SHAPE", "stack", "the shapes differ", showShape(all[0]!.shape), showShape(x.shape));
  return named("stack", () =>
    join(
      all.map((x) => x.unsqueeze(at)),
      at,
    ),
  );
}

const kindOf = (x: Tensor): "view" | "recorded" => (mode.grad && x.node !== null ? "recorded" : "view");

/**
 * Splits a dimension into views of `size` each (the last may be smaller), or of the given sizes.
 * @gradient the incoming gradient in the range of the view, zeros elsewhere.
 * @throws ERR_SHAPE if the given sizes do not add up; ERR_ARGUMENT unless `size` is positive; ERR_AXIS for a dim out of
 * range.
 * @example arange(5).split(2).map((x) => x.toArray()); // [[0, 1], [2, 3], [4]]
 */
export function split<const S extends number | readonly number[]>(
  x: Tensor,
  size: S,
  dim = 0,
): S extends readonly number[] ? { -readonly [K in keyof S]: Tensor } : Tensor[] {
  needTensor("split", x);
  const at = axis("split", dim, x.ndim);
  const total = x.shape[at] ?? fail("ERR_SHAPE", "split", "a tensor of rank 0 cannot be split", "rank 1 or more", "[]");
  const sizes: number[] = [];
  if (typeof size === "number") {
    needInteger("split", "the size", size, 1);
    needHeapForTensors("split", Math.ceil(total / size), kindOf(x));
    if (total === 0) sizes.push(0);
    for (let start = 0; start < total; start += size) sizes.push(Math.min(size, total - start));
  } else {
    if (!Array.isArray(size))
      fail("ERR_ARGUMENT", "split", "the sizes are not valid", "a number or a list", describe(size));
    for (const each of size) sizes.push(needInteger("split", "a size", each, 0));
    const sum = sizes.reduce((a, b) => a + b, 0);
    if (sum !== total) fail("ERR_SHAPE", "split", "the sizes do not add up", String(total), String(sum));
  }
  let start = 0;
  const pieces = sizes.map((length) => {
    start += length;
    return x.narrow(at, start - length, length);
  });
  return pieces as S extends readonly number[] ? { -readonly [K in keyof S]: Tensor } : Tensor[];
}

/**
 * Splits a dimension into `count` views of equal size. If `count` does not divide the size, the last view is smaller,
 * and there may be fewer views, as in PyTorch.
 * @gradient as {@link split}.
 * @throws ERR_ARGUMENT unless the count is a positive integer; ERR_AXIS for a dim out of range.
 * @example arange(5).chunk(2).map((x) => x.shape); // [[3], [2]]
 */
export function chunk(x: Tensor, count: number, dim = 0): Tensor[] {
  needTensor("chunk", x);
  needInteger("chunk", "the count", count, 1);
  const size =
    x.shape[axis("chunk", dim, x.ndim)] ??
    fail("ERR_SHAPE", "chunk", "a tensor of rank 0 cannot be split", "rank 1 or more", "[]");
  return split(x, Math.max(Math.ceil(size / count), 1), dim);
}

/**
 * The slices along a dimension, as views without that dimension.
 * @gradient the incoming gradient in the slice, zeros elsewhere.
 * @throws ERR_SHAPE for rank 0; ERR_AXIS for a dim out of range.
 * @example tensor([[1, 2], [3, 4]]).unbind().map((x) => x.toArray()); // [[1, 2], [3, 4]]
 */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  needTensor("unbind", x);
  const at = axis("unbind", dim, x.ndim);
  const size = x.shape[at] ?? fail("ERR_SHAPE", "unbind", "a tensor of rank 0 cannot be split", "rank 1 or more", "[]");
  needHeapForTensors("unbind", size, kindOf(x));
  return Array.from({ length: size }, (_, i) => x.narrow(at, i, 1).squeeze(at));
}
