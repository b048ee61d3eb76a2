import { needFinite, needInteger } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

export interface LinearLROptions {
  /** The initial factor, above 0; default 1/3. */
  readonly startFactor?: number | undefined;
  /** The final factor; default 1. */
  readonly endFactor?: number | undefined;
  /** The number of steps between the two factors; default 5. */
  readonly totalIters?: number | undefined;
}

/**
 * Updates the current rate so that, if nothing else changes it, it is the initial one times a factor that changes
 * linearly from `startFactor` to `endFactor` over `totalIters` steps, and then stays.
 * @throws ERR_ARGUMENT unless the initial factor is above 0, the final one at least 0, and the number of steps a
 * positive integer.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.LinearLR(opt, { startFactor: 0.5, totalIters: 2 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.75
 */
export class LinearLR extends RateSchedule {
  private readonly startFactor: number;
  private readonly endFactor: number;
  private readonly totalIters: number;
  constructor(optimizer: Scheduled, options?: LinearLROptions) {
    const op = "LinearLR";
    super(op, optimizer);
    const given = checkOptions<LinearLROptions>(op, options, ["startFactor", "endFactor", "totalIters"]);
    this.startFactor = needFinite(op, "startFactor", given.startFactor ?? 1 / 3, { above: 0 });
    // A rate of 0 cannot be multiplied back to the next one.
    this.endFactor = needFinite(op, "endFactor", given.endFactor ?? 1, { least: 0 });
    this.totalIters = needInteger(op, "totalIters", given.totalIters ?? 5, 1);
    this.begin();
  }
  /** @internal */
  protected rate(lr: number, epoch: number): number {
    const { startFactor, totalIters } = this;
    if (epoch === 0) return lr * startFactor;
    if (epoch > totalIters) return lr;
    const rise = this.endFactor - startFactor;
    return lr * (1 + rise / (totalIters * startFactor + (epoch - 1) * rise));
  }
}
