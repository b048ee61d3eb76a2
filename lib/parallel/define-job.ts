import { describe, fail } from "../core/errors.js";
import { checkFields, fieldNames } from "../job/fields.js";
import { isJob, type Job } from "../job/job.js";
import type { Module } from "../nn/module.js";
import { serve, serveKey } from "./serve.js";

/**
 * Defines a job: a model and its loss for {@link DataParallel}, and for {@link Trainer} and {@link fit} also data,
 * optimizer and everything else that a run needs. A closure cannot be sent to a thread, so for worker threads the result
 * must be the default export of a module, which every thread imports; importing it should have no side effects.
 *
 * Types flow from `args` to `model`, from `data` to `loss`, and from `loss` to `metrics`, in the order of the fields.
 * @throws ERR_ARGUMENT unless `model` and `loss` are functions, and for a field that is unknown, of the wrong type,
 * impossible, or in contradiction to another.
 * @example
 * const job = defineJob({
 *   model: () => new nn.Linear(2, 1),
 *   loss: (model: nn.Linear, [x, y]: readonly [Tensor, Tensor]) => mseLoss(model.forward(x), y),
 * });
 * job.model(undefined).forward(zeros([4, 2])).shape; // [4, 1]
 */
export function defineJob<M extends Module, A, B, O = unknown, D extends object = never>(
  job: Job<M, A, B, O, D>,
): Job<M, A, B, O, D> {
  const op = "defineJob";
  if (!isJob(job))
    fail(
      "ERR_ARGUMENT",
      op,
      "a job needs two functions",
      "{ model: (args) => Module, loss: (model, batch) => Tensor }",
      describe(job),
    );
  checkFields(op, job, fieldNames);
  if (Object.isExtensible(job)) Object.defineProperty(job, serveKey(), { value: serve, configurable: true });
  return job;
}
