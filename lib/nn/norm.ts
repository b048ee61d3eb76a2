/** Normalization layers. */
import { needInteger, needNumber } from "../core/arguments.js";
import type { DType } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { type Shape, showShape } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { batchNorm } from "../ops/batch-norm.js";
import { groupNorm, layerNorm, rmsNorm } from "../ops/norm.js";
import { normalizedSizes } from "../ops/norm-arguments.js";
import { ones, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";
import { Buffer, Parameter } from "./parameter.js";
import { members, renamed } from "./walk.js";

export interface RMSNormOptions {
  /** Added to the variance; default 1e-5. In RMSNorm, added to the mean square; default the dtype's machine epsilon. */
  readonly eps?: number | undefined;
  /** Whether there is a weight (and a bias, in layers that have one); default true. */
  readonly elementwiseAffine?: boolean | undefined;
  /** The dtype of weight and bias; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}
export interface LayerNormModuleOptions extends RMSNormOptions {
  /** Whether a bias is added; default true. */
  readonly bias?: boolean | undefined;
}

const showSizes = (shape: Shape): string => `normalizedShape=${showShape(shape)}`;

/**
 * Layer normalization over the last dimensions, see {@link layerNorm}; the weight is initialized to ones, the bias to
 * zeros.
 * @shape that of x, which ends in `normalizedShape`; so do weight and bias.
 * @example new nn.LayerNorm(2, { eps: 0 }).forward(tensor([[1, 3]])).toArray(); // [[-1, 1]]
 */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options?: LayerNormModuleOptions) {
    super();
    const {
      eps = 1e-5,
      elementwiseAffine = true,
      bias = true,
      dtype,
    } = checkOptions<LayerNormModuleOptions>("LayerNorm", options, ["eps", "dtype"], ["elementwiseAffine", "bias"]);
    this.normalizedShape = normalizedSizes("LayerNorm", normalizedShape);
    this.eps = needNumber("LayerNorm", "eps", eps);
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, { dtype })) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape, { dtype })) : null;
  }
  override forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(x, this.normalizedShape, { weight, bias, eps });
  }
  override extraRepr(): string {
    return `${showSizes(this.normalizedShape)}, eps=${this.eps}`;
  }
}

/**
 * RMS normalization over the last dimensions, see {@link rmsNorm}; the weight is initialized to ones.
 * @shape that of x, which ends in `normalizedShape`; so does the weight.
 * @example new nn.RMSNorm(2, { eps: 0 }).forward(tensor([[3, 3]])).toArray(); // [[1, 1]]
 */
export class RMSNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number | undefined;
  readonly weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options?: RMSNormOptions) {
    super();
    const given = checkOptions<RMSNormOptions>("RMSNorm", options, ["eps", "dtype"], ["elementwiseAffine"]);
    this.normalizedShape = normalizedSizes("RMSNorm", normalizedShape);
    this.eps = given.eps === undefined ? undefined : needNumber("RMSNorm", "eps", given.eps);
    const { elementwiseAffine = true, dtype } = given;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, { dtype })) : null;
  }
  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps });
  }
  override extraRepr(): string {
    return `${showSizes(this.normalizedShape)}, eps=${this.eps ?? "auto"}`;
  }
}

export interface GroupNormModuleOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number | undefined;
  /** Whether there are a weight and a bias; default true. */
  readonly affine?: boolean | undefined;
  /** The dtype of the layer's tensors; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}

/**
 * Group normalization, see {@link groupNorm}; the weight is initialized to ones, the bias to zeros.
 * @shape that of x, [n, numChannels, ..]; weight and bias are [numChannels].
 * @example new nn.GroupNorm(1, 2, { eps: 0 }).forward(tensor([[1, 3]])).toArray(); // [[-1, 1]]
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options?: GroupNormModuleOptions) {
    super();
    const op = "GroupNorm";
    const {
      eps = 1e-5,
      affine = true,
      dtype,
    } = checkOptions<GroupNormModuleOptions>(op, options, ["eps", "dtype"], ["affine"]);
    this.numGroups = needInteger(op, "numGroups", numGroups, 1);
    this.numChannels = needInteger(op, "numChannels", numChannels, 1);
    if (numChannels % numGroups !== 0)
      fail(
        "ERR_ARGUMENT",
        op,
        "the groups do not divide the channels",
        `a divisor of ${numChannels}`,
        String(numGroups),
      );
    this.eps = needNumber(op, "eps", eps);
    this.weight = affine ? new Parameter(ones([numChannels], { dtype })) : null;
    this.bias = affine ? new Parameter(zeros([numChannels], { dtype })) : null;
  }
  override forward(x: Tensor): Tensor {
    if (needTensor("GroupNorm", x).shape[1] !== this.numChannels)
      fail(
        "ERR_SHAPE",
        "GroupNorm",
        "the input has other channels",
        `[n, ${this.numChannels}, ..]`,
        showShape(x.shape),
      );
    const { weight, bias, eps } = this;
    return groupNorm(x, this.numGroups, { weight, bias, eps });
  }
  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${this.eps}`;
  }
}

export interface BatchNormModuleOptions extends GroupNormModuleOptions {
  /** The weight of the batch's mean and variance in the update of the running ones; default 0.1. */
  readonly momentum?: number | undefined;
  /** Whether a running mean and variance are kept for use after `eval()`; default true. */
  readonly trackRunningStats?: boolean | undefined;
}

/** PyTorch's names in a state dictionary. */
const keys: Readonly<Record<string, string>> = {
  runningMean: "running_mean",
  runningVar: "running_var",
  numBatchesTracked: "num_batches_tracked",
};

abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Buffer | null;
  readonly runningVar: Buffer | null;
  /** The number of batches in the running statistics. */
  readonly numBatchesTracked: Buffer | null;
  /** The ranks of input that the layer accepts. */
  protected abstract readonly ranks: readonly number[];

  constructor(numFeatures: number, options?: BatchNormModuleOptions) {
    super();
    const op = new.target.name;
    const flags = ["affine", "trackRunningStats"] as const;
    const given = checkOptions<BatchNormModuleOptions>(op, options, ["eps", "momentum", "dtype"], flags);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true, dtype } = given;
    this.numFeatures = needInteger(op, "numFeatures", numFeatures, 1);
    this.eps = needNumber(op, "eps", eps);
    this.momentum = needNumber(op, "momentum", momentum);
    const shape = [numFeatures];
    this.weight = affine ? new Parameter(ones(shape, { dtype })) : null;
    this.bias = affine ? new Parameter(zeros(shape, { dtype })) : null;
    this.runningMean = trackRunningStats ? new Buffer(zeros(shape, { dtype })) : null;
    this.runningVar = trackRunningStats ? new Buffer(ones(shape, { dtype })) : null;
    this.numBatchesTracked = trackRunningStats ? new Buffer(zeros([], { dtype: "int64" })) : null;
  }
  override forward(x: Tensor): Tensor {
    const op = this.constructor.name;
    needTensor(op, x);
    if (!this.ranks.includes(x.ndim) || x.shape[1] !== this.numFeatures)
      fail("ERR_SHAPE", op, "the input does not fit the layer", this.wanted(), showShape(x.shape));
    const { runningMean, runningVar, weight, bias, momentum, eps } = this;
    const training = this.training || runningMean === null;
    const y = batchNorm(x, runningMean, runningVar, { weight, bias, training, momentum, eps });
    const seen = this.numBatchesTracked;
    if (training && seen !== null) withGrad(false, () => seen.assign(seen.add(1)));
    return y;
  }
  private wanted(): string {
    const rest = ["", ", l", ", h, w"];
    return this.ranks.map((rank) => `[n, ${this.numFeatures}${rest[rank - 2]}]`).join(" or ");
  }
  override extraRepr(): string {
    return `${this.numFeatures}, eps=${this.eps}, momentum=${this.momentum}`;
  }
  /** @internal */
  override [members](): Iterable<readonly [string, unknown]> {
    return renamed(this, keys);
  }
}

/**
 * Batch normalization of vectors or sequences, see {@link batchNorm}: with the batch's statistics while training, with
 * the running ones after `eval()`. The weight is initialized to ones, the bias to zeros.
 * @shape that of x, [n, numFeatures] or [n, numFeatures, l].
 * @throws ERR_SHAPE for any other shape, or if a channel has only one element while training.
 * @example new nn.BatchNorm1d(1, { eps: 0 }).forward(tensor([[1], [3]])).toArray(); // [[-1], [1]]
 */
export class BatchNorm1d extends BatchNorm {
  protected readonly ranks: readonly number[] = [2, 3];
}

/**
 * Batch normalization of images, see {@link batchNorm}: with the batch's statistics while training, with the running
 * ones after `eval()`. The weight is initialized to ones, the bias to zeros.
 * @shape that of x, [n, numFeatures, h, w].
 * @throws ERR_SHAPE for any other shape, or if a channel has only one element while training.
 * @example new nn.BatchNorm2d(1, { eps: 0 }).forward(tensor([[[[1, 3]]]])).toArray(); // [[[[-1, 1]]]]
 */
export class BatchNorm2d extends BatchNorm {
  protected readonly ranks: readonly number[] = [4];
}
