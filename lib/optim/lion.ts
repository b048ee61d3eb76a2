import { needFinite } from "../core/arguments.js";
import { Optimizer } from "./optimizer.js";
import type { OptionsOf, Parameters } from "./param-group.js";
import { type StepRule, stepKernel, twoBetas } from "./step-rule.js";

export interface LionHyperparameters {
  /** The learning rate, which is the size of the step in every element; default 0.0001. */
  lr: number;
  /** beta1, the weight of the running mean in the step, and beta2, its decay rate; default [0.9, 0.99]. */
  betas: readonly [number, number];
  /** Decoupled weight decay: the parameter is multiplied by 1 - lr weightDecay; default 0. */
  weightDecay: number;
}
export type LionOptions = OptionsOf<LionHyperparameters>;

const rule: StepRule<LionHyperparameters> = {
  name: "Lion",
  row: stepKernel("lion", 9),
  defaults: { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0 },
  buffers: ["expAvg"],
  counts: false,
  used: () => 1,
  attrs({ lr, betas, weightDecay }) {
    needFinite("Lion", "lr", lr, { least: 0 });
    needFinite("Lion", "weightDecay", weightDecay, { least: 0 });
    return [lr, ...twoBetas("Lion", betas), weightDecay];
  },
};

/**
 * Lion: steps by the sign of a running mean m of the gradient g: `p -= lr (sign(beta1 m + (1 - beta1) g) + weightDecay p)`,
 * then `m = beta2 m + (1 - beta2) g`.
 * @throws ERR_ARGUMENT without parameters, for a tensor that is not a leaf requiring grad, or for an invalid
 * hyperparameter.
 * @source Chen et al., Symbolic discovery of optimization algorithms, 2023.
 * @example
 * const w = tensor([1], { requiresGrad: true });
 * const opt = new optim.Lion([w], { lr: 0.1 });
 * w.square().sum().backward();
 * opt.step();
 * w.item(); // 0.9
 */
export class Lion extends Optimizer<LionHyperparameters> {
  constructor(params: Parameters<LionHyperparameters>, options?: LionOptions) {
    super(rule, params, options);
  }
}
