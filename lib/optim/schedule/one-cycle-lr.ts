import { needChoice, needFinite, needInteger, needShare } from "../../core/arguments.js";
import { fail } from "../../core/errors.js";
import { checkOptions } from "../../core/options.js";
import type { ParamGroup } from "../param-group.js";
import { cosine, linear } from "./anneal.js";
import type { Scheduled } from "./lr-scheduler.js";
import { RateSchedule } from "./rate-schedule.js";

export interface OneCycleLROptions {
  /** The highest rate. */
  readonly maxLr: number;
  /** The number of steps of the whole cycle; a step beyond is ERR_ARGUMENT. */
  readonly totalSteps: number;
  /** The fraction of the cycle in which the rate increases; default 0.3. */
  readonly pctStart?: number | undefined;
  /** Cosine or linear annealing; default "cos". */
  readonly annealStrategy?: "cos" | "linear" | undefined;
  /** Whether the momentum cycles inversely to the rate; default true. */
  readonly cycleMomentum?: boolean | undefined;
  /** The minimum momentum, at the highest rate; default 0.85. */
  readonly baseMomentum?: number | undefined;
  /** The maximum momentum, at the beginning and the end; default 0.95. */
  readonly maxMomentum?: number | undefined;
  /** The first rate is maxLr / divFactor; default 25. */
  readonly divFactor?: number | undefined;
  /** The last rate is the first / finalDivFactor; default 10000. */
  readonly finalDivFactor?: number | undefined;
}

/** A group with momentum or betas. */
type Cycled = ParamGroup<{ lr: number; momentum?: number; betas?: readonly [number, number] }>;

const known = [
  "maxLr",
  "totalSteps",
  "pctStart",
  "annealStrategy",
  "baseMomentum",
  "maxMomentum",
  "divFactor",
  "finalDivFactor",
] as const;

/**
 * The 1cycle policy: the rate increases to `maxLr` and then decreases to almost 0, while the momentum (or `betas[0]`)
 * decreases from `maxMomentum` to `baseMomentum` and increases again. Overwrites the rate and momentum that other
 * schedules or the program have set. The groups store the bounds; their `initialLr` becomes the first rate.
 * @throws ERR_ARGUMENT for an invalid option, for an optimizer with neither momentum nor betas unless `cycleMomentum`
 * is false, and for a step after the end of the cycle.
 * @source Smith and Topin, Super-convergence: very fast training of neural networks using large learning rates, 2019.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1, momentum: 0.9 });
 * const schedule = new optim.OneCycleLR(opt, { maxLr: 1, totalSteps: 5, pctStart: 0.4 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 1
 * opt.paramGroups[0]!.momentum; // 0.85
 */
export class OneCycleLR extends RateSchedule {
  private readonly totalSteps: number;
  private readonly peak: number;
  private readonly anneal: typeof cosine;
  private readonly cycles: boolean;
  private readonly bounds: {
    readonly initialLr: number;
    readonly maxLr: number;
    readonly minLr: number;
    readonly baseMomentum: number;
    readonly maxMomentum: number;
  };

  constructor(optimizer: Scheduled, options: OneCycleLROptions) {
    const op = "OneCycleLR";
    super(op, optimizer);
    const given = checkOptions<OneCycleLROptions>(op, options, known, ["cycleMomentum"]);
    const { annealStrategy = "cos", pctStart = 0.3, cycleMomentum = true } = given;
    needChoice(op, "annealStrategy", annealStrategy, ["cos", "linear"]);
    needShare(op, "pctStart", pctStart);
    if (cycleMomentum && !("momentum" in optimizer.defaults) && !("betas" in optimizer.defaults))
      fail("ERR_ARGUMENT", op, "the optimizer has neither momentum nor betas", "cycleMomentum: false for it");
    const maxLr = needFinite(op, "maxLr", given.maxLr, { above: 0 });
    const initialLr = maxLr / needFinite(op, "divFactor", given.divFactor ?? 25, { above: 0 });
    this.bounds = {
      initialLr,
      maxLr,
      minLr: initialLr / needFinite(op, "finalDivFactor", given.finalDivFactor ?? 1e4, { above: 0 }),
      baseMomentum: needFinite(op, "baseMomentum", given.baseMomentum ?? 0.85, { least: 0, below: 1 }),
      maxMomentum: needFinite(op, "maxMomentum", given.maxMomentum ?? 0.95, { least: 0, below: 1 }),
    };
    this.totalSteps = needInteger(op, "totalSteps", given.totalSteps, 1);
    this.anneal = annealStrategy === "cos" ? cosine : linear;
    this.peak = pctStart * this.totalSteps - 1;
    this.cycles = cycleMomentum;
    this.begin();
  }

  protected override adopt(group: ParamGroup<{ lr: number }>): number {
    const { baseMomentum, maxMomentum, ...rates } = this.bounds;
    Object.assign(group, this.cycles ? this.bounds : rates);
    return rates.initialLr;
  }

  /** @internal */
  protected rate(_lr: number, epoch: number, group: number): number {
    if (epoch > this.totalSteps)
      fail("ERR_ARGUMENT", "OneCycleLR", "the cycle is over", `at most ${this.totalSteps} steps`, String(epoch));
    const { bounds } = this;
    const {
      initialLr = bounds.initialLr,
      maxLr = bounds.maxLr,
      minLr = bounds.minLr,
    } = this.optimizer.paramGroups[group]!;
    return this.between(epoch, initialLr, maxLr, minLr);
  }

  /** @internal */
  override moveTo(epoch: number, from: readonly number[]): void {
    super.moveTo(epoch, from);
    if (!this.cycles) return;
    const groups: readonly Cycled[] = this.optimizer.paramGroups;
    for (const group of groups) {
      const { baseMomentum = this.bounds.baseMomentum, maxMomentum = this.bounds.maxMomentum } = group;
      const momentum = this.between(epoch, maxMomentum, baseMomentum, maxMomentum);
      if (group.betas === undefined) group.momentum = momentum;
      else group.betas = [momentum, group.betas[1]];
    }
  }

  /** A value that goes from `first` to `middle` while the rate increases, and then to `last`. */
  private between(epoch: number, first: number, middle: number, last: number): number {
    const { peak } = this;
    if (epoch <= peak && peak > 0) return this.anneal(first, middle, epoch / peak);
    const fall = this.totalSteps - 1 - peak;
    return this.anneal(middle, last, fall === 0 ? 1 : (epoch - peak) / fall);
  }
}
