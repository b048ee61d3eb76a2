/** Learning-rate schedules: what the rate of each group is after so many steps, as a function of its first rate. */
import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { Optimizer } from "./optimizer.js";

/** How far a schedule is, and the rates it began with. */
export interface ScheduleState {
  readonly lastEpoch: number;
  readonly baseLrs: readonly number[];
}

/** The part of an optimizer that a schedule writes to. */
export type Scheduled = Optimizer<{ lr: number }>;

/** The first rate of a group that schedules write to, and what was written last: schedules made after it begin there too. */
const origins = new WeakMap<object, { readonly first: number; readonly written: number }>();

function firstRate(group: { lr: number }): number {
  const origin = origins.get(group);
  return origin?.written === group.lr ? origin.first : group.lr;
}

/**
 * The base of all schedules; make one of its subclasses. The rates are a function of the number of steps alone: a rate that
 * was written by hand lasts until the next step. A schedule begins with the rates that the groups have, or had before another
 * schedule changed them.
 */
export abstract class LRScheduler {
  /** How many steps there have been. */
  lastEpoch = 0;
  /** The rates of the groups at the beginning. */
  baseLrs: readonly number[];
  protected readonly optimizer: Scheduled;

  protected constructor(name: string, optimizer: unknown) {
    if (!(optimizer instanceof Optimizer))
      fail("ERR_ARGUMENT", name, "the first argument is not valid", "an optimizer", describe(optimizer));
    this.optimizer = optimizer as Scheduled;
    this.baseLrs = this.optimizer.paramGroups.map(firstRate);
  }

  /** @internal The rate of a group whose first rate was `base`, after `epoch` steps. */
  abstract rate(base: number, epoch: number, group: number): number;

  /** Counts a step, of the optimizer or of an epoch, and sets the rates. */
  step(): void {
    this.moveTo(this.lastEpoch + 1, this.baseLrs);
  }

  /** @internal Whether it writes to this optimizer. */
  steers(optimizer: unknown): boolean {
    return this.optimizer === optimizer;
  }

  /** The rates now in force, group by group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** What {@link loadStateDict} takes: plain numbers. */
  stateDict(): ScheduleState {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs] };
  }

  /**
   * Goes on where another schedule of the same kind and settings was, and sets the rates.
   * @throws ERR_ARGUMENT where it is no such state, or of another number of groups; nothing is changed then.
   */
  loadStateDict(state: ScheduleState): void {
    const op = `${this.constructor.name}.loadStateDict`;
    const epoch: unknown = state?.lastEpoch;
    const rates: unknown = state?.baseLrs;
    if (!Number.isSafeInteger(epoch) || (epoch as number) < 0)
      fail("ERR_ARGUMENT", op, "lastEpoch is not valid", "an integer of at least 0", describe(epoch));
    const groups = this.optimizer.paramGroups.length;
    if (!Array.isArray(rates) || rates.length !== groups || !rates.every(Number.isFinite))
      fail("ERR_ARGUMENT", op, "baseLrs is not valid", `${groups} numbers`, describe(rates));
    this.moveTo(epoch as number, (rates as number[]).slice());
  }

  /** Sets the rates of a number of steps; all of them are computed before the first is written. */
  protected moveTo(epoch: number, baseLrs: readonly number[]): void {
    const { paramGroups } = this.optimizer;
    const rates = paramGroups.map(({ lr }, g) => this.rate(baseLrs[g] ?? lr, epoch, g));
    this.lastEpoch = epoch;
    this.baseLrs = paramGroups.map(({ lr }, g) => baseLrs[g] ?? lr);
    paramGroups.forEach((group, g) => {
      group.lr = rates[g]!;
      origins.set(group, { first: this.baseLrs[g]!, written: rates[g]! });
    });
  }
}
brand("other", LRScheduler);

/** @internal A finite number above `above`. */
export function finite(op: string, name: string, value: unknown, above = Number.NEGATIVE_INFINITY): number {
  if (typeof value === "number" && Number.isFinite(value) && value > above) return value;
  const expected = above === Number.NEGATIVE_INFINITY ? "a finite number" : `a finite number above ${above}`;
  return fail("ERR_ARGUMENT", op, `${name} is not valid`, expected, describe(value));
}
/** @internal An integer above 0. */
export function count(op: string, name: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  return fail("ERR_ARGUMENT", op, `${name} is not valid`, "an integer above 0", describe(value));
}
/** @internal From `from` to `to` along half a cosine wave, `share` of the way. */
export const cosine = (from: number, to: number, share: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
const straight = (from: number, to: number, share: number): number => from + (to - from) * share;

export interface StepLROptions {
  /** How many steps a rate lasts. */
  readonly stepSize: number;
  /** What it is then multiplied by; 0.1 unless given. */
  readonly gamma?: number | undefined;
}

/**
 * The rate times `gamma` after every `stepSize` steps.
 * @throws ERR_ARGUMENT for a size that is no integer above 0, or a gamma that is no number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.StepLR(opt, { stepSize: 2, gamma: 0.5 });
 * schedule.step();
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class StepLR extends LRScheduler {
  private readonly stepSize: number;
  private readonly gamma: number;
  constructor(optimizer: Scheduled, options: StepLROptions) {
    super("StepLR", optimizer);
    const { stepSize, gamma = 0.1 } = checkOptions<StepLROptions>("StepLR", options, ["stepSize", "gamma"]);
    this.stepSize = count("StepLR", "stepSize", stepSize);
    this.gamma = finite("StepLR", "gamma", gamma);
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number): number {
    return base * this.gamma ** Math.floor(epoch / this.stepSize);
  }
}

export interface MultiStepLROptions {
  /** The numbers of steps after which the rate falls. */
  readonly milestones: readonly number[];
  /** What it is then multiplied by; 0.1 unless given. */
  readonly gamma?: number | undefined;
}

/**
 * The rate times `gamma` after each of the given numbers of steps.
 * @throws ERR_ARGUMENT for milestones that are not integers above 0, or a gamma that is no number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.MultiStepLR(opt, { milestones: [1, 3], gamma: 0.5 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class MultiStepLR extends LRScheduler {
  private readonly milestones: readonly number[];
  private readonly gamma: number;
  constructor(optimizer: Scheduled, options: MultiStepLROptions) {
    const op = "MultiStepLR";
    super(op, optimizer);
    const { milestones, gamma = 0.1 } = checkOptions<MultiStepLROptions>(op, options, ["milestones", "gamma"]);
    if (!Array.isArray(milestones))
      fail("ERR_ARGUMENT", op, "milestones is not valid", "an array of integers", describe(milestones));
    this.milestones = (milestones as number[]).map((value) => count(op, "a milestone", value));
    this.gamma = finite(op, "gamma", gamma);
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number): number {
    return base * this.gamma ** this.milestones.filter((milestone) => milestone <= epoch).length;
  }
}

export interface ExponentialLROptions {
  /** What the rate is multiplied by at every step. */
  readonly gamma: number;
}

/**
 * The rate times `gamma` after every step.
 * @throws ERR_ARGUMENT for a gamma that is no number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.ExponentialLR(opt, { gamma: 0.5 });
 * schedule.step();
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.25
 */
export class ExponentialLR extends LRScheduler {
  private readonly gamma: number;
  constructor(optimizer: Scheduled, options: ExponentialLROptions) {
    super("ExponentialLR", optimizer);
    this.gamma = finite("ExponentialLR", "gamma", checkOptions("ExponentialLR", options, ["gamma"]).gamma);
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number): number {
    return base * this.gamma ** epoch;
  }
}

export interface CosineAnnealingLROptions {
  /** The number of steps from the first rate to the least. */
  readonly tMax: number;
  /** The least rate; 0 unless given. */
  readonly etaMin?: number | undefined;
}

/**
 * From the first rate to the least and back along a cosine wave of `2 tMax` steps.
 * @throws ERR_ARGUMENT for a `tMax` that is no integer above 0, or a least rate that is no number.
 * @source Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts, 2017.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.CosineAnnealingLR(opt, { tMax: 2 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class CosineAnnealingLR extends LRScheduler {
  private readonly tMax: number;
  private readonly etaMin: number;
  constructor(optimizer: Scheduled, options: CosineAnnealingLROptions) {
    const op = "CosineAnnealingLR";
    super(op, optimizer);
    const { tMax, etaMin = 0 } = checkOptions<CosineAnnealingLROptions>(op, options, ["tMax", "etaMin"]);
    this.tMax = count(op, "tMax", tMax);
    this.etaMin = finite(op, "etaMin", etaMin);
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number): number {
    return cosine(base, this.etaMin, epoch / this.tMax);
  }
}

export interface LinearLROptions {
  /** The share of the rate at the beginning; 1/3 unless given. */
  readonly startFactor?: number | undefined;
  /** The share of the rate at the end; 1 unless given. */
  readonly endFactor?: number | undefined;
  /** The number of steps from one to the other; 5 unless given. */
  readonly totalIters?: number | undefined;
}

/**
 * The rate times a factor that moves evenly from `startFactor` to `endFactor` in `totalIters` steps, and stays there.
 * @throws ERR_ARGUMENT for factors that are no numbers, or a number of steps that is no integer above 0.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.LinearLR(opt, { startFactor: 0.5, totalIters: 2 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.75
 */
export class LinearLR extends LRScheduler {
  private readonly startFactor: number;
  private readonly endFactor: number;
  private readonly totalIters: number;
  constructor(optimizer: Scheduled, options?: LinearLROptions) {
    const op = "LinearLR";
    super(op, optimizer);
    const given = checkOptions<LinearLROptions>(op, options, ["startFactor", "endFactor", "totalIters"]);
    this.startFactor = finite(op, "startFactor", given.startFactor ?? 1 / 3);
    this.endFactor = finite(op, "endFactor", given.endFactor ?? 1);
    this.totalIters = count(op, "totalIters", given.totalIters ?? 5);
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number): number {
    return base * straight(this.startFactor, this.endFactor, Math.min(epoch / this.totalIters, 1));
  }
}

/** The factor after a number of steps. */
export type LrLambda = (epoch: number) => number;
export interface LambdaLROptions {
  /** For all groups, or one function per group. A state does not hold them. */
  readonly lrLambda: LrLambda | readonly LrLambda[];
}

/**
 * The rate times what a function of the number of steps says.
 * @throws ERR_ARGUMENT for anything but a function, or one per group, and for a factor that is no finite number.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.LambdaLR(opt, { lrLambda: (epoch) => 1 / (1 + epoch) });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 0.5
 */
export class LambdaLR extends LRScheduler {
  private readonly lambdas: readonly LrLambda[];
  constructor(optimizer: Scheduled, options: LambdaLROptions) {
    const op = "LambdaLR";
    super(op, optimizer);
    const { lrLambda } = checkOptions<LambdaLROptions>(op, options, ["lrLambda"]);
    const groups = this.baseLrs.length;
    const list: readonly unknown[] = Array.isArray(lrLambda) ? lrLambda : this.baseLrs.map(() => lrLambda);
    if (list.length !== groups || !list.every((f) => typeof f === "function"))
      fail("ERR_ARGUMENT", op, "lrLambda is not valid", `a function, or ${groups} of them`, describe(lrLambda));
    this.lambdas = list as readonly LrLambda[];
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(base: number, epoch: number, group: number): number {
    const f = this.lambdas[group] ?? this.lambdas[0]!;
    return base * finite("LambdaLR", "the factor", f(epoch));
  }
}

export interface OneCycleLROptions {
  /** The highest rate. */
  readonly maxLr: number;
  /** The number of steps of the whole cycle; one more is ERR_ARGUMENT. */
  readonly totalSteps: number;
  /** The share of the cycle in which the rate rises; 0.3 unless given. */
  readonly pctStart?: number | undefined;
  /** Along a cosine wave or evenly; "cos" unless given. */
  readonly annealStrategy?: "cos" | "linear" | undefined;
  /** The first rate is maxLr / divFactor; 25 unless given. */
  readonly divFactor?: number | undefined;
  /** The last rate is the first / finalDivFactor; 10000 unless given. */
  readonly finalDivFactor?: number | undefined;
}

/**
 * One cycle: from a low rate up to `maxLr`, then down to almost nothing. The optimizer's own rate does not matter; its
 * momentum is left alone, as with PyTorch's `cycle_momentum=False`.
 * @throws ERR_ARGUMENT for a bad option, and for a step past the end of the cycle.
 * @source Smith and Topin, Super-convergence: very fast training of neural networks using large learning rates, 2019.
 * @example
 * const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const schedule = new optim.OneCycleLR(opt, { maxLr: 1, totalSteps: 5, pctStart: 0.4 });
 * schedule.step();
 * opt.paramGroups[0]!.lr; // 1
 */
export class OneCycleLR extends LRScheduler {
  private readonly maxLr: number;
  private readonly totalSteps: number;
  private readonly peak: number;
  private readonly anneal: typeof cosine;
  private readonly first: number;
  private readonly last: number;
  constructor(optimizer: Scheduled, options: OneCycleLROptions) {
    const op = "OneCycleLR";
    super(op, optimizer);
    const given = checkOptions<OneCycleLROptions>(op, options, [
      "maxLr",
      "totalSteps",
      "pctStart",
      "annealStrategy",
      "divFactor",
      "finalDivFactor",
    ]);
    const { annealStrategy = "cos", pctStart = 0.3 } = given;
    if (annealStrategy !== "cos" && annealStrategy !== "linear")
      fail("ERR_ARGUMENT", op, "annealStrategy is not valid", '"cos" or "linear"', describe(annealStrategy));
    if (!(typeof pctStart === "number" && pctStart >= 0 && pctStart <= 1))
      fail("ERR_ARGUMENT", op, "pctStart is not valid", "a number from 0 to 1", describe(pctStart));
    this.maxLr = finite(op, "maxLr", given.maxLr, 0);
    this.totalSteps = count(op, "totalSteps", given.totalSteps);
    this.anneal = annealStrategy === "cos" ? cosine : straight;
    this.peak = pctStart * this.totalSteps - 1;
    this.first = this.maxLr / finite(op, "divFactor", given.divFactor ?? 25, 0);
    this.last = this.first / finite(op, "finalDivFactor", given.finalDivFactor ?? 1e4, 0);
    this.moveTo(0, this.baseLrs);
  }
  /** @internal */
  rate(_base: number, epoch: number): number {
    const end = this.totalSteps - 1;
    if (epoch > this.totalSteps)
      fail("ERR_ARGUMENT", "OneCycleLR", "the cycle is over", `at most ${this.totalSteps} steps`, String(epoch));
    if (epoch <= this.peak && this.peak > 0) return this.anneal(this.first, this.maxLr, epoch / this.peak);
    return this.anneal(this.maxLr, this.last, Math.min((epoch - this.peak) / (end - this.peak), 1));
  }
}
