import { needFinite } from "../core/arguments.js";
import { Optimizer } from "./optimizer.js";
import type { OptionsOf, Parameters } from "./param-group.js";
import { type StepRule, stepKernel, twoBetas } from "./step-rule.js";

export interface AdamHyperparameters {
  /** The learning rate; default 0.001. */
  lr: number;
  /** The decay rates of the running means of the gradient and its square; default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the divisor; default 1e-8. */
  eps: number;
  /** The weight decay, see {@link Adam} and {@link AdamW}; default 0 for Adam, 0.01 for AdamW. */
  weightDecay: number;
}
export type AdamOptions = OptionsOf<AdamHyperparameters>;

const row = stepKernel("adam", 13);

const ruleOf = (name: string, decoupled: boolean): StepRule<AdamHyperparameters> => ({
  name,
  row,
  defaults: { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: decoupled ? 0.01 : 0 },
  buffers: ["expAvg", "expAvgSq"],
  counts: true,
  used: () => 2,
  attrs({ lr, betas, eps, weightDecay }, age) {
    needFinite(name, "lr", lr, { least: 0 });
    needFinite(name, "eps", eps, { least: 0 });
    needFinite(name, "weightDecay", weightDecay, { least: 0 });
    return [lr, ...twoBetas(name, betas), eps, weightDecay, age + 1, decoupled ? 1 : 0];
  },
});

const coupledRule = ruleOf("Adam", false);
const decoupledRule = ruleOf("AdamW", true);

/**
 * Adam: `p -= lr m̂ / (sqrt(v̂) + eps)`, where m̂ and v̂ are the bias-corrected running means of the gradient and of
 * its square. Weight decay is an L2 penalty: `weightDecay p` is added to the gradient. {@link AdamW} shrinks the
 * parameter instead.
 * @throws ERR_ARGUMENT without parameters, for a tensor that is not a leaf requiring grad, or for an invalid
 * hyperparameter.
 * @source Kingma and Ba, Adam: A method for stochastic optimization, 2015.
 * @example
 * const w = tensor([1], { requiresGrad: true });
 * const opt = new optim.Adam([w], { lr: 0.1 });
 * w.square().sum().backward();
 * opt.step();
 * w.item(); // 0.9
 */
export class Adam extends Optimizer<AdamHyperparameters> {
  constructor(params: Parameters<AdamHyperparameters>, options?: AdamOptions) {
    super(coupledRule, params, options);
  }
}

/**
 * {@link Adam} with decoupled weight decay: `p *= 1 - lr weightDecay` before the step.
 * @throws ERR_ARGUMENT without parameters, for a tensor that is not a leaf requiring grad, or for an invalid
 * hyperparameter.
 * @source Loshchilov and Hutter, Decoupled weight decay regularization, 2019.
 * @example
 * const model = new nn.Linear(2, 1);
 * const opt = new optim.AdamW(model.parameters(), { lr: 1e-3 });
 * opt.zeroGrad();
 * model.forward(ones([4, 2])).mean().backward();
 * opt.step();
 */
export class AdamW extends Optimizer<AdamHyperparameters> {
  constructor(params: Parameters<AdamHyperparameters>, options?: AdamOptions) {
    super(decoupledRule, params, options);
  }
}
