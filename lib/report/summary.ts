/** What there is to see of a run, read from its events in one pass and in bounded memory. */
import { join } from "node:path";
import { shortened } from "../core/words.js";
import type { EndEvent, EvaluateEvent, StepEvent } from "../train/events.js";
import { Envelope } from "./envelope.js";
import type { TimedEvent } from "./event-lines.js";
import { readEvents } from "./read-events.js";

/** The metrics of a run in its folder. */
export const metricsName = "metrics.jsonl";

/** Reads the metrics in the folder of a run. */
export async function summarize(op: string, run: string): Promise<Summary> {
  const summary = new Summary();
  for await (const event of readEvents(op, join(run, metricsName))) summary.add(event);
  return summary;
}

/** More curves than these have no place on a page. */
const mostCurves = 200;
/** At least one for each pixel of a wide screen, even after neighbors are merged. */
const columnsOfCurve = 2000;
const mostWarnings = 50;
const mostEvaluations = 100;

export interface Curve {
  readonly chart: string;
  readonly name: string;
  readonly envelope: Envelope;
}

export class Summary {
  readonly curves = new Map<string, Curve>();
  readonly evaluations: EvaluateEvent[] = [];
  readonly warnings: string[] = [];
  best: EvaluateEvent | null = null;
  last: StepEvent | null = null;
  end: EndEvent | null = null;
  run: string | null = null;
  starts = 0;
  parameters = 0;
  steps: number | null = null;
  rows = 0;
  seconds = 0;
  wait = 0;
  curvesLeftOut = 0;
  warningsLeftOut = 0;

  add(event: TimedEvent): void {
    if (event.type === "step") this.#step(event);
    else if (event.type === "evaluate") this.#evaluate(event);
    else if (event.type === "warning") this.#warn(`step ${event.step}: ${event.message}`);
    else if (event.type === "end") this.end = event;
    else if (event.type === "start") {
      this.starts++;
      this.end = null;
      ({ run: this.run, parameters: this.parameters, steps: this.steps } = event);
    }
  }

  #step(event: StepEvent): void {
    const { step, loss, lr, gradNorm, log, rows, seconds, wait } = event;
    if (!Number.isFinite(loss) && (this.last === null || Number.isFinite(this.last.loss)))
      this.#warn(`step ${step}: the loss is ${loss}`);
    this.last = event;
    this.rows += rows;
    this.seconds += seconds;
    this.wait += wait;
    this.#plot("loss", "train", step, loss);
    this.#plot("learning rate", "lr", step, lr);
    if (gradNorm !== null) this.#plot("gradient norm", "before clipping", step, gradNorm);
    for (const name in log) this.#plot(name, "train", step, log[name]!);
    this.#plot("milliseconds a step", "all", step, 1000 * seconds);
    this.#plot("milliseconds a step", "waiting for data", step, 1000 * wait);
  }

  #evaluate(event: EvaluateEvent): void {
    for (const [name, value] of Object.entries(event.metrics)) {
      const dot = name.indexOf(".");
      this.#plot(name.slice(dot + 1), dot < 0 ? "evaluated" : name.slice(0, dot), event.step, value);
    }
    if (event.best) this.best = event;
    this.evaluations.push(event);
    if (this.evaluations.length > mostEvaluations) this.evaluations.shift();
  }

  #plot(chart: string, name: string, step: number, value: number): void {
    const key = `${chart}\n${name}`;
    let curve = this.curves.get(key);
    if (curve === undefined) {
      if (this.curves.size === mostCurves) {
        this.curvesLeftOut++;
        return;
      }
      curve = { chart, name, envelope: new Envelope(columnsOfCurve) };
      this.curves.set(key, curve);
    }
    curve.envelope.add(step, value);
  }

  #warn(text: string): void {
    if (this.warnings.length < mostWarnings) this.warnings.push(shortened(text, 1000));
    else this.warningsLeftOut++;
  }
}
