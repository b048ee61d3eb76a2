import { needFinite } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

export interface ExponentialLROptions {
  /** The factor on the rate at every step. */
  readonly gamma: number;
}

/**
 * Multiplies the current rate by `gamma` after every step.
 * @throws ERR_ARGUMENT unless gamma is a number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.ExponentialLR(opt, { gamma: 0.5 });
 * schedule.step();
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.25
 */
export class ExponentialLR extends RateSchedule {
  private readonly gamma: number;
  constructor(optimizer: Scheduled, options: ExponentialLROptions) {
    super("ExponentialLR", optimizer);
    this.gamma = needFinite("ExponentialLR", "gamma", checkOptions("ExponentialLR", options, ["gamma"]).gamma);
    this.begin();
  }
  /** @internal */
  protected rate(lr: number, epoch: number): number {
    return epoch === 0 ? lr : lr * this.gamma;
  }
}
