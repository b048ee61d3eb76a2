import { describe, fail } from "../core/errors.js";
import type { Module } from "../nn/module.js";
import { isJob, type Job } from "./job.js";
import { serve, serveKey } from "./serve.js";

/**
 * Defines a job. A closure cannot be sent to a thread, so the model lives in a module without side effects, whose
 * default export is the result of this function.
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
