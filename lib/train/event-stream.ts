import type { StepEvent, TrainEvent } from "./events.js";

/** The step events that wait for a reader; older ones are dropped. */
const most = 1024;

/** The events of a run for one reader, who never makes the run wait: a slow one loses steps, and nothing else. */
export class EventStream implements AsyncIterableIterator<TrainEvent> {
  private readonly others: { readonly serial: number; readonly event: TrainEvent }[] = [];
  private readonly steps: (StepEvent | undefined)[] = [];
  private readonly serials: number[] = [];
  /** The steps that have been put in, and taken or dropped. */
  private written = 0;
  private read = 0;
  private missed = 0;
  private serial = 0;
  private ended = false;
  private wake: (() => void) | null = null;

  put(event: TrainEvent): void {
    if (this.ended) return;
    if (event.type === "step") this.putStep(event);
    else this.others.push({ serial: this.serial++, event });
    this.wake?.();
  }

  private putStep(event: StepEvent): void {
    if (this.written - this.read === most) {
      this.read++;
      this.missed++;
    }
    this.steps[this.written % most] = event;
    this.serials[this.written % most] = this.serial++;
    this.written++;
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<TrainEvent, undefined>> {
    for (;;) {
      const event = this.take();
      if (event !== null) return { done: false, value: event };
      if (this.ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        const before = this.wake;
        this.wake = () => {
          this.wake = null;
          before?.();
          resolve();
        };
      });
    }
  }

  async return(): Promise<IteratorResult<TrainEvent, undefined>> {
    this.others.length = 0;
    this.read = this.written;
    this.end();
    return { done: true, value: undefined };
  }

  /** The next event, in the order in which they happened. */
  private take(): TrainEvent | null {
    const [other] = this.others;
    const at = this.read % most;
    if (this.read < this.written && (other === undefined || this.serials[at]! < other.serial)) {
      const event = this.steps[at]!;
      const { missed } = this;
      this.steps[at] = undefined;
      this.read++;
      this.missed = 0;
      return missed === 0 ? event : { ...event, missed };
    }
    if (other === undefined) return null;
    this.others.shift();
    return other.event;
  }
}
