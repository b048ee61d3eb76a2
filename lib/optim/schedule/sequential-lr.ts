import { needInteger, refuse } from "../../core/arguments.js";
import { describe, fail } from "../../core/errors.js";
import { checkOptions } from "../../core/options.js";
import { LRScheduler, type Scheduled, type ScheduleState } from "./lr-scheduler.js";

export interface SequentialLROptions {
  /** Schedules of the same optimizer, in order. */
  readonly schedulers: readonly LRScheduler[];
  /** The numbers of steps after which the next schedule takes over, in increasing order; one fewer than schedules. */
  readonly milestones: readonly number[];
}

export interface SequentialState extends ScheduleState {
  /** The states of the schedules, in order. */
  readonly schedulers: readonly ScheduleState[];
}

/**
 * Runs schedules one after another. At the start the rates are set to `initialLr`; each schedule, when it takes over,
 * restarts with its own initial rates. Call `step` on this one only; its state includes theirs.
 * @throws ERR_ARGUMENT unless all are schedules of this optimizer and the milestones match.
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
      refuse(op, "schedulers", "an array of schedules", schedulers);
    this.schedulers = Array.from(schedulers, (schedule: unknown) => {
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
      refuse(op, "milestones", `${schedulers.length - 1} integers`, milestones);
    this.milestones = Array.from(milestones, (value) => needInteger(op, "a milestone", value, 1));
    if (this.milestones.some((value, i) => i > 0 && value <= this.milestones[i - 1]!))
      fail("ERR_ARGUMENT", op, "milestones do not rise", undefined, describe(milestones));
    this.restart();
  }

  /** @internal */
  moveTo(epoch: number, from: readonly number[]): void {
    this.adoptGroups();
    const turn = this.milestones.filter((milestone) => milestone <= epoch).length;
    const part = this.schedulers[turn]!;
    if (epoch === 0) part.moveTo(0, from);
    else if (epoch === this.milestones[turn - 1]) part.restart();
    else part.step();
    this.lastEpoch = epoch;
  }

  override stateDict(): SequentialState {
    return { ...super.stateDict(), schedulers: this.schedulers.map((schedule) => schedule.stateDict()) };
  }

  override loadStateDict(state: SequentialState): void {
    super.loadStateDict(state);
  }

  /** @internal */
  override restoring(state: SequentialState): () => void {
    const own = super.restoring(state);
    const { length } = this.schedulers;
    const states: unknown = state.schedulers;
    if (!Array.isArray(states) || states.length !== length)
      refuse("SequentialLR.loadStateDict", "schedulers", `the states of ${length} schedules`, states);
    const parts = this.schedulers.map((schedule, i) => schedule.restoring((states as ScheduleState[])[i]!));
    return () => {
      for (const restore of [own, ...parts]) restore();
    };
  }
}
