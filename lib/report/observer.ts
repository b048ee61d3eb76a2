import type { TrainEvent } from "../train/events.js";

/** What looks at a training run. */
export interface Observer {
  /** Takes an event, between two steps: it returns at once. */
  observe(event: TrainEvent): void;
  /** Writes what was held back. */
  close(): Promise<void>;
}
