/** A job: a model and its loss, and what a training run needs besides, in a module that every thread can load. */

import type { FilePath } from "../core/path.js";
import type { Signal } from "../core/signal.js";
import type { Module } from "../nn/module.js";
import type { Parameter } from "../nn/parameter.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { LRScheduler, Scheduled } from "../optim/schedule/lr-scheduler.js";
import type { ReduceLROnPlateau } from "../optim/schedule/reduce-lr-on-plateau.js";
import type { Tensor } from "../tensor/tensor.js";
import type { LossResult, SumAndCount } from "./loss.js";
import type { BatchOf } from "./sources.js";

/** What `data` gets. */
export interface DataContext<A = unknown> {
  readonly args: A;
  readonly seed: number;
  /** Aborted when the run is to end. */
  readonly signal: Signal;
}

/** What `optimizer` gets besides the parameters. */
export interface OptimizerContext<A = unknown> {
  readonly lr: number;
  readonly args: A;
}

/** What `schedule` gets besides the optimizer. */
export interface ScheduleContext {
  /** The optimizer's steps in the whole run. ERR_ARGUMENT where neither the job nor the length of the data tells. */
  readonly steps: number;
  /** The epochs of the whole run. ERR_ARGUMENT for a job that counts `steps`. */
  readonly epochs: number;
  readonly lr: number;
}

/** A schedule that steps after each step of the optimizer, or, on a plateau, after each evaluation. */
export type Schedule = LRScheduler | ReduceLROnPlateau;

/** How often: one of the two. */
export interface EveryStepsOrEpochs {
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
}

/** How often: one of the three. */
export interface Every extends EveryStepsOrEpochs {
  readonly minutes?: number | undefined;
}

/** A metric by its whole name, such as "test.accuracy", and whether less of it is better: default for losses. */
export interface Goal {
  readonly metric: string;
  readonly mode?: "min" | "max" | undefined;
}

export interface EvaluateOptions {
  /** Default: each epoch. There is one more evaluation at the end. */
  readonly every?: EveryStepsOrEpochs | undefined;
}

/** Early stopping. */
export interface StopOptions extends Goal {
  /** The number of evaluations in a row without progress after which training stops. */
  readonly patience: number;
  /** The smallest change that counts as progress; default 0. */
  readonly minDelta?: number | undefined;
}

export interface CheckpointOptions {
  /** Default: 10 minutes. There is one more checkpoint at the end. */
  readonly every?: Every | undefined;
  /** How many of the newest are kept; default 3. */
  readonly keep?: number | undefined;
  /** The metric whose best checkpoint is kept, too: saved whenever an evaluation is better than all before. */
  readonly best?: string | Goal | undefined;
}

export interface InitOptions {
  readonly path: FilePath;
  /** Names, or beginnings of names that end in a dot, of what the file need not have. */
  readonly missing?: readonly string[] | undefined;
}

/** Gives the value of each row as a tensor, their mean as a number, or `{ sum, count }`. */
export type Metric<O, B> = (output: O, batch: B) => Tensor | number | SumAndCount;

/**
 * The default export of a job module, made by {@link defineJob}. Everything but `model` and `loss` is optional, and for
 * the Trainer; DataParallel reads `args`, `seed`, `shards` and `workers`.
 */
export interface Job<M extends Module = Module, A = unknown, B = unknown, O = unknown, D extends object = never> {
  /** The default arguments of `model`, `data` and `optimizer`: plain data. */
  readonly args?: A;
  /** Builds the model in each thread; its parameters then share the main thread's memory. */
  readonly model: (args: A) => M;
  /** The data sets: `train`, and any number of sets to evaluate, such as `test`. */
  readonly data?: ((context: DataContext<A>) => D | Promise<D>) | undefined;
  /**
   * The loss of a batch, or of one shard of it: the mean over its rows, as a one-element tensor; `{ sum, count }`, whose
   * mean over shards and accumulated batches is sum / count; or either as `{ loss, output, log }`, with the model's
   * output for `metrics` and scalars to log.
   */
  readonly loss: (model: M, batch: BatchOf<D, B>) => LossResult<O>;
  /** The samples in a batch, where `data` gives no loader; default 32. */
  readonly batch?: number | undefined;
  /** The number of passes over the data; default 10. */
  readonly epochs?: number | undefined;
  /** The number of the optimizer's steps, instead of `epochs`. */
  readonly steps?: number | undefined;
  /** The learning rate that `optimizer` and `schedule` get; default 1e-3. */
  readonly lr?: number | undefined;
  /** Default: AdamW. */
  readonly optimizer?: ((parameters: Parameter[], context: OptimizerContext<A>) => Optimizer) | undefined;
  readonly schedule?: ((optimizer: Scheduled, context: ScheduleContext) => Schedule | readonly Schedule[]) | undefined;
  /** What evaluations measure besides the loss, by name. */
  readonly metrics?: { readonly [name: string]: Metric<O, BatchOf<D, B>> } | undefined;
  /** The largest norm of the gradients; it is checked to be finite, and logged. */
  readonly clip?: number | undefined;
  /** The number of batches in a step of the optimizer; default 1. */
  readonly accumulate?: number | undefined;
  /** The decay of an exponential moving average of the weights, which evaluations then use. */
  readonly ema?: number | undefined;
  /** When the sets other than `train` are evaluated. */
  readonly evaluate?: EvaluateOptions | undefined;
  readonly stop?: StopOptions | undefined;
  readonly checkpoint?: CheckpointOptions | undefined;
  /** The weights to begin with: a safetensors file or a checkpoint. Strict, unless names that may miss are given. */
  readonly init?: FilePath | InitOptions | undefined;
  /** The seed of all random numbers of a run; default 0. */
  readonly seed?: number | undefined;
  /** The number of threads that compute gradients, at most one for each shard; default 0: this thread. */
  readonly workers?: number | undefined;
  /** The number of shards of a batch; default 8. The result depends on it, and not on the number of workers. */
  readonly shards?: number | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a job of any model, arguments, batches and outputs.
export type AnyJob<M extends Module = any> = Job<M, any, any, any, any>;

export const isJob = (value: unknown): value is Job =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Job).model === "function" &&
  typeof (value as Job).loss === "function";
