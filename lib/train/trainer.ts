import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import type { FilePath } from "../core/path.js";
import { needSignal, type Signal } from "../core/signal.js";
import { checkFields, fieldNames } from "../job/fields.js";
import { type AnyJob, isJob } from "../job/job.js";
import { importJob } from "../job/job-module.js";
import type { Module } from "../nn/module.js";
import { needReason, type StopReason } from "./callbacks.js";
import { EventStream } from "./event-stream.js";
import type { TrainEvent } from "./events.js";
import type { FitResult } from "./fit-result.js";
import { planOf } from "./plan.js";
import { Run } from "./run.js";
import type { RunFolder } from "./run-folder.js";
import {
  type CheckedRunOptions,
  checkRunOptions,
  openFolder,
  type RunFolderOptions,
  runFlagNames,
  runOptionNames,
} from "./run-options.js";
import { type Replacements, replaceable, settingsOf } from "./settings.js";
import { ended, watching } from "./watch.js";

/** The folder of the run, and fields that replace the job's own. */
export interface TrainerOptions extends RunFolderOptions, Replacements {}

export interface FitOptions {
  /** Ends the run between two batches, with a checkpoint. */
  readonly signal?: Signal | undefined;
}

const op = "Trainer";

/**
 * Trains the model of a job. With `out` it leaves checkpoints, from which a run goes on with the same bits as one that was
 * not interrupted, whatever ended it: the weights, the optimizer, the position in the data and the random numbers are in
 * them.
 *
 * Order in a step: gradients; the checks that loss and norm are finite; clipping; the optimizer; the average of the
 * weights; schedules. Then, where they are due, the evaluation, early stopping, and the checkpoint. Evaluations use the
 * averaged weights with `ema`; schedules of the kind ReduceLROnPlateau step with the loss of the first set that is
 * evaluated.
 * @param job A job, or the URL of its module, which `workers` above 0 need.
 * @throws ERR_ARGUMENT for a job or an option that is not valid.
 * @example
 * const job = defineJob({
 *   model: () => new nn.Linear(2, 1),
 *   data: () => ({ train: new TensorDataset(randn([64, 2]), zeros([64, 1])) }),
 *   loss: (model, [x, y]) => mseLoss(model.forward(x), y),
 *   epochs: 2,
 *   lr: 0.01,
 * });
 * const result = await new Trainer(job, { out: "runs/a" }).fit();
 * result.reason; // "finished"
 * result.step; // 4
 */
export class Trainer<M extends Module = Module> {
  private readonly job: AnyJob<M> | string;
  private readonly given: Replacements;
  private readonly options: CheckedRunOptions;
  private readonly streams = new Set<EventStream>();
  private readonly controller = new AbortController();
  /** What has been asked for before the run begins. */
  private readonly early: ((run: Run) => void)[] = [];
  private folder: RunFolder | null = null;
  private run: Run | null = null;
  private used = false;

  constructor(job: AnyJob<M> | FilePath, options?: TrainerOptions) {
    const href: unknown = typeof job === "object" && job !== null && "href" in job ? job.href : job;
    if (typeof href === "string" && href.startsWith("file:")) this.job = href;
    else if (isJob(job)) {
      checkFields(op, job, fieldNames);
      this.job = job as AnyJob<M>;
    } else
      fail("ERR_ARGUMENT", op, "not a job", "what defineJob returns, or the file: URL of its module", describe(href));
    const { out, resume, fresh, allow, callbacks, ...given } = checkFields<TrainerOptions>(
      op,
      options,
      replaceable,
      runOptionNames,
      runFlagNames,
    );
    this.given = given;
    this.options = checkRunOptions(op, { out, resume, fresh, allow, callbacks });
    if (typeof this.job !== "string") this.needModule(settingsOf(op, this.job, given).settings.workers);
  }

  /**
   * The events of the run, from now on, as they happen. A reader that is slow never makes the run wait: it loses `step`
   * events, which the next one counts as `missed`, and no others. Ends with the run.
   * @example
   * const trainer = new Trainer(job);
   * const done = trainer.fit();
   * for await (const event of trainer.events()) if (event.type === "end") event.reason; // "finished"
   * await done;
   */
  events(): AsyncIterableIterator<TrainEvent> {
    const stream = new EventStream();
    if (this.used && this.run === null) stream.end();
    else this.streams.add(stream);
    return stream;
  }

  /** Ends the run between two batches, or during an evaluation between its batches, with a checkpoint. */
  stop(reason: StopReason = "stopped"): void {
    needReason(reason);
    this.ask((run) => run.stop(reason));
  }
  /** Asks for a checkpoint between two batches. */
  save(): void {
    this.ask((run) => run.save());
  }
  /** Asks for an evaluation between two batches. */
  evaluate(): void {
    this.ask((run) => run.evaluate());
  }

  /**
   * Runs the job to its end. Seeds the default generator with the job's `seed`. Rejects with what the job, its data or a
   * callback throws, after a checkpoint.
   * @throws ERR_ARGUMENT the second time, for data and metrics that do not fit the job, for a folder with checkpoints
   * unless `resume` or `fresh` is given, and for a job that has changed since.
   */
  async fit(options?: FitOptions): Promise<FitResult<M>> {
    const signal = needSignal("fit", checkOptions<FitOptions>("fit", options, ["signal"]).signal);
    if (this.used) fail("ERR_ARGUMENT", op, "fit has been called before", "a Trainer for each run");
    this.used = true;
    const abort = (): void => this.controller.abort();
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    let failure: unknown;
    try {
      const run = await this.prepare();
      this.run = run;
      for (const request of this.early) request(run);
      for await (const _ of run.events());
      const { plan } = run.options;
      return {
        reason: run.ended,
        step: run.step,
        metrics: run.metrics,
        best: plan.best?.state ?? null,
        model: plan.model as M,
        weights: run.weights,
        checkpoint: this.folder?.newestPath ?? null,
        unsaved: run.unsaved,
        history: run.history,
      };
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      await ended(op, this.folder, failure);
      this.run = null;
      this.folder?.close();
      for (const stream of this.streams) stream.end();
    }
  }

  private async prepare(): Promise<Run> {
    const url = typeof this.job === "string" ? this.job : null;
    const job = (url === null ? this.job : await importJob(url, undefined, op)) as AnyJob<M>;
    if (url !== null) checkFields(op, job, fieldNames);
    const { settings, effective } = settingsOf(op, job, this.given);
    const { resume, allow } = this.options;
    this.folder = await openFolder(op, this.options, settings.keep);
    const { folder } = this;
    const callbacks = [...(await watching(folder)), ...this.options.callbacks];
    const plan = await planOf({ op, job, settings, effective, callbacks }, this.controller.signal);
    const module = url === null ? null : { url, args: settings.args };
    const { controller, streams } = this;
    return new Run({ plan, module, folder, resume, allow, controller, streams, visible: false });
  }

  private needModule(workers: number): void {
    if (workers === 0) return;
    fail(
      "ERR_ARGUMENT",
      op,
      "workers cannot get a job without a module",
      "workers: 0, or the URL of the module",
      `${workers}`,
    );
  }

  private ask(request: (run: Run) => void): void {
    if (this.run === null) this.early.push(request);
    else request(this.run);
  }
}
brand("other", Trainer);
