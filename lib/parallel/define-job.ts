import { describe, fail } from "../core/errors.js";
import type { Module } from "../nn/module.js";
import { isJob, type Job } from "./job.js";
import { serve, serveKey } from "./serve.js";

/**
 * Defines a job for {@link DataParallel}: a model and its loss. A closure cannot be sent to a thread, so the result
 * must be the default export of a module, which every thread imports; importing it should have no side effects.
 * @throws ERR_ARGUMENT unless `model` and `loss` are functions.
 * @example
 * const job = defineJob({
 *   model: () => new nn.Linear(2, 1),
 *   loss: (model: nn.Linear, [x, y]: readonly [Tensor, Tensor]) => mseLoss(model.forward(x), y),
 * });
 * job.model(undefined).forward(zeros([4, 2])).shape; // [4, 1]
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
