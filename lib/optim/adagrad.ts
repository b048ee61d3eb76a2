import { needFinite } from "../core/arguments.js";
import { Optimizer } from "./optimizer.js";
import type { OptionsOf, Parameters } from "./param-group.js";
import { type StepRule, stepKernel } from "./step-rule.js";

export interface AdagradHyperparameters {
  /** The learning rate; default 0.01. */
  lr: number;
  /** After n steps the learning rate is lr / (1 + n lrDecay); default 0. */
  lrDecay: number;
  /** L2 penalty: weightDecay × parameter is added to the gradient; default 0. */
  weightDecay: number;
  /** The initial value of the sum of squared gradients; default 0. */
  initialAccumulatorValue: number;
  /** Added to the divisor; default 1e-10. */
  eps: number;
}
export type AdagradOptions = OptionsOf<AdagradHyperparameters>;

const rule: StepRule<AdagradHyperparameters> = {
  name: "Adagrad",
  row: stepKernel("adagrad", 8),
  defaults: { lr: 0.01, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
  buffers: ["sum"],
  counts: true,
  used: () => 1,
  attrs({ lr, lrDecay, weightDecay, initialAccumulatorValue, eps }, age) {
    needFinite("Adagrad", "lr", lr, { least: 0 });
    needFinite("Adagrad", "lrDecay", lrDecay, { least: 0 });
    needFinite("Adagrad", "weightDecay", weightDecay, { least: 0 });
    needFinite("Adagrad", "initialAccumulatorValue", initialAccumulatorValue, { least: 0 });
    needFinite("Adagrad", "eps", eps, { least: 0 });
    return [lr / (1 + age * lrDecay), weightDecay, eps, initialAccumulatorValue, age === 0 ? 1 : 0];
  },
};

/**
 * Adagrad: `d = g + weightDecay p; s += d^2; p -= lr d / (sqrt(s) + eps)`, so s is the sum of all squared gradients so
 * far.
 * @throws ERR_ARGUMENT without parameters, for a tensor that is not a leaf requiring grad, or for an invalid
 * hyperparameter.
 * @source Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization, 2011.
 * @example
 * const w = tensor([1], { requiresGrad: true });
 * const opt = new optim.Adagrad([w], { lr: 0.1 });
 * w.square().sum().backward();
 * opt.step();
 * w.item(); // 0.9
 */
export class Adagrad extends Optimizer<AdagradHyperparameters> {
  constructor(params: Parameters<AdagradHyperparameters>, options?: AdagradOptions) {
    super(rule, params, options);
  }
}
