/** What a run saves, and how it goes on from it. */
import { fail } from "../core/errors.js";
import { isPlain } from "../core/tree.js";
import type { Tensor } from "../tensor/tensor.js";
import type { EvaluateEvent } from "./events.js";
import type { BestState } from "./goals.js";
import type { Plan } from "./plan.js";
import { needSameJob, type Signature } from "./same-job.js";
import type { Window } from "./window.js";

type Tensors = Readonly<Record<string, Tensor>>;

/** The counters of a run. */
export interface Progress {
  readonly step: number;
  readonly epoch: number;
  readonly batches: number;
  readonly evaluating: boolean;
  readonly evaluatedAt: number | null;
  readonly history: readonly EvaluateEvent[];
  readonly ema: Tensors | null;
}

export interface Snapshot {
  readonly model: Tensors;
  readonly ema: Tensors | null;
  readonly optimizer: unknown;
  readonly schedules: readonly unknown[];
  readonly loader: unknown;
  readonly callbacks: Readonly<Record<string, unknown>>;
  readonly stopping: unknown;
  readonly best: BestState | null;
  readonly window: unknown;
  readonly progress: Omit<Progress, "ema">;
  readonly signature: Signature;
  readonly job: unknown;
}

/** The position of a loader in batches of another size, or with another seed. */
function movedTo(plan: Plan, saved: unknown, allowed: readonly string[]): unknown {
  if (!isPlain(saved)) return saved;
  const { batch, seed } = plan.settings;
  const state = { ...saved };
  if (allowed.includes("batch") && typeof saved["batchSize"] === "number" && typeof saved["position"] === "number") {
    // Not beyond what has been learned from.
    state["position"] = Math.floor((saved["position"] * saved["batchSize"]) / batch);
    state["batchSize"] = batch;
  }
  if (allowed.includes("seed") && "seed" in saved) state["seed"] = seed;
  return state;
}

/** Restores a run; ERR_ARGUMENT for a job that has changed, before anything is. */
export function restore(plan: Plan, saved: Snapshot, allowed: readonly string[], window: Window): Progress {
  const { op, model, optimizer, schedules, train, callbacks, stopping, best, signature } = plan;
  needSameJob(op, saved.signature, signature, allowed);
  model.loadStateDict(saved.model, { strict: !allowed.includes("model") });
  if (!allowed.includes("optimizer")) {
    const rates = optimizer.paramGroups.map(({ lr, initialLr }) => ({ lr, initialLr }));
    optimizer.loadStateDict(saved.optimizer as never);
    if (saved.schedules.length !== schedules.length)
      fail(
        "ERR_ARGUMENT",
        op,
        "the run that goes on had other schedules",
        `${saved.schedules.length}`,
        `${schedules.length}`,
      );
    schedules.forEach((schedule, i) => {
      schedule.loadStateDict(saved.schedules[i] as never);
    });
    // The new rates are those that the job began with, were it not for the schedules.
    if (allowed.includes("lr"))
      for (const [i, group] of optimizer.paramGroups.entries()) Object.assign(group, rates[i]);
  }
  train.loadStateDict(movedTo(plan, saved.loader, allowed) as never);
  for (const callback of callbacks) {
    const state = saved.callbacks[callback.name];
    if (state !== undefined) callback.loadStateDict?.(state as never);
  }
  if (saved.stopping !== null) stopping?.loadStateDict(saved.stopping as never);
  best?.loadStateDict(saved.best);
  // Gradients of another model are none of this one's parameters.
  if (!allowed.includes("model")) window.loadStateDict(saved.window);
  return { ...saved.progress, ema: saved.ema };
}
