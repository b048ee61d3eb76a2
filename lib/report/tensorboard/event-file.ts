/** The events of a run in a file that TensorBoard reads. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Tensor } from "../../tensor/tensor.js";
import type { Callback, Control } from "../../train/callbacks.js";
import type { EvaluateEvent, StartEvent, StepEvent, TrainEvent } from "../../train/events.js";
import { GrowingFile } from "../growing-file.js";
import { histogramOf } from "./histogram.js";
import { recordOf } from "./records.js";
import { type EventMessage, encodeEvent, type SummaryValue, sessionStart, stringDtype } from "./schema.js";

export class EventFile implements Callback {
  readonly name = "tensorboard";
  readonly #folder: string;
  readonly #warn: (message: string) => void;
  #file: GrowingFile<EventMessage> | undefined;
  /** Whether the next gradients have histograms: evaluations come when the gradients before them are gone. */
  #wantsGradients = false;

  constructor(folder: string, warn: (message: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
  }

  observe(event: TrainEvent): void {
    if (event.type === "start") this.#start(event);
    else if (event.type === "step") this.#summarize(event.step, ofStep(event));
    else if (event.type === "evaluate")
      this.#summarize(
        event.step,
        Object.entries(event.metrics).map(([name, value]) => scalar(name.replace(".", "/"), value)),
      );
  }

  onEvaluate({ step }: EvaluateEvent, { model }: Control): void {
    this.#summarize(step, histograms("weights", model.namedParameters()));
    this.#wantsGradients = true;
  }

  beforeStep({ model, step }: Control): void {
    if (!this.#wantsGradients) return;
    this.#wantsGradients = false;
    const gradients = model
      .namedParameters()
      .flatMap(([name, { grad }]) => (grad === null ? [] : [[name, grad] as const]));
    this.#summarize(step + 1, histograms("gradients", gradients));
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #start({ step, resumedFrom }: StartEvent): void {
    const encode = (message: EventMessage): Uint8Array => recordOf(encodeEvent(message));
    this.#file = new GrowingFile(join(this.#folder, freshName(this.#folder)), { encode, warn: this.#warn });
    this.#file.append({ wallTime: now(), fileVersion: "brain.Event:2" });
    // Readers drop what earlier files have of this step and of later ones: it has not happened.
    this.#file.append({ wallTime: now(), step: step + 1, sessionLog: { status: sessionStart } });
    const job = join(this.#folder, "job.json");
    if (resumedFrom === null && existsSync(job))
      this.#summarize(step, [textValue("job", `\`\`\`json\n${readFileSync(job, "utf8")}\`\`\``)]);
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

function histograms(kind: string, tensors: Iterable<readonly [name: string, tensor: Tensor]>): SummaryValue[] {
  const values: SummaryValue[] = [];
  for (const [name, tensor] of tensors) {
    const histo = histogramOf(tensor.detach().to("float32").toTypedArray() as Float32Array);
    if (histo !== null) values.push({ tag: `${kind}/${name}`, histo });
  }
  return values;
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
