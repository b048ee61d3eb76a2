/** Events as lines of JSON, and back. JSON has no NaN and no infinities: there they are texts. */
import type { TrainEvent } from "../train/events.js";

/** An event and when it happened, in seconds since 1970. */
export type TimedEvent = TrainEvent & { readonly time: number };

const rounded = (seconds: number, digits: number): number => Math.round(seconds * 10 ** digits) / 10 ** digits;

const spelled = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

/** The line of an event, with its end. */
export function lineOf(event: TrainEvent, time: number): string {
  const times: { seconds?: number; wait?: number } = {};
  if ("seconds" in event) times.seconds = rounded(event.seconds, 6);
  if ("wait" in event) times.wait = rounded(event.wait, 6);
  return `${JSON.stringify({ time: rounded(time, 3), ...event, ...times }, spelled)}\n`;
}

const notFinite = new Map(["NaN", "Infinity", "-Infinity"].map((text) => [text, Number(text)]));
const anyNotFinite = /"(?:NaN|-?Infinity)"/;

/** What the numbers of each event are called; `log` and `metrics` hold numbers by name. */
const numbers: Readonly<Record<TrainEvent["type"], readonly string[]>> = {
  start: ["step", "epoch", "parameters"],
  step: ["step", "epoch", "loss", "lr", "rows", "seconds", "wait", "missed"],
  evaluate: ["step", "epoch", "seconds"],
  checkpoint: ["step", "bytes", "seconds", "blocked"],
  warning: ["step"],
  end: ["step"],
};
const records = ["log", "metrics"];
const sometimes = ["gradNorm"];

type Values = Record<string, unknown>;

const isRecord = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads the texts that stand for numbers, in place. */
function revive(values: Values, names: readonly string[]): void {
  for (const name of names) {
    const value = values[name];
    if (typeof value === "string") values[name] = notFinite.get(value) ?? value;
  }
}

const areNumbers = (values: Values, names: readonly string[]): boolean =>
  names.every((name) => typeof values[name] === "number");

/** The event of a line; null for a line that is none. */
export function eventOf(line: string): TimedEvent | null {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(event) || typeof event.type !== "string" || !Object.hasOwn(numbers, event.type)) return null;
  const names = numbers[event.type as TrainEvent["type"]];
  const inner = records.flatMap((name) => (name in (event as Values) ? [(event as Values)[name]] : []));
  if (anyNotFinite.test(line)) {
    revive(event, [...names, ...sometimes]);
    for (const record of inner) if (isRecord(record)) revive(record, Object.keys(record));
  }
  const needed = { step: "log", evaluate: "metrics" }[event.type as string];
  const whole =
    areNumbers(event, ["time", ...names]) &&
    (needed === undefined || needed in event) &&
    inner.every((record) => isRecord(record) && areNumbers(record, Object.keys(record)));
  return whole ? (event as unknown as TimedEvent) : null;
}
