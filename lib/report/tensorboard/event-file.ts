/** The events of a run in a file that TensorBoard reads. */
import { readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Tensor } from "../../tensor/tensor.js";
import type { EvaluateEvent, StartEvent, StepEvent, TrainEvent } from "../../train/events.js";
import { GrowingFile } from "../growing-file.js";
import type { Observer } from "../observer.js";
import { histogramOf } from "./histogram.js";
import { recordOf } from "./records.js";
import { type EventMessage, encodeEvent, type SummaryValue, sessionStart, stringDtype } from "./schema.js";

export interface EventFileOptions {
  /** A text that describes the run: its job. */
  readonly text: string;
  /** Weights and gradients, by name, of which each evaluation writes histograms. */
  readonly tensors: () => Iterable<readonly [name: string, tensor: Tensor]>;
  readonly warn: (message: string) => void;
}

export class EventFile implements Observer {
  readonly #folder: string;
  readonly #options: EventFileOptions;
  #file: GrowingFile<EventMessage> | undefined;

  constructor(folder: string, options: EventFileOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  observe(event: TrainEvent): void {
    if (event.type === "start") this.#start(event);
    else if (event.type === "step") this.#summarize(event.step, ofStep(event));
    else if (event.type === "evaluate") this.#evaluate(event);
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #start({ step, resumedFrom }: StartEvent): void {
    const { warn, text } = this.#options;
    const encode = (message: EventMessage): Uint8Array => recordOf(encodeEvent(message));
    this.#file = new GrowingFile(join(this.#folder, freshName(this.#folder)), { encode, warn });
    this.#file.append({ wallTime: now(), fileVersion: "brain.Event:2" });
    // Readers drop what earlier files have of this step and of later ones: it has not happened.
    this.#file.append({ wallTime: now(), step: step + 1, sessionLog: { status: sessionStart } });
    if (resumedFrom === null) this.#summarize(step, [textValue("job", text)]);
  }

  #evaluate({ step, metrics }: EvaluateEvent): void {
    const scalars = Object.entries(metrics).map(([name, value]) => scalar(name.replace(".", "/"), value));
    const histograms: SummaryValue[] = [];
    for (const [tag, tensor] of this.#options.tensors()) {
      const histo = histogramOf(tensor.detach().to("float32").toTypedArray() as Float32Array);
      if (histo !== null) histograms.push({ tag, histo });
    }
    this.#summarize(step, [...scalars, ...histograms]);
  }

  #summarize(step: number, value: readonly SummaryValue[]): void {
    this.#file?.append({ wallTime: now(), step, summary: { value } });
  }
}

const now = (): number => Date.now() / 1000;

const scalar = (tag: string, simpleValue: number): SummaryValue => ({ tag, simpleValue });

function ofStep({ loss, lr, gradNorm, log }: StepEvent): SummaryValue[] {
  const norm = gradNorm === null ? [] : [scalar("train/gradNorm", gradNorm)];
  const own = Object.entries(log).map(([name, value]) => scalar(`train/${name}`, value));
  return [scalar("train/loss", loss), scalar("train/lr", lr), ...norm, ...own];
}

const textValue = (tag: string, text: string): SummaryValue => ({
  tag,
  tensor: { dtype: stringDtype, tensorShape: {}, stringVal: [Buffer.from(text)] },
  metadata: { pluginData: { pluginName: "text" } },
});

const pattern = /^events\.out\.tfevents\.(\d+)\./;

/** A name behind all that are there: files are read in the order of their names, which begin with a time. */
function freshName(folder: string): string {
  const times = readdirSync(folder).map((name) => Number(pattern.exec(name)?.[1] ?? 0));
  const time = Math.max(Math.floor(now()), ...times.map((time) => time + 1));
  return `events.out.tfevents.${String(time).padStart(10, "0")}.${hostname()}.${process.pid}`;
}
