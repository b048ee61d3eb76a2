import { needInteger } from "../core/arguments.js";
import type { DType } from "../core/dtype.js";
import { checkOptions } from "../core/options.js";
import { type Activation, activations, linear } from "../ops/matmul.js";
import { zeros } from "../tensor/create.js";
import type { CreateOptions } from "../tensor/create-options.js";
import type { Tensor } from "../tensor/tensor.js";
import { kaimingUniform, uniform } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

export interface LinearOptions {
  /** Whether a bias is added; default true. */
  readonly bias?: boolean | undefined;
  /** The dtype of weight and bias; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}

/**
 * `x weightᵀ + bias`. Weight and bias are initialized uniformly between ±1 / sqrt(inFeatures).
 * @shape x [.., inFeatures] gives [.., outFeatures]; weight is [outFeatures, inFeatures], bias [outFeatures].
 * @throws ERR_ARGUMENT unless sizes are integers of at least 0; ERR_SHAPE if the last dimension of x differs from
 * inFeatures.
 * @example
 * new nn.Linear(3, 2).forward(ones([4, 3])).shape; // [4, 2]
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    super();
    const { bias = true, dtype } = checkOptions<LinearOptions>("Linear", options, ["dtype"], ["bias"]);
    this.inFeatures = needInteger("Linear", "inFeatures", inFeatures, 0);
    this.outFeatures = needInteger("Linear", "outFeatures", outFeatures, 0);
    const of: CreateOptions = { dtype };
    this.weight = new Parameter(zeros([outFeatures, inFeatures], of));
    this.bias = bias ? new Parameter(zeros([outFeatures], of)) : null;
    this.resetParameters();
  }
  /** Reinitializes weight and bias. */
  resetParameters(): void {
    if (this.weight.numel > 0) kaimingUniform(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const bound = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
    uniform(this.bias, { a: -bound, b: bound });
  }
  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
  /**
   * @internal `forward(x)` and then the activation, as one call of {@link linear} unless there are hooks or an
   * overridden forward.
   */
  forwardThrough(x: Tensor, activation: Activation): Tensor {
    if (this.forward !== plainForward) return activations[activation](this.forward(x));
    return linear(x, this.weight, this.bias, { activation });
  }
  override extraRepr(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${this.bias !== null}`;
  }
}

/** Outside the class, because esbuild renames a class that refers to itself. */
const plainForward: unknown = Linear.prototype.forward;
