/** Who is told what happens in a run, and in which order. */
import { type Log, numberOf } from "../job/loss.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Callback, type Control, handlers } from "./callbacks.js";
import type { EventStream } from "./event-stream.js";
import type { StepEvent, TrainEvent, WarningEvent } from "./events.js";

/** A step as the loop leaves it. */
export interface StepRecord extends Omit<StepEvent, "type" | "loss" | "gradNorm" | "missed" | "log"> {
  readonly loss: Tensor;
  readonly gradNorm: Tensor | null;
  readonly log: Log;
}

/** The event has numbers: tensors would keep the graph of their step for as long as somebody keeps the event. */
const stepEvent = ({ loss, gradNorm, log, ...rest }: StepRecord): StepEvent => ({
  type: "step",
  ...rest,
  loss: loss.item(),
  gradNorm: gradNorm?.item() ?? null,
  missed: 0,
  log: Object.fromEntries(Object.entries(log).map(([name, value]) => [name, numberOf(value)])),
});

export interface Listeners {
  readonly streams: ReadonlySet<EventStream>;
  /** Whether the loop is visible, and takes the events from `queue`. */
  readonly visible: boolean;
  readonly callbacks: readonly Callback[];
}

export class Broadcast {
  /** What the visible loop has yet to yield. */
  readonly queue: TrainEvent[] = [];
  private readonly listeners: Listeners;
  private readonly control: Control;
  /** What is to be told after the start, which comes first; null from there on. */
  private early: TrainEvent[] | null = [];

  constructor(listeners: Listeners, control: Control) {
    this.listeners = listeners;
    this.control = control;
  }

  warn(code: string, message: string): void {
    this.publish({ type: "warning", code, message, step: this.control.step });
  }

  /** Tells everybody, and waits for callbacks: a promise only where there are some. */
  tell(event: Exclude<TrainEvent, WarningEvent>): Promise<void> | undefined {
    this.publish(event);
    return this.listeners.callbacks.length === 0 ? undefined : this.call(event);
  }

  /** The same, for a step; nothing is read where nobody listens. */
  tellStep(record: StepRecord): Promise<void> | undefined {
    const { visible, streams, callbacks } = this.listeners;
    return visible || streams.size > 0 || callbacks.length > 0 ? this.tell(stepEvent(record)) : undefined;
  }

  *flush(): Generator<TrainEvent, void, undefined> {
    while (this.queue.length > 0) yield this.queue.shift()!;
  }

  private async call(event: Exclude<TrainEvent, WarningEvent>): Promise<void> {
    const method = handlers[event.type];
    for (const callback of this.listeners.callbacks) await callback[method]?.(event as never, this.control);
  }

  private publish(event: TrainEvent): void {
    const { early } = this;
    if (early !== null && event.type !== "start") {
      early.push(event);
      return;
    }
    this.early = null;
    const { visible, streams, callbacks } = this.listeners;
    for (const stream of streams) stream.put(event);
    if (visible) this.queue.push(event);
    for (const callback of callbacks) callback.observe?.(event);
    for (const held of early ?? []) this.publish(held);
  }
}
