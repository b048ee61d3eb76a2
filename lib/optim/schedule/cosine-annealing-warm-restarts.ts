import { needFinite, needInteger } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import { cosine } from "./anneal.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

export interface CosineAnnealingWarmRestartsOptions {
  /** The number of steps until the first restart. */
  readonly t0: number;
  /** The integer factor on that number after each restart; default 1. */
  readonly tMult?: number | undefined;
  /** The minimum rate; default 0. */
  readonly etaMin?: number | undefined;
}

/**
 * Sets the rate from `initialLr` towards the minimum along half a cosine, and restarts after `t0` steps, then after `t0
 * tMult` more, and so on. Overwrites a rate that other schedules or the program have set.
 * @throws ERR_ARGUMENT unless `t0` and `tMult` are positive integers and the minimum rate is a number.
 * @source Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts, 2017.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.CosineAnnealingWarmRestarts(opt, { t0: 2 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 1
 */
export class CosineAnnealingWarmRestarts extends RateSchedule {
  private readonly t0: number;
  private readonly tMult: number;
  private readonly etaMin: number;
  constructor(optimizer: Scheduled, options: CosineAnnealingWarmRestartsOptions) {
    const op = "CosineAnnealingWarmRestarts";
    super(op, optimizer);
    const given = checkOptions<CosineAnnealingWarmRestartsOptions>(op, options, ["t0", "tMult", "etaMin"]);
    this.t0 = needInteger(op, "t0", given.t0, 1);
    this.tMult = needInteger(op, "tMult", given.tMult ?? 1, 1);
    this.etaMin = needFinite(op, "etaMin", given.etaMin ?? 0);
    this.begin();
  }
  /** @internal */
  protected rate(_lr: number, epoch: number, group: number): number {
    let length = this.t0;
    let since = epoch;
    if (this.tMult === 1) since = epoch % length;
    else for (; since >= length; length *= this.tMult) since -= length;
    return cosine(this.baseLrs[group]!, this.etaMin, since / length);
  }
}
