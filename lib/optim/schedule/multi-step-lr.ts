import { needFinite, needInteger, refuse } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

export interface MultiStepLROptions {
  /** The numbers of steps after which the rate decreases; duplicates count twice. */
  readonly milestones: readonly number[];
  /** The factor; default 0.1. */
  readonly gamma?: number | undefined;
}

/**
 * Multiplies the current rate by `gamma` after each of the given numbers of steps.
 * @throws ERR_ARGUMENT unless milestones are positive integers and gamma is a number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.MultiStepLR(opt, { milestones: [1, 3], gamma: 0.5 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class MultiStepLR extends RateSchedule {
  private readonly milestones: readonly number[];
  private readonly gamma: number;
  constructor(optimizer: Scheduled, options: MultiStepLROptions) {
    const op = "MultiStepLR";
    super(op, optimizer);
    const { milestones, gamma = 0.1 } = checkOptions<MultiStepLROptions>(op, options, ["milestones", "gamma"]);
    if (!Array.isArray(milestones)) refuse(op, "milestones", "an array of integers", milestones);
    this.milestones = Array.from(milestones, (value) => needInteger(op, "a milestone", value, 1));
    this.gamma = needFinite(op, "gamma", gamma);
    this.begin();
  }
  /** @internal */
  protected rate(lr: number, epoch: number): number {
    return lr * this.gamma ** this.milestones.filter((milestone) => milestone === epoch).length;
  }
}
