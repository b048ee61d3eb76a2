/** Views of a part of the elements, and the transpose of a slice. */
import { needInteger } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { axes, axis, numel, type Shape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import { defineRow, rowOf } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import { view } from "../engine/view.js";
import type { Tensor } from "../tensor/tensor.js";
import { asView, layoutOf } from "./view-rows.js";

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
