import { type Log, numberOf } from "../job/loss.js";
import type { Tensor } from "../tensor/tensor.js";
import type { StepEvent } from "./events.js";

/** A step as the loop leaves it: its numbers are read when somebody asks for them. */
export interface StepRecord extends Omit<StepEvent, "type" | "loss" | "gradNorm" | "missed" | "log"> {
  readonly loss: Tensor;
  readonly gradNorm: Tensor | null;
  readonly log: Log;
}

/** The event of a step, whose values are numbers only once they are read. */
export const stepEvent = (record: StepRecord, missed = 0): StepEvent => ({
  type: "step",
  step: record.step,
  epoch: record.epoch,
  get loss() {
    return record.loss.item();
  },
  lr: record.lr,
  get gradNorm() {
    return record.gradNorm?.item() ?? null;
  },
  rows: record.rows,
  seconds: record.seconds,
  wait: record.wait,
  missed,
  get log() {
    return Object.fromEntries(Object.entries(record.log).map(([name, value]) => [name, numberOf(value)]));
  },
});
