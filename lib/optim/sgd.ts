import { needBoolean, needFinite } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { Optimizer } from "./optimizer.js";
import type { OptionsOf, Parameters } from "./param-group.js";
import { type StepRule, stepKernel } from "./step-rule.js";

export interface SgdHyperparameters {
  /** The learning rate; default 0.001. */
  lr: number;
  /** The momentum; default 0. */
  momentum: number;
  /** The gradient is multiplied by 1 - dampening before it is added to the momentum buffer; default 0. */
  dampening: number;
  /** L2 penalty: weightDecay × parameter is added to the gradient; default 0. */
  weightDecay: number;
  /** Whether to use Nesterov momentum, which needs momentum and no dampening; default false. */
  nesterov: boolean;
}
export type SgdOptions = OptionsOf<SgdHyperparameters>;

const rule: StepRule<SgdHyperparameters> = {
  name: "SGD",
  row: stepKernel("sgd", 6),
  defaults: { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
  buffers: ["momentumBuffer"],
  counts: false,
  used: (group) => (group.momentum === 0 ? 0 : 1),
  attrs({ lr, momentum, dampening, weightDecay, nesterov }, age) {
    needFinite("SGD", "lr", lr, { least: 0 });
    needFinite("SGD", "momentum", momentum, { least: 0 });
    needFinite("SGD", "weightDecay", weightDecay, { least: 0 });
    needFinite("SGD", "dampening", dampening);
    needBoolean("SGD", "nesterov", nesterov);
    if (nesterov && (momentum === 0 || dampening !== 0))
      fail(
        "ERR_ARGUMENT",
        "SGD",
        "nesterov needs momentum and no dampening",
        "momentum > 0 and dampening 0",
        `${momentum} and ${dampening}`,
      );
    return [lr, momentum, dampening, weightDecay, nesterov ? 1 : 0, age === 0 ? 1 : 0];
  },
};

/**
 * Stochastic gradient descent, optionally with momentum. For a parameter p with gradient g: `d = g + weightDecay p; b =
 * momentum b + (1 - dampening) d` (the first time `b = d`); `p -= lr b`, or with Nesterov momentum `p -= lr (d +
 * momentum b)`.
 * @throws ERR_ARGUMENT without parameters, for a tensor that is not a leaf requiring grad, or for an invalid
 * hyperparameter.
 * @source Sutskever et al., On the importance of initialization and momentum in deep learning, 2013.
 * @example
 * const w = tensor([1], { requiresGrad: true });
 * const opt = new optim.SGD([w], { lr: 0.1 });
 * w.square().sum().backward();
 * opt.step();
 * w.item(); // 0.8
 */
export class SGD extends Optimizer<SgdHyperparameters> {
  constructor(params: Parameters<SgdHyperparameters>, options?: SgdOptions) {
    super(rule, params, options);
  }
}
