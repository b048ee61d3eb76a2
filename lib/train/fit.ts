import { refuse } from "../core/arguments.js";
import { needSignal, type Signal } from "../core/signal.js";
import { isPlain } from "../core/tree.js";
import { checkFields, type FieldName } from "../job/fields.js";
import type { AnyJob, Job } from "../job/job.js";
import { needModel } from "../job/job-module.js";
import type { DataSets, Source } from "../job/sources.js";
import { Module } from "../nn/module.js";
import type { EvaluateEvent, StepEvent } from "./events.js";
import { Plan } from "./plan.js";
import { Run } from "./run.js";
import { checkRunOptions, openFolder, type RunFolderOptions, runFlagNames, runOptionNames } from "./run-options.js";
import { replaceable, settingsOf } from "./settings.js";
import { ended, watching } from "./watch.js";

const op = "fit";

/** The job's own words for a model and data that are there. */
const words = [
  "loss",
  "optimizer",
  "schedule",
  "metrics",
  ...replaceable.filter((name) => name !== "args" && name !== "workers"),
] as const satisfies readonly FieldName[];

/** The fields of a job but those that `fit` gets otherwise, the folder of the run, and a signal. */
export interface VisibleFitOptions<M extends Module, B, O, D extends object>
  extends Omit<Job<M, unknown, B, O, D>, "args" | "model" | "data" | "workers">,
    RunFolderOptions {
  /** Ends the loop between two batches. */
  readonly signal?: Signal | undefined;
}

/** A training set alone, or sets by name. */
type SetsOf<D> = D extends DataSets ? D : D extends Source ? { readonly train: D } : never;

/**
 * The visible loop: trains, and yields an event after each step, and after each evaluation. It takes the job's own words,
 * and does what {@link Trainer} does, in this thread. `break` and `throw` close the loader and wait for a checkpoint that
 * is being written.
 * @param data A loader or a data set, or several as `{ train, test }`.
 * @throws ERR_ARGUMENT for options that are not valid.
 * @example
 * const data = new DataLoader(new TensorDataset(images, labels), { batchSize: 64, shuffle: true });
 * const loss = (model: nn.Linear, [x, y]: [Tensor, Tensor]) => crossEntropy(model.forward(x), y);
 * for await (const event of fit(model, data, { loss, epochs: 1, lr: 0.01 }))
 *   if (event.type === "step" && event.step % 100 === 0) console.log(event.loss);
 */
export function fit<M extends Module, const S extends Source | DataSets, B, O = unknown>(
  model: M,
  data: S,
  options: VisibleFitOptions<M, B, O, SetsOf<S>>,
): AsyncGenerator<StepEvent | EvaluateEvent, void, undefined> {
  const { out, resume, fresh, allow, callbacks, signal, ...given } = checkFields<Record<string, unknown>>(
    op,
    options as unknown as Record<string, unknown>,
    words,
    [...runOptionNames, "signal"],
    runFlagNames,
  );
  if (!(model instanceof Module)) refuse(op, "the model", "an nn.Module", model);
  if (typeof given["loss"] !== "function") refuse(op, "loss", "a function", given["loss"]);
  const checked = checkRunOptions(op, { out, resume, fresh, allow, callbacks } as RunFolderOptions);
  const job = { ...given, model: () => model } as unknown as AnyJob<M>;
  needModel(model, false, op);
  const { settings, effective } = settingsOf(op, job, {});
  return visible();

  async function* visible(): AsyncGenerator<StepEvent | EvaluateEvent, void, undefined> {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    const stop = needSignal(op, signal);
    const folder = await openFolder(op, checked, settings.keep);
    stop?.addEventListener("abort", abort);
    if (stop?.aborted) abort();
    let failure: unknown;
    try {
      const sets: unknown = isPlain(data) && "train" in data ? data : { train: data };
      const { resume, allow } = checked;
      const callbacks = [...(await watching(folder)), ...checked.callbacks];
      const plan = new Plan({ op, job, model, settings, effective, sets, callbacks });
      const run = new Run({ plan, module: null, folder, resume, allow, controller, streams: new Set(), visible: true });
      for await (const event of run.events()) if (event.type === "step" || event.type === "evaluate") yield event;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      stop?.removeEventListener("abort", abort);
      await ended(op, folder, failure);
      folder?.close();
    }
  }
}
