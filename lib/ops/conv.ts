/**
 * Convolutions. The inner product of y and conv(x, w) is linear in y, x and w, so all gradients are convolutions: three
 * rows.
 */
import { needInteger, refuse } from "../core/arguments.js";
import { type DTypeRow, promote } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { numel, type Shape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import type { Flops, TensorSpec } from "../engine/cost.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineRow, type Row } from "../engine/row.js";
import type { Tensor } from "../tensor/tensor.js";
import { batchedConv, type Role } from "./conv-batched.js";

/** A number for both dimensions, or [height, width]. */
export type Pair = number | readonly [number, number];

/** Native code relies on products of two sizes not overflowing. */
const largest = 2 ** 31 - 1;

/** @internal Two integers of at least `least`. */
export function pairOf(op: string, what: string, value: unknown, least: number): readonly [number, number] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (list.length !== 2) refuse(op, what, "a number or [height, width]", value);
  const pair = [needInteger(op, what, list[0], least), needInteger(op, what, list[1], least)] as const;
  if (Math.max(...pair) > largest)
    fail("ERR_ARGUMENT", op, `${what} is too large`, `at most ${largest}`, showShape(pair));
  return pair;
}

/** @internal The stride, padding and dilation of a kernel or window that slides over images. */
export interface Sliding {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** @internal The size of the output of a kernel or window on an image; ERR_SHAPE if it does not fit. */
export function places(op: string, image: Shape, window: Shape, s: Sliding): [number, number] {
  const sizes = image.map((size, d) => {
    const room = size + 2 * s.padding[d]! - s.dilation[d]! * (window[d]! - 1) - 1;
    return Math.floor(room / s.stride[d]!) + 1;
  });
  if (sizes.some((size) => !(size >= 1)) || window.some((size) => size < 1))
    fail(
      "ERR_SHAPE",
      op,
      "the window does not fit into the padded input",
      `a window of at least [1, 1] inside ${showShape(image.map((size, d) => size + 2 * s.padding[d]!))}`,
      `${showShape(window)}, dilated by ${showShape(s.dilation)}`,
    );
  return sizes as [number, number];
}

interface Geometry extends Sliding {
  readonly groups: number;
  /** The sizes of x and of the weight, which the other two operands do not always determine. */
  readonly image: Shape;
  readonly window: Shape;
}

type Row2 = Row<Geometry>;
const shapes = {
  conv2d: (x: Tensor, w: Tensor, p: Geometry): Shape => [
    x.shape[0]!,
    w.shape[0]!,
    ...places("conv2d", p.image, p.window, p),
  ],
  convTranspose2d: (y: Tensor, w: Tensor, p: Geometry): Shape => [y.shape[0]!, w.shape[1]! * p.groups, ...p.image],
  conv2dWeight: (y: Tensor, x: Tensor, p: Geometry): Shape => [y.shape[1]!, x.shape[1]! / p.groups, ...p.window],
};
type Name = keyof typeof shapes;
type Product = (a: Tensor, b: Tensor, p: Geometry) => Tensor;

/**
 * One of the three rows: `left` and `right` are the transposes in its first and second input; `roles` name its inputs
 * and its result by their role in the convolution.
 */
function product(
  name: Name,
  kernel: string,
  flops: Flops,
  roles: readonly [Role, Role, Role],
  left: Product,
  right: Product,
): Product {
  const row: Row2 = defineRow<Geometry>({
    name,
    family: "matmul",
    kernel,
    flops,
    inputs: 2,
    accuracy: "tree",
    rule: {
      kind: "bilinear",
      left: (g, b, c) => left(g, b, c.params),
      right: (g, a, c) => right(g, a, c.params),
    },
    replay: ([a, b], p) => multiply(a as Tensor, b as Tensor, p),
    batch: {
      whole: ({ inputs, mapped, batchSize, params, shape }) =>
        batchedConv(roles, inputs as readonly Tensor[], mapped, batchSize, params.groups, shape, (a, b, groups) =>
          multiply(a, b, { ...params, groups }),
        ),
    },
  });
  const multiply: Product = (a, b, p) =>
    apply(
      row,
      [a.contiguous(), b.contiguous()],
      a.type,
      a.type,
      shapes[name](a, b, p),
      [...p.stride, ...p.padding, ...p.dilation, p.groups],
      p,
    );
  return multiply;
}

/** A multiply-add counts 2: the kernel is applied at each position of the smaller images. */
const convFlops = (images: TensorSpec, weight: TensorSpec): number =>
  2 * numel(images.shape) * numel(weight.shape.slice(1));

const convolve: Product = product(
  "conv2d",
  "conv2d",
  ({ results, inputs }) => convFlops(results[0]!, inputs[1]!),
  ["x", "w", "y"],
  (g, w, p) => spread(g, w, p),
  (g, x, p) => byWeight(g, x, p),
);
const spread: Product = product(
  "convTranspose2d",
  "conv2dInput",
  ({ inputs }) => convFlops(inputs[0]!, inputs[1]!),
  ["y", "w", "x"],
  (g, w, p) => convolve(g, w, p),
  (g, y, p) => byWeight(y, g, p),
);
const byWeight: Product = product(
  "conv2dWeight",
  "conv2dWeight",
  ({ results, inputs }) => convFlops(inputs[0]!, results[0]!),
  ["y", "x", "w"],
  (g, x, p) => convolve(x, g, p),
  (g, y, p) => spread(y, g, p),
);

export interface ConvOptions<P = Pair> {
  /** The stride; default 1. */
  readonly stride?: P | undefined;
  /** Zero padding, added to both sides of the input; default 0. */
  readonly padding?: P | undefined;
  /** The spacing between kernel elements; default 1. */
  readonly dilation?: P | undefined;
  /** The number of groups that the channels are split into; each is convolved separately. Default 1. */
  readonly groups?: number | undefined;
}
export interface ConvTransposeOptions extends ConvOptions {
  /** Added to one side of the output's size; less than the stride. Default 0. */
  readonly outputPadding?: Pair | undefined;
}
const names = ["stride", "padding", "dilation", "groups"] as const;

function sliding(op: string, o: ConvOptions): Sliding & { readonly groups: number } {
  return {
    stride: pairOf(op, "the stride", o.stride ?? 1, 1),
    padding: pairOf(op, "the padding", o.padding ?? 0, 0),
    dilation: pairOf(op, "the dilation", o.dilation ?? 1, 1),
    groups: needInteger(op, "the number of groups", o.groups ?? 1, 1),
  };
}

/** Checks the operands and converts them to one dtype; x gets a batch dimension if it has none. */
interface Operands {
  readonly x: Tensor;
  readonly w: Tensor;
  readonly bias: Tensor | null;
}

/** `inputs` and `outputs`: the channels of the weight; `spatial`: the number of spatial dimensions. */
function operands(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  spatial: number,
  channels: (w: Shape) => { readonly inputs: number; readonly outputs: number; readonly fits: boolean },
): Operands {
  let type: DTypeRow = needFloat(op, needTensor(op, x)).type;
  type = promote(type, needFloat(op, needTensor(op, weight, "the weight")).type);
  if (bias !== undefined && bias !== null) type = promote(type, needFloat(op, needTensor(op, bias, "the bias")).type);
  const batched = x.ndim === spatial + 2;
  const of = weight.ndim === spatial + 2 ? channels(weight.shape) : null;
  if (of === null || !of.fits || !(batched || x.ndim === spatial + 1) || x.shape[batched ? 1 : 0] !== of.inputs)
    fail(
      "ERR_SHAPE",
      op,
      "the input does not fit the weight",
      spatial === 2
        ? "x [n, in, h, w] and a weight of in channels and a window, split evenly by the groups"
        : "x [n, in, length] and a weight of in channels and a window, split evenly by the groups",
      `${showShape(x.shape)} and ${showShape(weight.shape)}`,
    );
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== of.outputs))
    fail("ERR_SHAPE", op, "the bias does not fit the weight", `[${of.outputs}]`, showShape(bias.shape));
  return {
    x: (batched ? x : x.unsqueeze(0)).to(type.name),
    w: weight.to(type.name),
    bias: bias ? bias.to(type.name) : null,
  };
}

/** `f` of input and weight plus the bias, without a batch dimension if x had none. */
function finished({ x, w, bias }: Operands, f: (x: Tensor, w: Tensor) => Tensor, unbatched: boolean): Tensor {
  const biased = (a: Tensor, b: Tensor, offset: Tensor): Tensor => {
    const y = f(a, b);
    return y.add(offset.reshape([-1, ...y.shape.slice(2).map(() => 1)]));
  };
  const y = bias ? roundedOnce([x, w, bias], biased, { once: true }) : f(x, w);
  return unbatched ? y.squeeze(0) : y;
}

function correlate(op: string, x: Tensor, w: Tensor, p: Sliding & { readonly groups: number }): Tensor {
  const [image, window] = [x.shape.slice(2), w.shape.slice(2)];
  places(op, image, window, p);
  return convolve(x, w, { ...p, image, window });
}

const ofConv = (groups: number) => (w: Shape) => ({
  inputs: w[1]! * groups,
  outputs: w[0]!,
  fits: w[0]! % groups === 0,
});

/**
 * 2-D convolution (cross-correlation) of images with kernels, summed over the input channels of each group.
 * @shape x [n, in, h, w] (or without n), weight [out, in / groups, rows, cols], bias [out]; gives [n, out, h', w'] with
 * h' = floor((h + 2 padding - dilation (rows - 1) - 1) / stride) + 1.
 * @dtype a float dtype; promoted.
 * @gradient convolutions of the incoming gradient with the weight and with x; its sum for the bias.
 * @throws ERR_SHAPE if the sizes do not fit; ERR_DTYPE for integers; ERR_ARGUMENT for options out of range.
 * @example conv2d(ones([1, 1, 3, 3]), ones([1, 1, 2, 2])).toArray(); // [[[[4, 4], [4, 4]]]]
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions): Tensor {
  const op = "conv2d";
  const p = sliding(op, checkOptions<ConvOptions>(op, options, names));
  const of = operands(op, x, weight, bias, 2, ofConv(p.groups));
  return finished(of, (a, w) => correlate(op, a, w, p), x.ndim === 3);
}

/**
 * 1-D convolution, as {@link conv2d}.
 * @shape x [n, in, length] (or without n), weight [out, in / groups, size], bias [out]; gives [n, out, length'].
 * @gradient as conv2d.
 * @throws as conv2d does.
 * @example conv1d(tensor([[[1, 2, 3]]]), tensor([[[1, 1]]])).toArray(); // [[[3, 5]]]
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions<number>): Tensor {
  const op = "conv1d";
  const o = checkOptions<ConvOptions<number>>(op, options, names);
  for (const name of ["stride", "padding", "dilation"] as const)
    if (o[name] !== undefined) needInteger(op, `the ${name}`, o[name]);
  const flat = sliding(op, o);
  const p = {
    groups: flat.groups,
    stride: [1, flat.stride[1]],
    padding: [0, flat.padding[1]],
    dilation: [1, flat.dilation[1]],
  } as const;
  const of = operands(op, x, weight, bias, 1, ofConv(p.groups));
  return finished(of, (a, w) => correlate(op, a.unsqueeze(2), w.unsqueeze(2), p).squeeze(2), x.ndim === 2);
}

/**
 * Transposed 2-D convolution: the gradient of {@link conv2d} with respect to its input. For each element of x,
 * the kernel times that element is added to the result.
 * @shape x [n, in, h, w] (or without n), weight [in, out / groups, rows, cols], bias [out]; gives [n, out, h', w'] with
 * h' = (h - 1) stride - 2 padding + dilation (rows - 1) + outputPadding + 1.
 * @gradient convolutions of the incoming gradient with the weight and with x; its sum for the bias.
 * @throws ERR_SHAPE if the sizes do not fit; ERR_DTYPE for integers; ERR_ARGUMENT for options out of range.
 * @example convTranspose2d(ones([1, 1, 1, 1]), ones([1, 1, 1, 2]), null, { stride: 2 }).toArray(); // [[[[1, 1]]]]
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvTransposeOptions,
): Tensor {
  const op = "convTranspose2d";
  const o = checkOptions<ConvTransposeOptions>(op, options, [...names, "outputPadding"]);
  const p = sliding(op, o);
  const extra = pairOf(op, "outputPadding", o.outputPadding ?? 0, 0);
  if (extra.some((size, d) => size >= p.stride[d]!))
    fail("ERR_ARGUMENT", op, "outputPadding is too large", "less than the stride", showShape(extra));
  const of = operands(op, x, weight, bias, 2, (w) => ({
    inputs: w[0]!,
    outputs: w[1]! * p.groups,
    fits: w[0]! % p.groups === 0,
  }));
  const window = of.w.shape.slice(2);
  const image = window.map((size, d) => {
    const spanned = (of.x.shape[2 + d]! - 1) * p.stride[d]! + p.dilation[d]! * (size - 1) + 1;
    return spanned - 2 * p.padding[d]! + extra[d]!;
  });
  if (image.some((size) => size < 1) || of.x.shape.slice(2).includes(0) || window.includes(0))
    fail("ERR_SHAPE", op, "the result would be empty", "sizes of at least 1", showShape(image));
  return finished(of, (a, w) => spread(a, w, { ...p, image, window }), x.ndim === 3);
}
