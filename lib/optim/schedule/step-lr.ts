import { needFinite, needInteger } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

export interface StepLROptions {
  /** The number of steps between changes. */
  readonly stepSize: number;
  /** The factor; default 0.1. */
  readonly gamma?: number | undefined;
}

/**
 * Multiplies the current rate by `gamma` after every `stepSize` steps.
 * @throws ERR_ARGUMENT unless the size is a positive integer and gamma a number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.StepLR(opt, { stepSize: 2, gamma: 0.5 });
 * schedule.step();
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class StepLR extends RateSchedule {
  private readonly stepSize: number;
  private readonly gamma: number;
  constructor(optimizer: Scheduled, options: StepLROptions) {
    super("StepLR", optimizer);
    const { stepSize, gamma = 0.1 } = checkOptions<StepLROptions>("StepLR", options, ["stepSize", "gamma"]);
    this.stepSize = needInteger("StepLR", "stepSize", stepSize, 1);
    this.gamma = needFinite("StepLR", "gamma", gamma);
    this.begin();
  }
  /** @internal */
  protected rate(lr: number, epoch: number): number {
    return epoch > 0 && epoch % this.stepSize === 0 ? lr * this.gamma : lr;
  }
}
