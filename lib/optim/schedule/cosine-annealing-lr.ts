import { needFinite, needInteger } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

export interface CosineAnnealingLROptions {
  /** The number of steps from the initial rate to the minimum. */
  readonly tMax: number;
  /** The minimum rate; default 0. */
  readonly etaMin?: number | undefined;
}

/**
 * Updates the current rate so that, if nothing else changes it, it follows a cosine from the initial rate to the
 * minimum and back, with a period of `2 tMax` steps. If something else has lowered the rate below a positive `etaMin`,
 * PyTorch's formula can make it negative, which the optimizer refuses.
 * @throws ERR_ARGUMENT unless `tMax` is a positive integer and the minimum rate a number.
 * @source Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts, 2017.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.CosineAnnealingLR(opt, { tMax: 2 });
 * schedule.step();
 * opt.paramGroups[0]!.lr.toFixed(6); // "0.500000"
 */
export class CosineAnnealingLR extends RateSchedule {
  private readonly tMax: number;
  private readonly etaMin: number;
  constructor(optimizer: Scheduled, options: CosineAnnealingLROptions) {
    const op = "CosineAnnealingLR";
    super(op, optimizer);
    const { tMax, etaMin = 0 } = checkOptions<CosineAnnealingLROptions>(op, options, ["tMax", "etaMin"]);
    this.tMax = needInteger(op, "tMax", tMax, 1);
    this.etaMin = needFinite(op, "etaMin", etaMin);
    this.begin();
  }
  /** @internal */
  protected rate(lr: number, epoch: number, group: number): number {
    const { tMax, etaMin } = this;
    if (epoch === 0) return lr;
    const height = (at: number): number => 1 + Math.cos((Math.PI * at) / tMax);
    // From the minimum rate, where the quotient is undefined.
    if ((epoch - 1 - tMax) % (2 * tMax) === 0)
      return lr + ((this.baseLrs[group]! - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    return (height(epoch) / height(epoch - 1)) * (lr - etaMin) + etaMin;
  }
}
