/** Job modules: what a worker needs to know of a model, in a file of its own. */
import { describe, fail } from "../core/errors.js";
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";
import { isJob } from "./job-module.js";
import { serve, serveKey } from "./serve.js";

/** What a job module exports by default; made by {@link defineJob}. */
export interface Job<M extends Module = Module, A = unknown, B = unknown> {
  /** Builds the model; every thread builds its own and then shares the main thread's parameters. */
  readonly model: (args: A) => M;
  /** The loss of one shard of a batch: its mean over the shard's rows, as a one-element tensor. */
  readonly loss: (model: M, batch: B) => Tensor;
}

/**
 * Describes a job. A closure cannot cross a thread, so the model lives in a module without side effects, whose default
 * export this makes.
 * @throws ERR_ARGUMENT unless `model` and `loss` are functions.
 */
export function defineJob<M extends Module, A, B>(job: Job<M, A, B>): Job<M, A, B> {
  if (!isJob(job))
    fail(
      "ERR_ARGUMENT",
      "defineJob",
      "a job needs two functions",
      "{ model: (args) => Module, loss: (model, batch) => Tensor }",
      describe(job),
    );
  if (Object.isExtensible(job)) Object.defineProperty(job, serveKey(), { value: serve, configurable: true });
  return job;
}
