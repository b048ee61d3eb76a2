import { needFinite, refuse, synchronous } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

/** Returns the factor for a number of steps. */
export type LrLambda = (epoch: number) => number;
export interface LambdaLROptions {
  /** One function for all groups, or one per group. Not part of the state. */
  readonly lrLambda: LrLambda | readonly LrLambda[];
}

/**
 * Sets the rate to `initialLr` times a function of the number of steps. Overwrites a rate that other schedules or the
 * program have set.
 * @throws ERR_ARGUMENT for anything but a function, or one per group, and for a factor that is not a finite number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.LambdaLR(opt, { lrLambda: (epoch) => 1 / (1 + epoch) });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class LambdaLR extends RateSchedule {
  private readonly lambdas: readonly LrLambda[];
  constructor(optimizer: Scheduled, options: LambdaLROptions) {
    const op = "LambdaLR";
    super(op, optimizer);
    const { lrLambda } = checkOptions<LambdaLROptions>(op, options, ["lrLambda"]);
    const groups = optimizer.paramGroups.length;
    const list: readonly unknown[] = Array.isArray(lrLambda)
      ? Array.from(lrLambda)
      : optimizer.paramGroups.map(() => lrLambda);
    if (list.length !== groups || !list.every((f) => typeof f === "function"))
      refuse(op, "lrLambda", `a function, or ${groups} of them`, lrLambda);
    this.lambdas = list as readonly LrLambda[];
    this.begin();
  }
  /** @internal */
  protected rate(_lr: number, epoch: number, group: number): number {
    const f = this.lambdas[group] ?? this.lambdas[0]!;
    return this.baseLrs[group]! * needFinite("LambdaLR", "the factor", synchronous("LambdaLR", f(epoch)));
  }
}
