/** Job modules: what a worker needs to know of a model, in a file of its own. */
import { describe, fail } from "../core/errors.js";
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";

/** What a job module exports by default; made by {@link defineJob}. */
export interface Job<M extends Module = Module, A = unknown, B = unknown> {
  /** Builds the model; every thread builds its own and then shares the main thread's parameters. */
  readonly model: (args: A) => M;
  /** The loss of one shard of a batch: its mean over the shard's rows, as a one-element tensor. */
  readonly loss: (model: M, batch: B) => Tensor;
}

const isJob = (value: unknown): value is Job =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Job).model === "function" &&
  typeof (value as Job).loss === "function";

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
  return job;
}

/** @internal The job of an imported module. */
export function jobOf(module: unknown, url: string): Job {
  const found = (module as { default?: unknown } | null)?.default;
  if (isJob(found)) return found;
  return fail(
    "ERR_ARGUMENT",
    "DataParallel",
    `${url} is not a job module`,
    "export default defineJob({ model, loss })",
    describe(found),
  );
}
