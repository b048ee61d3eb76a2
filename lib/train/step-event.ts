import { type Log, numberOf } from "../job/loss.js";
import type { Tensor } from "../tensor/tensor.js";
import type { StepEvent, TrainEvent } from "./events.js";

/** A step as the loop leaves it: its numbers are read when somebody asks for them. */
export interface StepRecord extends Omit<StepEvent, "type" | "loss" | "gradNorm" | "missed" | "log"> {
  readonly loss: Tensor;
  readonly gradNorm: Tensor | null;
  readonly log: Log;
}

/**
 * The event of a step, whose values are numbers only once they are read. A class: an object literal with getters has a
 * hidden class of its own, which keeps its tensors until a major collection.
 */
class LateStepEvent implements StepEvent {
  readonly type = "step";
  readonly step: number;
  readonly epoch: number;
  readonly lr: number;
  readonly rows: number;
  readonly seconds: number;
  readonly wait: number;
  readonly missed: number;
  readonly #record: StepRecord;

  constructor(record: StepRecord, missed: number) {
    this.step = record.step;
    this.epoch = record.epoch;
    this.lr = record.lr;
    this.rows = record.rows;
    this.seconds = record.seconds;
    this.wait = record.wait;
    this.missed = missed;
    this.#record = record;
  }

  get loss(): number {
    return this.#record.loss.item();
  }
  get gradNorm(): number | null {
    return this.#record.gradNorm?.item() ?? null;
  }
  get log(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#record.log).map(([name, value]) => [name, numberOf(value)]));
  }

  toJSON(): StepEvent {
    const { loss, gradNorm, log } = this;
    return { ...this, loss, gradNorm, log };
  }
  [Symbol.for("nodejs.util.inspect.custom")](): StepEvent {
    return this.toJSON();
  }
}

export const stepEvent = (record: StepRecord, missed = 0): StepEvent => new LateStepEvent(record, missed);

/** The event with its numbers as members of its own: those of a step are read now. */
export const plainEvent = (event: TrainEvent): TrainEvent => (event instanceof LateStepEvent ? event.toJSON() : event);
