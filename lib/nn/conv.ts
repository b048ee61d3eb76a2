/** Convolution layers. */
import { needInteger } from "../core/arguments.js";
import type { DType } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { showShape } from "../core/shape.js";
import { type ConvOptions, conv1d, conv2d, convTranspose2d, type Pair, pairOf } from "../ops/conv.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { kaimingUniform, uniform } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

export interface ConvModuleOptions<P = Pair> extends ConvOptions<P> {
  /** Whether a bias is added; default true. */
  readonly bias?: boolean | undefined;
  /** The dtype of weight and bias; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}
export interface ConvTransposeModuleOptions extends ConvModuleOptions {
  /** Added to one side of the output's size; less than the stride. Default 0. */
  readonly outputPadding?: Pair | undefined;
}

const known = ["stride", "padding", "dilation", "groups", "dtype"] as const;

/** The base of the layers: sizes, options, and a weight and bias initialized uniformly between ±1 / sqrt(fan in). */
abstract class Conv<P> extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: P;
  readonly padding: P;
  readonly dilation: P;
  readonly groups: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  /** The weight is [outChannels, inChannels / groups, kernel..], with the channels swapped for a transposed layer. */
  constructor(
    op: string,
    inChannels: number,
    outChannels: number,
    kernelSize: readonly number[],
    given: ConvModuleOptions<P>,
    check: (what: string, value: P | number, least: number) => P,
    transposed: boolean,
  ) {
    super();
    const { groups = 1, bias = true, dtype } = given;
    this.inChannels = needInteger(op, "inChannels", inChannels, 1);
    this.outChannels = needInteger(op, "outChannels", outChannels, 1);
    this.groups = needInteger(op, "the number of groups", groups, 1);
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      fail(
        "ERR_ARGUMENT",
        op,
        "the groups do not divide the channels",
        `divisors of ${inChannels} and ${outChannels}`,
        String(groups),
      );
    this.kernelSize = kernelSize;
    this.stride = check("the stride", given.stride ?? 1, 1);
    this.padding = check("the padding", given.padding ?? 0, 0);
    this.dilation = check("the dilation", given.dilation ?? 1, 1);
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = new Parameter(zeros([...channels, ...kernelSize], { dtype }));
    this.bias = bias ? new Parameter(zeros([outChannels], { dtype })) : null;
    this.resetParameters();
  }
  /** Reinitializes weight and bias. */
  resetParameters(): void {
    kaimingUniform(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const bound = 1 / Math.sqrt(this.weight.shape.slice(1).reduce((a, b) => a * b, 1));
    uniform(this.bias, { a: -bound, b: bound });
  }
  protected options(): ConvOptions<P> {
    const { stride, padding, dilation, groups } = this;
    return { stride, padding, dilation, groups };
  }
  override extraRepr(): string {
    const show = (value: unknown) => (Array.isArray(value) ? showShape(value as number[]) : String(value));
    const { inChannels, outChannels, kernelSize, stride, padding } = this;
    return `${inChannels}, ${outChannels}, kernelSize=${show(kernelSize)}, stride=${show(stride)}, padding=${show(padding)}`;
  }
}

const pairs =
  (op: string) =>
  (what: string, value: Pair, least: number): Pair =>
    pairOf(op, what, value, least);

/**
 * 1-D convolution (cross-correlation), see {@link conv1d}. Weight and bias are initialized uniformly between ±1 /
 * sqrt(fan in).
 * @shape [n, inChannels, l] gives [n, outChannels, l']; weight is [outChannels, inChannels / groups, kernelSize].
 * @throws ERR_ARGUMENT if groups does not divide the channels, or for an invalid option; ERR_SHAPE if x does not fit.
 * @example new nn.Conv1d(2, 4, 3, { padding: 1 }).forward(ones([1, 2, 5])).shape; // [1, 4, 5]
 */
export class Conv1d extends Conv<number> {
  constructor(inChannels: number, outChannels: number, kernelSize: number, options?: ConvModuleOptions<number>) {
    const given = checkOptions<ConvModuleOptions<number>>("Conv1d", options, known, ["bias"]);
    const size = needInteger("Conv1d", "the window", kernelSize, 1);
    const check = (what: string, value: number, least: number) => needInteger("Conv1d", what, value, least);
    super("Conv1d", inChannels, outChannels, [size], given, check, false);
  }
  override forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.options());
  }
}

/**
 * 2-D convolution (cross-correlation), see {@link conv2d}. Weight and bias are initialized uniformly between ±1 /
 * sqrt(fan in).
 * @shape [n, inChannels, h, w] gives [n, outChannels, h', w']; weight is [outChannels, inChannels / groups, rows, cols].
 * @throws as {@link Conv1d}.
 * @example new nn.Conv2d(3, 4, 3, { stride: 2, padding: 1 }).forward(ones([1, 3, 8, 8])).shape; // [1, 4, 4, 4]
 */
export class Conv2d extends Conv<Pair> {
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options?: ConvModuleOptions) {
    const given = checkOptions<ConvModuleOptions>("Conv2d", options, known, ["bias"]);
    const window = pairOf("Conv2d", "the window", kernelSize, 1);
    super("Conv2d", inChannels, outChannels, window, given, pairs("Conv2d"), false);
  }
  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options());
  }
}

/**
 * Transposed 2-D convolution, see {@link convTranspose2d}. Weight and bias are initialized uniformly between ±1 /
 * sqrt(fan in), where the fan in is outChannels / groups * rows * cols, as in PyTorch.
 * @shape [n, inChannels, h, w] gives [n, outChannels, h', w']; weight is [inChannels, outChannels / groups, rows, cols].
 * @throws as {@link Conv1d}.
 * @example new nn.ConvTranspose2d(4, 3, 2, { stride: 2 }).forward(ones([1, 4, 4, 4])).shape; // [1, 3, 8, 8]
 */
export class ConvTranspose2d extends Conv<Pair> {
  readonly outputPadding: Pair;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options?: ConvTransposeModuleOptions) {
    const op = "ConvTranspose2d";
    const given = checkOptions<ConvTransposeModuleOptions>(op, options, [...known, "outputPadding"], ["bias"]);
    const window = pairOf(op, "the window", kernelSize, 1);
    super(op, inChannels, outChannels, window, given, pairs(op), true);
    this.outputPadding = pairOf(op, "outputPadding", given.outputPadding ?? 0, 0);
  }
  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, { ...this.options(), outputPadding: this.outputPadding });
  }
}
