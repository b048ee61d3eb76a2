/** The one loop of training, which Trainer and `fit` run on. */

import { breather } from "../core/breather.js";
import { fail, NablaError, renamed } from "../core/errors.js";
import type { CheckpointParts } from "../io/checkpoint.js";
import type { Module } from "../nn/module.js";
import { clipGradNorm } from "../optim/clip.js";
import type { Optimizer } from "../optim/optimizer.js";
import { ReduceLROnPlateau } from "../optim/schedule/reduce-lr-on-plateau.js";
import { averageBuffers, type Share } from "../parallel/combine.js";
import { Sharded } from "../parallel/sharded.js";
import { Whole } from "../parallel/whole.js";
import type { Tensor } from "../tensor/tensor.js";
import { anomalyIn } from "./anomaly.js";
import { Broadcast } from "./broadcast.js";
import { type Control, needReason, type StopReason } from "./callbacks.js";
import { Ema } from "./ema.js";
import { evaluate } from "./evaluate.js";
import type { EventStream } from "./event-stream.js";
import type { EndEvent, EvaluateEvent, StartEvent, TrainEvent } from "./events.js";
import { Feed } from "./feed.js";
import { areFinite, checking, NotFinite, needFinite } from "./finite.js";
import { loadInitial } from "./init.js";
import type { Plan } from "./plan.js";
import { isFileError, type RunFolder } from "./run-folder.js";
import { type Progress, restore, type Snapshot } from "./snapshot.js";
import { Window } from "./window.js";

export interface RunOptions {
  readonly plan: Plan;
  /** Where workers find the job; null for a job that this thread alone has. */
  readonly module: { readonly url: string; readonly args: unknown } | null;
  readonly folder: RunFolder | null;
  readonly resume: boolean;
  /** The fixed fields of the job that may differ when the run goes on. */
  readonly allow: readonly string[];
  /** Ends the run between two batches; told to what gives the data, too. */
  readonly controller: AbortController;
  readonly streams: ReadonlySet<EventStream>;
  /** Whether the loop is visible: `events` gives the events then, and otherwise runs to the end without any. */
  readonly visible: boolean;
}

export class Run implements Control {
  readonly history: EvaluateEvent[] = [];
  /** The error of the last attempt to write a checkpoint; null where it succeeded. */
  unsaved: Error | null = null;
  /** Which weights the model holds: the last, or those of a checkpoint to which the run went back. */
  weights: "last" | "checkpoint" = "last";
  step = 0;
  epoch = 0;
  private readonly plan: Plan;
  readonly options: RunOptions;
  private readonly gradients: Sharded | Whole;
  private readonly window: Window;
  private readonly buffers: readonly Tensor[];
  private readonly broadcast: Broadcast;
  private readonly feed = new Feed();
  /** Lets the thread's other work have its turn. */
  private readonly pause = breather(5);
  private ema: Ema | null = null;
  /** The position of the loader, without a batch that is being waited for or computed. */
  private position: unknown;
  private batches = 0;
  /** The batch before, whose gradients may have been what makes the next loss NaN. */
  private previous: unknown;
  /** Whether an evaluation has begun and not ended, and at which step one has ended last. */
  private evaluating = false;
  private evaluatedAt: number | null = null;
  /** Whether the weights of a step have been written in part. */
  private torn = false;
  private reason: EndEvent["reason"] | null = null;
  private asked: StopReason | null = null;
  private readonly wanted = { save: false, evaluate: false };
  /** Counts what has happened since the start, and up to where it has been saved. */
  private changes = 0;
  private saved = 0;
  private savedSince = performance.now();
  private steppedSince = performance.now();

  constructor(options: RunOptions) {
    const { plan, module, streams, visible } = options;
    const { job, model, settings } = plan;
    const { workers, shards } = settings;
    this.plan = plan;
    this.options = options;
    this.buffers = model.buffers();
    const whole = workers === 0 && shards === 1;
    this.gradients = whole ? new Whole(job, model) : new Sharded(job, model, { workers, shards, module });
    this.window = new Window(plan.parameters, whole);
    this.position = plan.train.stateDict();
    this.broadcast = new Broadcast({ streams, visible, callbacks: plan.callbacks }, this);
  }

  get model(): Module {
    return this.plan.model;
  }
  get optimizer(): Optimizer {
    return this.plan.optimizer;
  }
  get metrics(): Readonly<Record<string, number>> {
    return this.history.at(-1)?.metrics ?? {};
  }
  /** Why it ended. */
  get ended(): EndEvent["reason"] {
    return this.reason ?? "stopped";
  }

  stop(reason: StopReason = "stopped"): void {
    this.asked ??= needReason(reason);
    this.options.controller.abort();
    this.feed.stop();
  }
  save(): void {
    this.wanted.save = true;
  }
  evaluate(): void {
    this.wanted.evaluate = true;
  }

  /** Trains, and gives the events as they happen. A consumer that breaks leaves everything closed. */
  async *events(): AsyncGenerator<TrainEvent, void, undefined> {
    const { folder, controller } = this.options;
    const abort = (): void => this.stop("aborted");
    controller.signal.addEventListener("abort", abort);
    if (controller.signal.aborted) abort();
    try {
      await this.begin();
      yield* this.broadcast.flush();
      yield* this.train();
      await this.finish();
      yield* this.broadcast.flush();
    } catch (error) {
      await this.saveAfter(error);
      throw this.renamed(error);
    } finally {
      controller.signal.removeEventListener("abort", abort);
      if (this.gradients instanceof Sharded) await this.gradients.close();
      await folder?.settled();
      for (const callback of this.plan.callbacks) await callback.close?.();
    }
  }

  private async begin(): Promise<void> {
    const { plan } = this;
    const { folder, resume } = this.options;
    if (folder !== null) folder.warn = (message) => this.broadcast.warn("not written", message);
    const found = resume ? await this.goBack() : null;
    if (folder !== null && folder.warning !== null) this.broadcast.warn("no lock", folder.warning);
    if (resume && found === null)
      this.broadcast.warn("no checkpoint", `there is no checkpoint in ${folder?.path}: the run starts at step 0`);
    const { ema, init } = plan.settings;
    if (found === null && init !== null) await loadInitial(plan.op, plan.model, init);
    if (ema !== null && this.ema === null) this.ema = new Ema(plan.model, ema);
    await folder?.describe(plan.effective);
    const event: StartEvent = {
      type: "start",
      run: folder?.path ?? null,
      step: this.step,
      epoch: this.epoch,
      resumedFrom: found,
      parameters: plan.size,
      steps: plan.steps,
    };
    if (folder !== null) folder.begun = true;
    await this.broadcast.tell(event);
    this.savedSince = performance.now();
    this.steppedSince = performance.now();
    if (this.evaluating) await this.measure();
  }

  private async *train(): AsyncGenerator<TrainEvent, void, undefined> {
    let resumed = this.batches > 0;
    while (!this.isOver()) {
      const iterator = this.plan.train[Symbol.asyncIterator]();
      let fed = resumed;
      let open = true;
      try {
        while (!this.isOver()) {
          const next = await this.feed.next(iterator);
          if (next === null) break;
          if (next.done) {
            open = false;
            break;
          }
          fed = true;
          await this.take(next.value);
          if (this.broadcast.queue.length > 0) yield* this.broadcast.flush();
          await this.pause();
        }
      } finally {
        if (open) await this.feed.close(iterator);
      }
      if (open) continue;
      if (!fed) fail("ERR_ARGUMENT", this.plan.op, "an epoch of the data has no batch", "at least one");
      resumed = false;
      await this.endEpoch();
      yield* this.broadcast.flush();
    }
  }

  /** Takes in a batch, and makes a step where it is the last one of a step. */
  private async take(batch: unknown): Promise<void> {
    const { accumulate } = this.plan.settings;
    try {
      const computed = this.compute(batch);
      const shares = computed instanceof Promise ? await computed : computed;
      const consumed = (): void => {
        averageBuffers(this.buffers, shares);
        this.batches++;
        this.position = this.plan.train.stateDict();
        this.changes++;
      };
      if (this.window.batches + 1 < accumulate) {
        this.window.add(shares, this.check);
        consumed();
      } else await this.makeStep(shares, consumed);
    } catch (error) {
      if (!(error instanceof NotFinite)) throw error;
      await this.giveUp(error.message, batch);
      return;
    }
    this.previous = batch;
    await this.meetRequests();
  }

  /** What DataParallel refuses, this run does. */
  private renamed(error: unknown): unknown {
    const shared = error instanceof NablaError && error.op.startsWith("DataParallel");
    return shared ? renamed(error, this.plan.op) : error;
  }

  private compute(batch: unknown): Promise<readonly Share[]> | readonly Share[] {
    const position = { seed: this.plan.settings.seed, step: this.batches };
    if (this.gradients instanceof Whole) return this.gradients.run(batch, position, ({ value }) => needFinite(value));
    return this.gradients.run(batch, position);
  }

  /** Whole batches have been checked before they were differentiated. */
  private readonly check = (loss: Tensor): void => {
    if (this.gradients instanceof Sharded) needFinite(loss);
  };

  /** Makes a step of the optimizer; whatever can refuse the gradients does so before anything is written. */
  private async makeStep(shares: readonly Share[], consumed: () => void): Promise<void> {
    const { parameters, optimizer, schedules, settings, callbacks } = this.plan;
    const mean = this.window.close(shares, this.check);
    const { clip } = settings;
    const clipped = (): Tensor => clipGradNorm(parameters, clip!, { errorIfNonfinite: true });
    const gradNorm = clip === null ? null : checking("the norm of the gradients is not finite", clipped);
    for (const callback of callbacks) if (callback.beforeStep !== undefined) await callback.beforeStep(this);
    const lr = optimizer.paramGroups[0]!.lr;
    this.torn = true;
    optimizer.step();
    this.ema?.update(this.step === 0);
    for (const schedule of schedules) if (!(schedule instanceof ReduceLROnPlateau)) schedule.step();
    consumed();
    this.window.clear();
    this.step++;
    this.torn = false;
    const now = performance.now();
    const [seconds, wait] = [(now - this.steppedSince) / 1000, this.feed.takeWaited() / 1000];
    this.steppedSince = now;
    const { step, epoch } = this;
    const answered = this.broadcast.tellStep({ step, epoch, lr, gradNorm, seconds, wait, ...mean });
    if (answered !== undefined) await answered;
    const { evaluateEvery, checkpointEvery } = settings;
    if (isDue(step, evaluateEvery.steps)) this.wanted.evaluate = true;
    if (isDue(step, checkpointEvery.steps)) this.wanted.save = true;
  }

  private async endEpoch(): Promise<void> {
    const { evaluateEvery, checkpointEvery } = this.plan.settings;
    const { batches } = this.window;
    try {
      // The loader's position stays before its end, so that a run that goes on from here ends the epoch, too.
      if (batches > 0) await this.makeStep([], () => undefined);
    } catch (error) {
      if (!(error instanceof NotFinite)) throw error;
      await this.giveUp(error.message, undefined);
      return;
    }
    this.epoch++;
    this.position = this.plan.train.stateDict();
    this.changes++;
    if (isDue(this.epoch, evaluateEvery.epochs)) this.wanted.evaluate = true;
    if (isDue(this.epoch, checkpointEvery.epochs)) this.wanted.save = true;
    await this.meetRequests();
  }

  /** Evaluates and saves where that is due or wanted. */
  private async meetRequests(): Promise<void> {
    const { minutes } = this.plan.settings.checkpointEvery;
    if (minutes !== undefined && performance.now() - this.savedSince > minutes * 60_000) this.wanted.save = true;
    if (this.wanted.evaluate) await this.measure();
    if (this.wanted.save && !this.evaluating) await this.write();
    if (this.options.folder?.hasNews) await this.report();
  }

  /** Evaluates, and decides what follows from it. Given up where the run is asked to end: then it is still to be done. */
  private async measure(): Promise<void> {
    const { plan, ema } = this;
    const { op, job, model, sets, settings, best, stopping, schedules } = plan;
    this.wanted.evaluate = false;
    if (sets.size === 0) return;
    const start = performance.now();
    this.evaluating = true;
    this.changes++;
    const weights = <T>(f: () => T): T => (ema === null ? f() : ema.during(f));
    const next = async (iterator: AsyncIterator<unknown>): Promise<IteratorResult<unknown> | null> => {
      await this.pause();
      return this.feed.next(iterator);
    };
    const metrics = await evaluate({ op, job, model, seed: settings.seed, weights, next }, sets);
    if (metrics === null) return;
    const { step, epoch } = this;
    const { folder } = this.options;
    const keeps = folder !== null && settings.best !== null;
    const isBest = best!.update(metrics, step, keeps ? folder.pathOf(step) : null);
    stopping?.update(metrics);
    const loss = metrics[plan.firstLoss()!.metric]!;
    for (const schedule of schedules) if (schedule instanceof ReduceLROnPlateau) schedule.step(loss);
    this.evaluating = false;
    this.evaluatedAt = step;
    if (keeps && isBest) this.wanted.save = true;
    const seconds = (performance.now() - start) / 1000;
    const event: EvaluateEvent = { type: "evaluate", step, epoch, metrics, best: isBest, seconds };
    this.history.push(event);
    await this.broadcast.tell(event);
  }

  /** Begins to write a checkpoint; weights that are not finite end the run instead. */
  private async write(): Promise<void> {
    const { folder } = this.options;
    this.wanted.save = false;
    if (folder === null) return;
    if (!this.isSound()) {
      await this.giveUp("the weights are not finite", undefined);
      return;
    }
    this.savedSince = performance.now();
    this.saved = this.changes;
    await this.writeTo(folder);
  }

  private writeTo(folder: RunFolder): Promise<void> {
    return folder.save(
      this.step,
      () => this.snapshot(),
      () => this.plan.best?.state?.path ?? null,
    );
  }

  /** Reports what has been written. */
  private async report(): Promise<void> {
    for (const outcome of this.options.folder?.take() ?? []) {
      if ("path" in outcome) {
        this.unsaved = null;
        await this.broadcast.tell({ type: "checkpoint", ...outcome });
        continue;
      }
      const { error, step } = outcome;
      if (!isFileError(error)) throw error;
      this.unsaved = error;
      this.saved = -1;
      this.broadcast.warn(String(error.code), `the checkpoint of step ${step} could not be written: ${error.message}`);
    }
  }

  private isOver(): boolean {
    const { epochs, steps } = this.plan.settings;
    const finished = (steps !== null && this.step >= steps) || (epochs !== null && this.epoch >= epochs);
    if (this.plan.stopping?.done && !this.evaluating) this.reason ??= "stopped";
    if (finished && !this.evaluating) this.reason ??= "finished";
    if (this.asked !== null) this.reason ??= this.asked;
    return this.reason !== null;
  }

  private async finish(): Promise<void> {
    const { folder } = this.options;
    if (this.reason === "finished" && this.evaluatedAt !== this.step) {
      await this.measure();
      if (this.evaluating) this.reason = this.asked;
    }
    await folder?.settled();
    await this.report();
    if (this.reason !== "nan" && this.saved !== this.changes) {
      if (folder === null && !this.isSound()) await this.giveUp("the weights are not finite", undefined);
      await this.write();
      await folder?.settled();
      await this.report();
    }
    const reason = this.ended;
    await this.broadcast.tell({ type: "end", reason, step: this.step, checkpoint: folder?.newestPath ?? null });
  }

  /** Saves what an error has left, where that is a state between two batches. */
  private async saveAfter(error: unknown): Promise<void> {
    const { folder } = this.options;
    if (folder === null || this.torn || this.saved === this.changes || error instanceof NotFinite) return;
    try {
      if (this.isSound()) await this.writeTo(folder);
    } catch {
      // The first error counts.
    }
  }

  private isSound(): boolean {
    return areFinite([...this.plan.parameters, ...this.buffers]);
  }

  /** Ends the run before a step that is not finite; goes back to the last checkpoint if an earlier one was not either. */
  private async giveUp(fact: string, batch: unknown): Promise<void> {
    const sound = this.isSound();
    let message = `step ${this.step + 1}: ${fact}`;
    if (sound) message += this.anomalyOf(batch, this.batches);
    else {
      const last = [this.previous, this.batches - 1] as const;
      const path = await this.goBack();
      message += "; a gradient before was not (with clip each is checked)";
      message += path === null ? "; there is no checkpoint to go back to" : `; the weights are those of ${path}`;
      if (path !== null) {
        this.weights = "checkpoint";
        message += this.anomalyOf(...last);
      }
    }
    this.reason = "nan";
    this.wanted.save = false;
    this.saved = this.changes;
    this.broadcast.warn("nan", message);
  }

  /** The first op that makes a NaN or an infinity in a batch, to end a sentence with. */
  private anomalyOf(batch: unknown, step: number): string {
    const { job, model, settings } = this.plan;
    const shards = this.gradients instanceof Whole ? 1 : settings.shards;
    const found = batch === undefined ? null : anomalyIn(job, model, batch, shards, { seed: settings.seed, step });
    return found === null ? "" : `; ${found}`;
  }

  /** Goes on from the newest checkpoint that is whole: its path, or null where there is none. */
  private async goBack(): Promise<string | null> {
    const { folder } = this.options;
    await folder?.settled();
    const skipped: string[] = [];
    const found = await folder?.load((path, reason) => skipped.push(`${path} is skipped: ${reason}`));
    if (found) this.restore(found.parts as unknown as Snapshot);
    // Callbacks have their states before they see an event.
    for (const message of skipped) this.broadcast.warn("damaged checkpoint", message);
    return found?.path ?? null;
  }

  private restore(saved: Snapshot): void {
    const { plan } = this;
    const { ema } = plan.settings;
    const progress = restore(plan, saved, this.options.allow, this.window);
    this.ema = ema === null ? null : new Ema(plan.model, ema);
    if (progress.ema !== null) this.ema?.loadStateDict(progress.ema);
    this.step = progress.step;
    this.epoch = progress.epoch;
    this.batches = progress.batches;
    this.evaluating = progress.evaluating;
    this.evaluatedAt = progress.evaluatedAt;
    this.history.splice(0, this.history.length, ...progress.history);
    this.position = plan.train.stateDict();
    this.saved = this.changes;
  }

  /** Everything that a run needs to go on with the same bits. */
  private snapshot(): CheckpointParts {
    const { plan, step, epoch, batches, evaluating, evaluatedAt, history } = this;
    const { model, optimizer, schedules, stopping, best, callbacks, effective } = plan;
    const states = callbacks.filter(({ stateDict }) => stateDict !== undefined);
    const progress: Omit<Progress, "ema"> = { step, epoch, batches, evaluating, evaluatedAt, history };
    const parts: Snapshot = {
      model: model.stateDict(),
      ema: this.ema?.stateDict() ?? null,
      optimizer: optimizer.stateDict(),
      schedules: schedules.map((schedule) => schedule.stateDict()),
      loader: this.position,
      callbacks: Object.fromEntries(states.map((callback) => [callback.name, callback.stateDict!()])),
      stopping: stopping?.stateDict() ?? null,
      best: best?.stateDict() ?? null,
      window: this.window.stateDict(),
      progress,
      signature: plan.signature,
      job: effective,
    };
    return parts as unknown as CheckpointParts;
  }
}

const isDue = (count: number, every: number | undefined): boolean => every !== undefined && count % every === 0;
