/** Everything that a run is made of, checked before the first step. */

import { refuse } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { numel } from "../core/shape.js";
import type { Signal } from "../core/signal.js";
import type { AnyJob, Schedule, ScheduleContext } from "../job/job.js";
import { needModel } from "../job/job-module.js";
import type { Loader } from "../job/sources.js";
import type { Module } from "../nn/module.js";
import type { Parameter } from "../nn/parameter.js";
import { defaultGenerator } from "../ops/random.js";
import { AdamW } from "../optim/adam.js";
import { Optimizer } from "../optim/optimizer.js";
import { LRScheduler } from "../optim/schedule/lr-scheduler.js";
import { ReduceLROnPlateau } from "../optim/schedule/reduce-lr-on-plateau.js";
import type { Callback } from "./callbacks.js";
import { Best, EarlyStopping } from "./goals.js";
import { type EvaluatedSet, loadersOf } from "./loaders.js";
import { type Signature, signatureOf } from "./same-job.js";
import type { Effective, Settings } from "./settings.js";

export interface PlanOptions {
  readonly op: string;
  readonly job: AnyJob;
  readonly model: Module;
  readonly settings: Settings;
  readonly effective: Effective;
  /** What `data` gave. */
  readonly sets: unknown;
  readonly callbacks: readonly Callback[];
}

/** The plan of a job: seeds the default generator, and makes the model and the data. */
export async function planOf(options: Omit<PlanOptions, "model" | "sets">, signal: Signal): Promise<Plan> {
  const { op, job, settings } = options;
  const { args, seed } = settings;
  defaultGenerator.manualSeed(seed);
  const model = needModel(job.model(args), false, op);
  if (job.data === undefined) fail("ERR_ARGUMENT", op, "the job has no data", "data: () => ({ train })");
  const sets: unknown = await job.data({ args, seed, signal });
  return new Plan({ ...options, model, sets });
}

export class Plan {
  readonly op: string;
  readonly job: AnyJob;
  readonly model: Module;
  readonly parameters: readonly Parameter[];
  readonly settings: Settings;
  readonly effective: Effective;
  readonly callbacks: readonly Callback[];
  readonly train: Loader;
  /** The loaders of the sets to evaluate. */
  readonly sets: ReadonlyMap<string, EvaluatedSet>;
  readonly optimizer: Optimizer;
  readonly schedules: readonly Schedule[];
  /** What must be the same when the run goes on. */
  readonly signature: Signature;
  /** The optimizer's steps of the whole run; null where the length of the data is not known. */
  readonly steps: number | null;
  readonly best: Best | null;
  readonly stopping: EarlyStopping | null;

  constructor({ op, job, model, settings, effective, sets, callbacks }: PlanOptions) {
    this.op = op;
    this.job = job;
    this.model = model;
    this.settings = settings;
    this.effective = effective;
    this.callbacks = callbacks;
    this.parameters = model.parameters();
    const loaders = loadersOf(op, sets, settings.batch, settings.seed, effective["batch"]!.from);
    this.train = loaders.train;
    this.sets = loaders.others;
    this.steps = this.countSteps();
    this.optimizer = this.makeOptimizer();
    this.signature = signatureOf(settings, model, this.optimizer);
    this.schedules = this.makeSchedules();
    this.stopping = settings.stop === null ? null : new EarlyStopping(settings.stop);
    const goal = settings.best ?? settings.stop ?? this.firstLoss();
    this.best = goal === null ? null : new Best(goal);
    for (const wanted of [settings.best, settings.stop]) if (wanted !== null) this.needMetric(wanted.metric);
    const names = new Set<string>();
    for (const { name } of callbacks) {
      if (typeof name !== "string" || name === "") refuse(op, "the name of a callback", "a text", name);
      if (names.has(name)) fail("ERR_ARGUMENT", op, "two callbacks have one name", "distinct names", describe(name));
      names.add(name);
    }
  }

  /** The number of numbers that are trained. */
  get size(): number {
    return this.parameters.reduce((sum, p) => (p.requiresGrad ? sum + numel(p.shape) : sum), 0);
  }

  /** The loss by which progress is judged, where the job names no metric. */
  firstLoss(): { readonly metric: string } | null {
    const [set] = this.sets.keys();
    return set === undefined ? null : { metric: `${set}.loss` };
  }

  private countSteps(): number | null {
    const { op, train } = this;
    const { epochs, steps, accumulate } = this.settings;
    const { length } = train;
    if (length !== undefined && accumulate > length)
      fail(
        "ERR_ARGUMENT",
        op,
        "accumulate leaves no whole step",
        `at most the ${length} batches of an epoch`,
        `${accumulate}`,
      );
    if (steps !== null) return steps;
    return length === undefined ? null : epochs! * Math.ceil(length / accumulate);
  }

  private makeOptimizer(): Optimizer {
    const { op, job, parameters } = this;
    const { lr, args } = this.settings;
    const made: unknown = job.optimizer?.([...parameters], { lr, args }) ?? new AdamW([...parameters], { lr });
    if (!(made instanceof Optimizer)) refuse(op, "what optimizer returns", "an optimizer", made);
    return made as Optimizer;
  }

  private makeSchedules(): readonly Schedule[] {
    const { op, job, optimizer, steps } = this;
    const { epochs, lr } = this.settings;
    const unknown = (name: string): never =>
      fail(
        "ERR_ARGUMENT",
        op,
        `schedule asks for ${name}, which the run does not tell`,
        `${name} as a field of the job`,
      );
    const context: ScheduleContext = {
      get steps() {
        return steps ?? unknown("steps");
      },
      get epochs() {
        return epochs ?? unknown("epochs");
      },
      lr,
    };
    const made: unknown = job.schedule?.(optimizer, context) ?? [];
    const list: readonly unknown[] = Array.isArray(made) ? made : [made];
    for (const schedule of list) {
      if (!(schedule instanceof LRScheduler || schedule instanceof ReduceLROnPlateau))
        refuse(op, "what schedule returns", "a schedule, or an array of them", schedule);
      if (schedule instanceof ReduceLROnPlateau && this.sets.size === 0)
        fail("ERR_ARGUMENT", op, "ReduceLROnPlateau needs evaluations", "data with another set than train");
    }
    return list as readonly Schedule[];
  }

  private needMetric(metric: string): void {
    const known = [...this.sets.keys()].flatMap((set) =>
      ["loss", ...Object.keys(this.job.metrics ?? {})].map((name) => `${set}.${name}`),
    );
    if (known.includes(metric)) return;
    const expected = known.length === 0 ? "none, as data has no set but train" : known.join(", ");
    fail("ERR_ARGUMENT", this.op, `no evaluation gives ${describe(metric)}`, expected);
  }
}
