/** Pooling: each window of an image is reduced to one element. */
import { dtypes } from "../core/dtype.js";
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { checkShape, numel, type Shape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineRow, type Row } from "../engine/row.js";
import { arange, full } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Pair, pairOf, places, type Sliding } from "./conv.js";

interface Pool extends Sliding {
  readonly window: readonly [number, number];
}

const indicesRow = defineRow<Pool>({
  name: "maxPool2dIndices",
  family: "index",
  kernel: "maxPool2dIndices",
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "none", reason: "the result is an index" },
  replay: ([x], p) => indices(x as Tensor, p),
  batch: { rows: true },
});

/** The position in its plane of x [.., h, w] of the largest element in each window; -1 if the window is all padding. */
function indices(x: Tensor, p: Pool): Tensor {
  const shape = [...x.shape.slice(0, -2), ...places("maxPool2d", x.shape.slice(-2), p.window, p)];
  const attrs = [...p.stride, ...p.padding, ...p.dilation, ...p.window];
  return apply(indicesRow, [x.contiguous()], x.type, dtypes.int32, shape, attrs, p);
}

interface Mean extends Pool {
  /** The sizes of an image, and the divisor of sums. */
  readonly image: Shape;
  readonly divisor: number;
}

/** Window means, or their transpose: linear maps between planes of two sizes. */
function meanRow(name: string, size: (p: Mean) => Shape, transpose: () => (x: Tensor, p: Mean) => Tensor) {
  const run = (x: Tensor, p: Mean): Tensor => {
    const attrs = [...p.stride, ...p.padding, ...p.dilation, ...p.window, p.divisor];
    return apply(row, [x.contiguous()], x.type, x.type, [...x.shape.slice(0, -2), ...size(p)], attrs, p);
  };
  const row: Row<Mean> = defineRow<Mean>({
    name,
    family: "fused",
    kernel: name,
    flops: ({ results, inputs, attrs }) =>
      Math.min(numel(results[0]!.shape), numel(inputs[0]!.shape)) * attrs[6]! * attrs[7]!,
    inputs: 1,
    accuracy: "tree",
    rule: { kind: "linear", transpose: (g, c) => transpose()(g, c.params) },
    replay: ([x], p) => run(x as Tensor, p),
    batch: { rows: true },
  });
  return run;
}
const meansOf = meanRow(
  "avgPool2d",
  (p) => places("avgPool2d", p.image, p.window, p),
  () => spread,
);
const spread = meanRow(
  "avgPool2dBackward",
  (p) => p.image,
  () => meansOf,
);

function needImage(op: string, x: Tensor): Tensor {
  if (needTensor(op, x).ndim < 3 || x.ndim > 4)
    fail("ERR_SHAPE", op, "the input holds no images", "[n, channels, h, w] or [channels, h, w]", showShape(x.shape));
  return needFloat(op, x);
}

export interface AvgPoolOptions {
  /** The stride; default the kernel size. */
  readonly stride?: Pair | undefined;
  /** The padding on both sides, at most half the window; default 0. */
  readonly padding?: Pair | undefined;
  /** Whether padding counts as zeros in the mean; default true. */
  readonly countIncludePad?: boolean | undefined;
}
export interface MaxPoolOptions {
  /** The stride; default the kernel size. */
  readonly stride?: Pair | undefined;
  /** The padding on both sides, at most half the window; default 0. Padding is never the maximum. */
  readonly padding?: Pair | undefined;
  /** The spacing between elements of the window; default 1. */
  readonly dilation?: Pair | undefined;
}

function pool(op: string, kernelSize: Pair, o: MaxPoolOptions): Pool {
  const window = pairOf(op, "the window", kernelSize, 1);
  const padding = pairOf(op, "the padding", o.padding ?? 0, 0);
  if (padding.some((size, d) => 2 * size > window[d]!))
    fail("ERR_ARGUMENT", op, "the padding is too large", `at most half of ${showShape(window)}`, showShape(padding));
  return {
    window,
    padding,
    stride: pairOf(op, "the stride", o.stride ?? window, 1),
    dilation: pairOf(op, "the dilation", o.dilation ?? 1, 1),
  };
}

/** Whether some window along dimension d of an image, `size` long, lies entirely in the padding. */
function seesPaddingAlone(p: Pool, d: 0 | 1, size: number, count: number): boolean {
  const [by, taps] = [p.dilation[d], p.window[d]];
  // As padding is at most half a window, this needs dilation.
  if (by === 1) return false;
  for (let i = 0; i < count; i++) {
    const first = i * p.stride[d] - p.padding[d];
    const inside = first < 0 ? first + Math.ceil(-first / by) * by : first;
    if (inside >= size || inside > first + (taps - 1) * by) return true;
  }
  return false;
}

/**
 * Max pooling: the largest element in each window; NaN if the window has one, and -inf if a dilated window lies
 * entirely in the padding.
 * @shape x [n, channels, h, w] or [channels, h, w]; h and w change as in {@link conv2d}. @dtype a float dtype.
 * @gradient the incoming gradient at the largest element (the first of equal ones); none from a window that is all
 * padding.
 * @throws ERR_SHAPE if the window does not fit; ERR_ARGUMENT for options out of range; ERR_DTYPE for integers.
 * @example maxPool2d(tensor([[[1, 2], [3, 4]]]), 2).toArray(); // [[[4]]]
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options?: MaxPoolOptions): Tensor {
  const op = "maxPool2d";
  needImage(op, x);
  const p = pool(op, kernelSize, checkOptions<MaxPoolOptions>(op, options, ["stride", "padding", "dilation"]));
  const [h, w] = [x.shape[x.ndim - 2]!, x.shape[x.ndim - 1]!];
  if (h === 0 || w === 0) fail("ERR_SHAPE", op, "the images are empty", "sizes of at least 1", showShape(x.shape));
  const at = named(op, () => indices(x.detach(), p)).flatten(-2);
  const shape = [...x.shape.slice(0, -2), ...places(op, [h, w], p.window, p)];
  const flat = x.flatten(-2);
  if (!seesPaddingAlone(p, 0, h, shape.at(-2)!) && !seesPaddingAlone(p, 1, w, shape.at(-1)!))
    return flat.gather(-1, at).reshape(shape);
  const found = at.ge(0);
  return found.where(flat.gather(-1, found.where(at, 0)), Number.NEGATIVE_INFINITY).reshape(shape);
}

/**
 * Average pooling: the mean of each window.
 * @shape x [n, channels, h, w] or [channels, h, w]; h and w change as in {@link conv2d}. @dtype a float dtype.
 * @gradient the incoming gradient, divided evenly among the elements of the window.
 * @throws ERR_SHAPE if the window does not fit; ERR_ARGUMENT for options out of range; ERR_DTYPE for integers.
 * @example avgPool2d(tensor([[[1, 2], [3, 6]]]), 2).toArray(); // [[[3]]]
 */
export function avgPool2d(x: Tensor, kernelSize: Pair, options?: AvgPoolOptions): Tensor {
  const op = "avgPool2d";
  needImage(op, x);
  const o = checkOptions<AvgPoolOptions>(op, options, ["stride", "padding"], ["countIncludePad"]);
  const p = pool(op, kernelSize, { stride: o.stride, padding: o.padding });
  const image = x.shape.slice(-2);
  if (o.countIncludePad !== false) return meansOf(x, { ...p, image, divisor: p.window[0] * p.window[1] });
  const sums = { ...p, image, divisor: 1 };
  const type = x.type.compute.name;
  const counts = meansOf(full([1, ...image], 1, { dtype: type }), sums);
  return meansOf(x.to(type), sums).div(counts).to(x.dtype);
}

/** [out, size]: row i averages the elements from floor(i size / out) to ceil((i + 1) size / out). */
function shares(size: number, out: number, x: Tensor): Tensor {
  const i = arange(out, { dtype: "float64" }).unsqueeze(1);
  const from = i.mul(size).div(out).floor();
  const to = i.add(1).mul(size).div(out).ceil();
  const k = arange(size, { dtype: "float64" });
  return k.ge(from).logicalAnd(k.lt(to)).to("float64").div(to.sub(from)).to(x.type.compute.name);
}

/**
 * Average pooling to a given output size, which determines the windows as in PyTorch.
 * @shape x [.., h, w] gives [.., outputSize]: a number, or [height, width]. @dtype a float dtype.
 * @gradient the incoming gradient, divided evenly among the elements of the window.
 * @throws ERR_SHAPE for an empty image; ERR_ARGUMENT for sizes below 1; ERR_DTYPE for integers.
 * @example adaptiveAvgPool2d(tensor([[[1, 2], [3, 6]]]), 1).toArray(); // [[[3]]]
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Pair): Tensor {
  const op = "adaptiveAvgPool2d";
  needImage(op, x);
  const [height, width] = pairOf(op, "the size of the result", outputSize, 1);
  checkShape(op, [...x.shape.slice(0, -2), height, width]);
  const [h, w] = [x.shape[x.ndim - 2]!, x.shape[x.ndim - 1]!];
  if (h === 0 || w === 0) fail("ERR_SHAPE", op, "the images are empty", "sizes of at least 1", showShape(x.shape));
  if (height === 1 && width === 1) return x.mean([-2, -1], { keepdim: true });
  return roundedOnce([x], (y) =>
    shares(h, height, y)
      .matmul(y)
      .matmul(shares(w, width, y).t()),
  );
}
