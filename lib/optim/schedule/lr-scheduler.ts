import { needInteger, refuse } from "../../core/arguments.js";
import { brand } from "../../core/copy.js";
import { Optimizer } from "../optimizer.js";
import type { ParamGroup } from "../param-group.js";

/** The state of a schedule: the number of steps, and the initial rates of the groups. */
export interface ScheduleState {
  /** The number of steps. */
  readonly lastEpoch: number;
  /** The `initialLr` of each group. */
  readonly baseLrs: readonly number[];
}

/** The part of an optimizer that schedules modify. */
export type Scheduled = Optimizer<{ lr: number }>;

/**
 * The base class of all schedules; instantiate a subclass. Making a schedule sets the rates of step 0, and each `step()`
 * those of the next step, by PyTorch's formulas:
 *
 * - StepLR, MultiStepLR, ExponentialLR, LinearLR and CosineAnnealingLR multiply the current rate of a group. So several of
 *   them on one optimizer combine, and they continue from a rate set by ReduceLROnPlateau or the program.
 * - LambdaLR, OneCycleLR and CosineAnnealingWarmRestarts compute the rate from `initialLr`, not from the current rate.
 *
 * `initialLr` is a field of the group: its rate when the first schedule was made. Like the rates, it is saved with the
 * optimizer; a schedule's own state contains no rates. To resume, make optimizer and schedules first, and then load
 * the state of each: making a schedule sets the rates of step 0.
 */
export abstract class LRScheduler {
  /** The number of steps so far. */
  lastEpoch = 0;
  /** The `initialLr` of the groups when this schedule was made. */
  baseLrs: readonly number[] = [];
  protected readonly optimizer: Scheduled;

  protected constructor(name: string, optimizer: unknown) {
    if (!(optimizer instanceof Optimizer)) refuse(name, "the first argument", "an optimizer", optimizer);
    this.optimizer = optimizer as Scheduled;
  }

  /** Counts a step (of the optimizer, or an epoch) and updates the rates. */
  step(): void {
    this.moveTo(this.lastEpoch + 1, this.getLastLr());
  }

  /** The current rates, group by group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** The state, as plain numbers. The rates are part of the optimizer's state. */
  stateDict(): ScheduleState {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs] };
  }

  /**
   * Restores the state of another schedule of the same kind and settings. Writes no rates: those are part of the
   * optimizer's state.
   * @throws ERR_ARGUMENT for another kind of state, or another number of groups; then nothing is changed.
   */
  loadStateDict(state: ScheduleState): void {
    this.restoring(state)();
  }

  /** @internal Sets the rates of step `epoch` for groups whose rates are `from`; all are computed before any is set. */
  abstract moveTo(epoch: number, from: readonly number[]): void;

  /** @internal Restarts with the initial rates. */
  restart(): void {
    this.adoptGroups();
    this.moveTo(0, this.baseLrs);
  }

  /** @internal Checks a state; the returned function applies it. */
  restoring(state: ScheduleState): () => void {
    const op = `${this.constructor.name}.loadStateDict`;
    const epoch = needInteger(op, "lastEpoch", state?.lastEpoch, 0);
    const rates: unknown = state?.baseLrs;
    const groups = this.optimizer.paramGroups.length;
    const list: unknown[] | null = Array.isArray(rates) ? Array.from(rates) : null;
    if (list?.length !== groups || !list.every(Number.isFinite)) refuse(op, "baseLrs", `${groups} numbers`, rates);
    return () => {
      this.lastEpoch = epoch;
      this.baseLrs = list as number[];
    };
  }

  /** @internal Whether it belongs to this optimizer. */
  steers(optimizer: unknown): boolean {
    return this.optimizer === optimizer;
  }

  /** Registers new groups. */
  protected adoptGroups(): void {
    const { paramGroups } = this.optimizer;
    if (this.baseLrs.length === paramGroups.length) return;
    this.baseLrs = paramGroups.map((group, g) => this.baseLrs[g] ?? this.adopt(group));
  }

  /** Registers a group, and returns its initial rate. */
  protected adopt(group: ParamGroup<{ lr: number }>): number {
    group.initialLr ??= group.lr;
    return group.initialLr;
  }
}
brand("other", LRScheduler);
