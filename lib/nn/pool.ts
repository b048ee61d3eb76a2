/** Pooling layers. */
import { checkOptions } from "../core/options.js";
import type { Pair } from "../ops/conv.js";
import { type AvgPoolOptions, adaptiveAvgPool2d, avgPool2d, type MaxPoolOptions, maxPool2d } from "../ops/pool.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";

const show = (value: Pair): string => (typeof value === "number" ? String(value) : `[${value.join(", ")}]`);

/**
 * Max pooling, see {@link maxPool2d}.
 * @shape [n, channels, h, w] gives [n, channels, h', w'].
 * @example new nn.MaxPool2d(2).forward(tensor([[[1, 2], [3, 4]]])).toArray(); // [[[4]]]
 */
export class MaxPool2d extends Module {
  readonly kernelSize: Pair;
  private readonly options: Partial<MaxPoolOptions>;
  constructor(kernelSize: Pair, options?: MaxPoolOptions) {
    super();
    this.options = checkOptions<MaxPoolOptions>("MaxPool2d", options, ["stride", "padding", "dilation"]);
    this.kernelSize = kernelSize;
  }
  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
  override extraRepr(): string {
    return `kernelSize=${show(this.kernelSize)}, stride=${show(this.options.stride ?? this.kernelSize)}`;
  }
}

/**
 * Average pooling, see {@link avgPool2d}.
 * @shape [n, channels, h, w] gives [n, channels, h', w'].
 * @example new nn.AvgPool2d(2).forward(tensor([[[1, 2], [3, 6]]])).toArray(); // [[[3]]]
 */
export class AvgPool2d extends Module {
  readonly kernelSize: Pair;
  private readonly options: Partial<AvgPoolOptions>;
  constructor(kernelSize: Pair, options?: AvgPoolOptions) {
    super();
    this.options = checkOptions<AvgPoolOptions>("AvgPool2d", options, ["stride", "padding"], ["countIncludePad"]);
    this.kernelSize = kernelSize;
  }
  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
  override extraRepr(): string {
    return `kernelSize=${show(this.kernelSize)}, stride=${show(this.options.stride ?? this.kernelSize)}`;
  }
}

/**
 * Average pooling to a given output size, see {@link adaptiveAvgPool2d}.
 * @shape [n, channels, h, w] gives [n, channels, ...outputSize].
 * @example new nn.AdaptiveAvgPool2d(1).forward(tensor([[[1, 2], [3, 6]]])).toArray(); // [[[3]]]
 */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: Pair;
  constructor(outputSize: Pair) {
    super();
    this.outputSize = outputSize;
  }
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
  override extraRepr(): string {
    return `outputSize=${show(this.outputSize)}`;
  }
}
