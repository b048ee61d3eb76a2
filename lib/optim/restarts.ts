import { checkOptions } from "../core/options.js";
import { cosine, count, finite, LRScheduler, type Scheduled } from "./schedule.js";

export interface CosineAnnealingWarmRestartsOptions {
  /** The number of steps up to the first restart. */
  readonly t0: number;
  /** What the number of steps is multiplied by at each restart, an integer; 1 unless given. */
  readonly tMult?: number | undefined;
  /** The rate before a restart; 0 unless given. */
  readonly etaMin?: number | undefined;
}

/**
 * From the first rate towards the least along half a cosine wave, and then from the first rate again: after `t0` steps, after
 * another `t0 tMult`, and so on.
 * @throws ERR_ARGUMENT for a `t0` or `tMult` that is no integer above 0, or a least rate that is no number.
 * @source Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts, 2017.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.CosineAnnealingWarmRestarts(opt, { t0: 2 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 1
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  private readonly t0: number;
  private readonly tMult: number;
  private readonly etaMin: number;
  constructor(optimizer: Scheduled, options: CosineAnnealingWarmRestartsOptions) {
    const op = "CosineAnnealingWarmRestarts";
    super(op, optimizer);
    const given = checkOptions<CosineAnnealingWarmRestartsOptions>(op, options, ["t0", "tMult", "etaMin"]);
    this.t0 = count(op, "t0", given.t0);
    this.tMult = count(op, "tMult", given.tMult ?? 1);
    this.etaMin = finite(op, "etaMin", given.etaMin ?? 0);
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number): number {
    let length = this.t0;
    let since = epoch;
    if (this.tMult === 1) since = epoch % length;
    else for (; since >= length; length *= this.tMult) since -= length;
    return cosine(base, this.etaMin, since / length);
  }
}
