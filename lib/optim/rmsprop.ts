import { needBoolean, needFinite } from "../core/arguments.js";
import { Optimizer } from "./optimizer.js";
import type { OptionsOf, Parameters } from "./param-group.js";
import { type StepRule, stepKernel } from "./step-rule.js";

export interface RmspropHyperparameters {
  /** The learning rate; default 0.01. */
  lr: number;
  /** The decay rate of the running mean of the squared gradient; default 0.99. */
  alpha: number;
  /** Added to the divisor; default 1e-8. */
  eps: number;
  /** L2 penalty: weightDecay × parameter is added to the gradient; default 0. */
  weightDecay: number;
  /** The momentum; default 0. */
  momentum: number;
  /** Whether the variance of the gradient is used instead of its mean square; default false. */
  centered: boolean;
}
export type RmspropOptions = OptionsOf<RmspropHyperparameters>;

const rule: StepRule<RmspropHyperparameters> = {
  name: "RMSprop",
  row: stepKernel("rmsprop", 9),
  defaults: { lr: 0.01, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false },
  buffers: ["squareAvg", "momentumBuffer", "gradAvg"],
  counts: false,
  used: ({ momentum, centered }) => (centered ? 3 : momentum === 0 ? 1 : 2),
  attrs({ lr, alpha, eps, weightDecay, momentum, centered }) {
    needFinite("RMSprop", "lr", lr, { least: 0 });
    needFinite("RMSprop", "alpha", alpha, { least: 0, below: 1 });
    needFinite("RMSprop", "eps", eps, { least: 0 });
    needFinite("RMSprop", "weightDecay", weightDecay, { least: 0 });
    needFinite("RMSprop", "momentum", momentum, { least: 0 });
    needBoolean("RMSprop", "centered", centered);
    return [lr, alpha, eps, weightDecay, momentum];
  },
};

/**
 * RMSprop: with `d = g + weightDecay p` and the running mean v of d^2, `u = d / (sqrt(v) + eps)`; if centered, `u = d /
 * (sqrt(v - m^2) + eps)` with the running mean m of d. Then `p -= lr u`, or with momentum `b = momentum b + u; p -= lr
 * b`.
 * @throws ERR_ARGUMENT without parameters, for a tensor that is not a leaf requiring grad, or for an invalid
 * hyperparameter.
 * @source Tieleman and Hinton, Lecture 6.5, Neural networks for machine learning, 2012.
 * @example
 * const w = tensor([1], { requiresGrad: true });
 * const opt = new optim.RMSprop([w], { lr: 0.1, alpha: 0.75 });
 * w.square().sum().backward();
 * opt.step();
 * w.item(); // 0.8
 */
export class RMSprop extends Optimizer<RmspropHyperparameters> {
  constructor(params: Parameters<RmspropHyperparameters>, options?: RmspropOptions) {
    super(rule, params, options);
  }
}
