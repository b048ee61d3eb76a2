/** Activations as modules, for use in a {@link Sequential}. */
import { needInteger, needNumber } from "../core/arguments.js";
import { checkOptions } from "../core/options.js";
import * as activation from "../ops/activation.js";
import type { Activation } from "../ops/matmul.js";
import { logSoftmax, softmax } from "../ops/softmax.js";
import { relu, sigmoid, tanh } from "../ops/unary.js";
import type { Tensor } from "../tensor/tensor.js";
import { activationOf } from "./fusion.js";
import { Module } from "./module.js";

/**
 * `max(x, 0)`, see {@link relu}.
 * @shape that of x. @example new nn.ReLU().forward(tensor([-1, 2])).toArray(); // [0, 2]
 */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
  /** @internal */
  [activationOf](): Activation | null {
    return this.forward === reluForward ? "relu" : null;
  }
}
const reluForward: unknown = ReLU.prototype.forward;

/**
 * `1 / (1 + e^-x)`, see {@link sigmoid}.
 * @shape that of x. @example new nn.Sigmoid().forward(tensor([0])).item(); // 0.5
 */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/**
 * `log(sigmoid(x))`, see {@link activation.logSigmoid}.
 * @shape that of x. @example new nn.LogSigmoid().forward(tensor([0])).item(); // -0.693...
 */
export class LogSigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return activation.logSigmoid(x);
  }
}

/**
 * Hyperbolic tangent, see {@link tanh}.
 * @shape that of x. @example new nn.Tanh().forward(tensor([0])).item(); // 0
 */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/**
 * x where it is positive, else `slope * x` (slope 0.01 by default), see {@link activation.leakyRelu}.
 * @shape that of x. @example new nn.LeakyReLU(0.5).forward(tensor([-1, 2])).toArray(); // [-0.5, 2]
 */
export class LeakyReLU extends Module {
  readonly slope: number;
  constructor(slope = 0.01) {
    super();
    this.slope = needNumber("LeakyReLU", "the slope", slope);
  }
  override forward(x: Tensor): Tensor {
    return activation.leakyRelu(x, this.slope);
  }
  override extraRepr(): string {
    return `slope=${this.slope}`;
  }
}

/**
 * x where it is positive, else `alpha (e^x - 1)`, see {@link activation.elu}.
 * @shape that of x. @example new nn.ELU({ alpha: 2 }).forward(tensor([0, 3])).toArray(); // [0, 3]
 */
export class ELU extends Module {
  readonly alpha: number;
  constructor(options?: activation.EluOptions) {
    super();
    const { alpha = 1 } = checkOptions<activation.EluOptions>("ELU", options, ["alpha"]);
    this.alpha = needNumber("ELU", "alpha", alpha);
  }
  override forward(x: Tensor): Tensor {
    return activation.elu(x, { alpha: this.alpha });
  }
  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}

/**
 * `x Φ(x)` or its approximation, see {@link activation.gelu}.
 * @shape that of x. @example new nn.GELU({ approximate: "tanh" }).forward(tensor([0])).item(); // 0
 */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";
  constructor(options?: activation.GeluOptions) {
    super();
    const { approximate = "none" } = checkOptions<activation.GeluOptions>("GELU", options, ["approximate"]);
    this.approximate = approximate;
  }
  override forward(x: Tensor): Tensor {
    return activation.gelu(x, { approximate: this.approximate });
  }
  override extraRepr(): string {
    return `approximate="${this.approximate}"`;
  }
}

/**
 * `x sigmoid(x)`, see {@link activation.silu}.
 * @shape that of x. @example new nn.SiLU().forward(tensor([0])).item(); // 0
 */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return activation.silu(x);
  }
}

/**
 * `log(1 + e^(beta x)) / beta`, see {@link activation.softplus}.
 * @shape that of x. @example new nn.Softplus().forward(tensor([0])).item(); // 0.693...
 */
export class Softplus extends Module {
  readonly beta: number;
  constructor(options?: activation.SoftplusOptions) {
    super();
    const { beta = 1 } = checkOptions<activation.SoftplusOptions>("Softplus", options, ["beta"]);
    this.beta = needNumber("Softplus", "beta", beta);
  }
  override forward(x: Tensor): Tensor {
    return activation.softplus(x, { beta: this.beta });
  }
  override extraRepr(): string {
    return `beta=${this.beta}`;
  }
}

/**
 * `x tanh(softplus(x))`, see {@link activation.mish}.
 * @shape that of x. @example new nn.Mish().forward(tensor([0])).item(); // 0
 */
export class Mish extends Module {
  override forward(x: Tensor): Tensor {
    return activation.mish(x);
  }
}

abstract class AlongDimension extends Module {
  readonly dim: number;
  constructor(dim: number) {
    super();
    this.dim = needInteger(new.target.name, "dim", dim);
  }
  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/**
 * Softmax along a dimension, see {@link softmax}.
 * @shape that of x. @example new nn.Softmax(-1).forward(tensor([0, 0])).toArray(); // [0.5, 0.5]
 */
export class Softmax extends AlongDimension {
  override forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }
}

/**
 * The logarithm of {@link Softmax}, see {@link logSoftmax}.
 * @shape that of x. @example new nn.LogSoftmax(-1).forward(tensor([0, 0])).toArray(); // [-0.693..., -0.693...]
 */
export class LogSoftmax extends AlongDimension {
  override forward(x: Tensor): Tensor {
    return logSoftmax(x, this.dim);
  }
}
