import { needChoice, needFinite, needInteger, refuse } from "../../core/arguments.js";
import { checkOptions } from "../../core/options.js";
import { isTensor, type Tensor } from "../../tensor/tensor.js";
import { Optimizer } from "../optimizer.js";
import type { Scheduled } from "./lr-scheduler.js";

export interface ReduceLROnPlateauOptions {
  /** Whether the value should decrease or increase; default "min". */
  readonly mode?: "min" | "max" | undefined;
  /** The factor on the rate, below 1; default 0.1. */
  readonly factor?: number | undefined;
  /** The number of steps without improvement that are tolerated; default 10. */
  readonly patience?: number | undefined;
  /** The smallest difference from the best value that counts as an improvement; default 1e-4. */
  readonly threshold?: number | undefined;
  /** Whether the threshold is relative ("rel") or absolute ("abs"); default "rel". */
  readonly thresholdMode?: "rel" | "abs" | undefined;
  /** The number of steps after a reduction that do not count as steps without improvement; default 0. */
  readonly cooldown?: number | undefined;
  /** The minimum rate: one for all groups, or one for each; default 0. */
  readonly minLr?: number | readonly number[] | undefined;
  /** A reduction of the rate by no more than this is skipped; default 1e-8. */
  readonly eps?: number | undefined;
}

/** The state, as plain numbers. */
export interface PlateauState {
  /** The number of steps. */
  readonly lastEpoch: number;
  /** The best value so far; null before the first. */
  readonly best: number | null;
  /** The number of steps without improvement. */
  readonly numBadEpochs: number;
  /** The remaining steps of the cooldown. */
  readonly cooldownCounter: number;
}

const known = ["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"] as const;

/**
 * Multiplies the current rates by `factor` when a value, such as the validation loss, has not improved for more than
 * `patience` steps. NaN does not count as an improvement.
 * @throws ERR_ARGUMENT for an invalid option, or a value that is neither a number nor a one-element tensor.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.ReduceLROnPlateau(opt, { factor: 0.5, patience: 1 });
 * for (const loss of [3, 3, 3]) schedule.step(loss);
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class ReduceLROnPlateau {
  /** The number of steps so far. */
  lastEpoch = 0;
  private readonly optimizer: Scheduled;
  private readonly options: Required<{
    readonly [K in (typeof known)[number]]: NonNullable<ReduceLROnPlateauOptions[K]>;
  }>;
  private best: number | null = null;
  private numBadEpochs = 0;
  private cooldownCounter = 0;

  constructor(optimizer: Scheduled, options?: ReduceLROnPlateauOptions) {
    const op = "ReduceLROnPlateau";
    if (!(optimizer instanceof Optimizer)) refuse(op, "the first argument", "an optimizer", optimizer);
    this.optimizer = optimizer;
    const given = checkOptions<ReduceLROnPlateauOptions>(op, options, known);
    const { minLr = 0 } = given;
    const groups = optimizer.paramGroups.length;
    const least: readonly unknown[] = Array.isArray(minLr) ? minLr : [minLr];
    if (Array.isArray(minLr) && least.length !== groups) refuse(op, "minLr", `a number, or ${groups} of them`, minLr);
    for (const rate of least) needFinite(op, "minLr", rate, { least: 0 });
    this.options = {
      mode: needChoice(op, "mode", given.mode ?? "min", ["min", "max"]),
      factor: needFinite(op, "factor", given.factor ?? 0.1, { least: 0, below: 1 }),
      patience: needFinite(op, "patience", given.patience ?? 10, { least: 0 }),
      threshold: needFinite(op, "threshold", given.threshold ?? 1e-4),
      thresholdMode: needChoice(op, "thresholdMode", given.thresholdMode ?? "rel", ["rel", "abs"]),
      cooldown: needFinite(op, "cooldown", given.cooldown ?? 0, { least: 0 }),
      minLr,
      eps: needFinite(op, "eps", given.eps ?? 1e-8, { least: 0 }),
    };
  }

  /** Counts a step with this value, and reduces the rates after too many steps without improvement. */
  step(value: number | Tensor): void {
    const op = "ReduceLROnPlateau";
    const current: unknown = isTensor(value) ? value.item() : value;
    if (typeof current !== "number") refuse(op, "the value", "a number or a tensor of one element", value);
    this.lastEpoch++;
    if (this.isBetter(current)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs <= this.options.patience) return;
    this.reduce();
    this.cooldownCounter = this.options.cooldown;
    this.numBadEpochs = 0;
  }

  /** The current rates, group by group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** The state. The rates are part of the optimizer's state. */
  stateDict(): PlateauState {
    const { lastEpoch, best, numBadEpochs, cooldownCounter } = this;
    return { lastEpoch, best, numBadEpochs, cooldownCounter };
  }

  /**
   * Restores the state of a schedule with the same settings.
   * @throws ERR_ARGUMENT for any other state; then nothing is changed.
   */
  loadStateDict(state: PlateauState): void {
    const op = "ReduceLROnPlateau.loadStateDict";
    const counts = { lastEpoch: 0, numBadEpochs: 0, cooldownCounter: 0 };
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      counts[name] = needInteger(op, name, state?.[name], 0);
    }
    const best: unknown = state.best;
    if (best !== null && typeof best !== "number") refuse(op, "best", "a number or null", best);
    Object.assign(this, counts, { best });
  }

  private isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const sign = mode === "min" ? -1 : 1;
    const best = this.best ?? -sign * Number.POSITIVE_INFINITY;
    const bound = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === "min" ? value < bound : value > bound;
  }

  private reduce(): void {
    const { factor, minLr, eps } = this.options;
    this.optimizer.paramGroups.forEach((group, g) => {
      const least = typeof minLr === "number" ? minLr : (minLr[g] ?? 0);
      const lr = Math.max(group.lr * factor, least);
      if (group.lr - lr > eps) group.lr = lr;
    });
  }
}
