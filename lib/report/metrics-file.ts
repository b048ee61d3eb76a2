/** The events of a run as lines of JSON: what everything else about the run is made from. */
import { join } from "node:path";
import type { Callback } from "../train/callbacks.js";
import type { TrainEvent } from "../train/events.js";
import { lineOf } from "./event-lines.js";
import { GrowingFile } from "./growing-file.js";
import { metricsName } from "./summary.js";

interface Item {
  readonly event: TrainEvent;
  readonly time: number;
}

export class MetricsFile implements Callback {
  readonly name = metricsName;
  readonly #path: string;
  readonly #warn: (message: string) => void;
  #file: GrowingFile<Item> | undefined;
  #keep = 0;

  constructor(path: string, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  observe(event: TrainEvent): void {
    this.#open().append({ event, time: Date.now() / 1000 });
  }

  /** How long the file is with all events so far, which are in it then. */
  stateDict(): { readonly bytes: number } {
    return { bytes: this.#open().drain() };
  }

  /** Goes on behind so many bytes: later events are of steps that are made again. */
  loadStateDict({ bytes }: { readonly bytes: number }): void {
    this.#keep = bytes;
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #open(): GrowingFile<Item> {
    this.#file ??= new GrowingFile<Item>(this.#path, {
      encode: ({ event, time }) => lineOf(event, time),
      keep: this.#keep,
      warn: this.#warn,
    });
    return this.#file;
  }
}

export const metricsFileIn = (folder: string, warn: (message: string) => void): MetricsFile =>
  new MetricsFile(join(folder, metricsName), warn);
