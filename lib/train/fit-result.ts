import type { Module } from "../nn/module.js";
import type { EndEvent, EvaluateEvent } from "./events.js";
import type { BestState } from "./goals.js";

/** What a run has come to. */
export interface FitResult<M extends Module = Module> {
  /**
   * Why it ended: "finished" after all epochs or steps, "stopped" by early stopping or a callback, "aborted" by its signal,
   * "nan" before a step that was not finite.
   */
  readonly reason: EndEvent["reason"];
  /** The number of the optimizer's steps. */
  readonly step: number;
  /** The metrics of the last evaluation. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The best evaluation, and the path of its checkpoint where `checkpoint.best` keeps one. */
  readonly best: BestState | null;
  readonly model: M;
  /** The weights that `model` holds: those of the last step, or, after "nan", those of the checkpoint it went back to. */
  readonly weights: "last" | "checkpoint";
  /** The newest checkpoint that is whole. */
  readonly checkpoint: string | null;
  /** The error of the last checkpoint, if it could not be written: the weights are only in `model`. */
  readonly unsaved: Error | null;
  /** All evaluations, also those before the run was interrupted. */
  readonly history: readonly EvaluateEvent[];
}
