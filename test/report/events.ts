/** Events of a made run. */
import type { EndEvent, EvaluateEvent, StartEvent, StepEvent, WarningEvent } from "../../lib/train/events.js";

export const start = (more: Partial<StartEvent> = {}): StartEvent => ({
  type: "start",
  run: "runs/a",
  step: 0,
  epoch: 1,
  resumedFrom: null,
  parameters: 1234567,
  steps: 1000,
  ...more,
});

export const step = (number: number, more: Partial<StepEvent> = {}): StepEvent => ({
  type: "step",
  step: number,
  epoch: 1,
  loss: 1 / number,
  lr: 0.001,
  gradNorm: null,
  rows: 32,
  seconds: 0.25,
  wait: 0.01,
  missed: 0,
  log: {},
  ...more,
});

export const evaluate = (number: number, metrics: EvaluateEvent["metrics"], best = false): EvaluateEvent => ({
  type: "evaluate",
  step: number,
  epoch: 1,
  metrics,
  best,
  seconds: 0.5,
});

export const warning = (message: string): WarningEvent => ({ type: "warning", code: "ENOSPC", message, step: 3 });

export const end = (number: number, more: Partial<EndEvent> = {}): EndEvent => ({
  type: "end",
  reason: "finished",
  step: number,
  checkpoint: null,
  ...more,
});
