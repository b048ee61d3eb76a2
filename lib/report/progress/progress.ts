/** What a person sees of a run: one line that moves in a terminal, plain lines in a log. */
import type { WriteStream } from "node:tty";
import { inspect } from "node:util";
import { byteText, duration, grouped, visible } from "../../core/words.js";
import type { Callback } from "../../train/callbacks.js";
import type { EndEvent, StartEvent, StepEvent, TrainEvent } from "../../train/events.js";
import { endings } from "../endings.js";
import { MetricsTable } from "./metrics-table.js";
import { Pace } from "./pace.js";
import { type Standing, shareOf, textsOf } from "./standing.js";
import { TerminalLine } from "./terminal-line.js";

export interface ProgressOptions {
  readonly stream: WriteStream;
  /** The milliseconds between two lines of a log. */
  readonly every: number;
  /** Only what went wrong, and how it ended. */
  readonly quiet: boolean;
}

/** The milliseconds between two pictures in a terminal. */
const frame = 100;

/** Of a terminal that does not know its own. */
const usualColumns = 80;

export class Progress implements Callback {
  readonly name = "progress";
  readonly #stream: WriteStream;
  readonly #quiet: boolean;
  readonly #line: TerminalLine | null;
  readonly #timer: NodeJS.Timeout;
  readonly #pace = new Pace();
  readonly #table = new MetricsTable();
  readonly #began = performance.now();
  #steps: number | null = null;
  #last: StepEvent | null = null;
  #told: StepEvent | null = null;

  constructor({ stream, every, quiet }: ProgressOptions) {
    this.#stream = stream;
    this.#quiet = quiet;
    this.#line = movesCursor(stream) && !quiet ? new TerminalLine(stream) : null;
    this.#timer = setInterval(() => this.#tell(), this.#line === null ? every : frame).unref();
  }

  observe(event: TrainEvent): void {
    if (event.type === "step") {
      this.#last = event;
      this.#pace.add(event.seconds, event.rows);
    } else if (event.type === "warning") this.#print(this.#style("yellow", `warning: ${visible(event.message)}`));
    else if (event.type === "end") {
      if (this.#line === null) this.#tell();
      this.#print(this.#ending(event));
    } else if (this.#quiet) return;
    else if (event.type === "start") {
      this.#steps = event.steps;
      this.#print(beginning(event));
    } else if (event.type === "evaluate") {
      const { header, row } = this.#table.add(event);
      if (header !== null) this.#print(this.#style("bold", header));
      this.#print(row);
    } else if (this.#line === null)
      this.#print(`checkpoint ${visible(event.path)}, ${byteText(event.bytes)} in ${event.seconds.toFixed(2)} s`);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#line?.close();
  }

  /** Shows where the run stands, unless nothing has happened since. */
  #tell(): void {
    if (this.#last === null || this.#last === this.#told || this.#quiet) return;
    this.#told = this.#last;
    const standing: Standing = {
      last: this.#last,
      steps: this.#steps,
      pace: this.#pace,
      memory: process.memoryUsage.rss(),
    };
    if (this.#line === null) this.#print(`${clock()}  ${textsOf(standing).join("  ")}`);
    else this.#line.show(this.#fitted(standing, (this.#stream.columns || usualColumns) - 1));
  }

  /** The bar, and as many of the texts as fit beside it. */
  #fitted(standing: Standing, columns: number): string {
    const texts = textsOf(standing);
    const share = shareOf(standing);
    const width = share === null ? 0 : Math.min(24, Math.floor(columns / 4));
    const fits = (count: number): boolean => width + 2 * count + texts.slice(0, count).join("").length <= columns;
    let count = texts.length;
    while (count > 0 && !fits(count)) count--;
    const bar = share === null ? [] : [this.#bar(share, width)];
    return [...bar, ...texts.slice(0, count)].join("  ");
  }

  #bar(share: number, width: number): string {
    const full = Math.floor(share * width);
    return this.#style("green", "━".repeat(full)) + this.#style("gray", "─".repeat(width - full));
  }

  #ending({ reason, step, checkpoint }: EndEvent): string {
    const where = checkpoint === null ? "" : `; last checkpoint ${visible(checkpoint)}`;
    return `${endings[reason]} at step ${grouped(step)} after ${duration((performance.now() - this.#began) / 1000)}${where}`;
  }

  #style(style: "bold" | "gray" | "green" | "yellow", text: string): string {
    if (this.#line === null || !this.#stream.hasColors()) return text;
    const [on, off] = inspect.colors[style]!;
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }

  #print(text: string): void {
    if (this.#line !== null) this.#line.print(text);
    else this.#stream.write(`${text}\n`);
  }
}

/** Whether a line can be written again: not in a file, a pipe or a continuous integration, and not in a dumb terminal. */
const movesCursor = (stream: WriteStream): boolean =>
  stream.isTTY === true && !process.env["CI"] && process.env["TERM"] !== "dumb";

const clock = (): string => new Date().toTimeString().slice(0, 8);

function beginning({ run, step, resumedFrom, parameters, steps }: StartEvent): string {
  const where = run === null ? "nothing is written" : visible(run);
  const size = `${grouped(parameters)} parameters${steps === null ? "" : `, ${grouped(steps)} steps`}`;
  const from = resumedFrom === null ? "" : `; goes on after step ${grouped(step)}, from ${visible(resumedFrom)}`;
  return `${where}: ${size}${from}`;
}
