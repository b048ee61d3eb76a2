import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { count, LRScheduler, type Scheduled } from "./schedule.js";

export interface SequentialLROptions {
  /** Schedules of the same optimizer, in order. */
  readonly schedulers: readonly LRScheduler[];
  /** The numbers of steps after which the next schedule takes over: one fewer than there are schedules, rising. */
  readonly milestones: readonly number[];
}

/**
 * One schedule after another, each beginning anew when its turn comes. Only this one is stepped, and its state is enough to go on.
 * @throws ERR_ARGUMENT for anything but schedules of this optimizer, or milestones that do not fit them.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const warmUp = new optim.LinearLR(opt, { startFactor: 0.5, totalIters: 2 });
 * const decay = new optim.ExponentialLR(opt, { gamma: 0.5 });
 * const schedule = new optim.SequentialLR(opt, { schedulers: [warmUp, decay], milestones: [2] });
 * opt.paramGroups[0]!.lr; // 0.5
 * for (let i = 0; i < 3; i++) schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class SequentialLR extends LRScheduler {
  private readonly schedulers: readonly LRScheduler[];
  private readonly milestones: readonly number[];
  constructor(optimizer: Scheduled, options: SequentialLROptions) {
    const op = "SequentialLR";
    super(op, optimizer);
    const given = checkOptions<SequentialLROptions>(op, options, ["schedulers", "milestones"]);
    const { schedulers, milestones } = given;
    if (!Array.isArray(schedulers) || schedulers.length === 0)
      fail("ERR_ARGUMENT", op, "schedulers is not valid", "an array of schedules", describe(schedulers));
    this.schedulers = schedulers.map((schedule: unknown) => {
      if (!(schedule instanceof LRScheduler))
        fail(
          "ERR_ARGUMENT",
          op,
          "a scheduler must be a schedule of steps",
          "a StepLR, LinearLR, ..",
          describe(schedule),
        );
      if (!schedule.steers(optimizer)) fail("ERR_ARGUMENT", op, "a scheduler belongs to another optimizer");
      return schedule;
    });
    if (!Array.isArray(milestones) || milestones.length !== schedulers.length - 1)
      fail("ERR_ARGUMENT", op, "milestones is not valid", `${schedulers.length - 1} integers`, describe(milestones));
    this.milestones = (milestones as number[]).map((value) => count(op, "a milestone", value));
    if (this.milestones.some((value, i) => i > 0 && value <= this.milestones[i - 1]!))
      fail("ERR_ARGUMENT", op, "milestones do not rise", undefined, describe(milestones));
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number, group: number): number {
    const turn = this.milestones.filter((milestone) => milestone <= epoch).length;
    const start = turn === 0 ? 0 : this.milestones[turn - 1]!;
    return this.schedulers[turn]!.rate(base, epoch - start, group);
  }
}
