/** The one checker of a job's fields: of jobs, of the options of `fit` and Trainer, and of those of DataParallel. */
import { needFinite, needFunction, needInteger, refuse } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { pathOf } from "../core/path.js";
import { isPlain } from "../core/tree.js";
import type { AnyJob } from "./job.js";

/** Each shard has its own gradient buffers. */
const mostShards = 4096;

type Check = (op: string, what: string, value: unknown) => void;

const count: Check = (op, what, value) => needInteger(op, what, value, 1);
const natural: Check = (op, what, value) => needInteger(op, what, value, 0);
const callable: Check = (op, what, value) => needFunction(op, value, what);

/** ERR_ARGUMENT unless the value is an object with some of these members; returns those that it has. */
function membersOf(op: string, what: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  if (!isPlain(value)) refuse(op, what, `{ ${known.join(", ")} }`, value);
  return checkOptions<Record<string, unknown>>(op, value, known as never);
}

function interval(units: readonly string[]): Check {
  const expected = units.map((unit) => `{ ${unit} }`).join(" or ");
  return (op, what, value) => {
    const given = Object.entries(membersOf(op, what, value, units));
    if (given.length !== 1) refuse(op, what, expected, value);
    for (const [unit, n] of given)
      if (unit === "minutes") needFinite(op, `${what}.minutes`, n, { above: 0 });
      else count(op, `${what}.${unit}`, n);
  };
}
const everyStepsOrEpochs = interval(["steps", "epochs"]);
const every = interval(["steps", "epochs", "minutes"]);

/** ERR_ARGUMENT unless the members are a metric's whole name and a direction. */
function needGoal(op: string, what: string, { metric, mode }: Record<string, unknown>): void {
  if (typeof metric !== "string" || !metric.includes("."))
    refuse(op, `${what}.metric`, 'set and metric, such as "test.loss"', metric);
  if (mode !== undefined && mode !== "min" && mode !== "max") refuse(op, `${what}.mode`, '"min" or "max"', mode);
}

const metrics: Check = (op, what, value) => {
  if (!isPlain(value)) refuse(op, what, "functions by name", value);
  for (const [name, metric] of Object.entries(value)) {
    if (name === "loss" || name === "") refuse(op, `the name of a metric`, "another name than the loss", name);
    needFunction(op, metric, `${what}.${name}`);
  }
};

const stop: Check = (op, what, value) => {
  const given = membersOf(op, what, value, ["metric", "mode", "patience", "minDelta"]);
  needGoal(op, what, given);
  count(op, `${what}.patience`, given["patience"]);
  if (given["minDelta"] !== undefined) needFinite(op, `${what}.minDelta`, given["minDelta"], { least: 0 });
};

const checkpoint: Check = (op, what, value) => {
  const given = membersOf(op, what, value, ["every", "keep", "best"]);
  if (given["every"] !== undefined) every(op, `${what}.every`, given["every"]);
  if (given["keep"] !== undefined) count(op, `${what}.keep`, given["keep"]);
  const { best } = given;
  if (typeof best === "string") needGoal(op, `${what}.best`, { metric: best });
  else if (best !== undefined) needGoal(op, `${what}.best`, membersOf(op, `${what}.best`, best, ["metric", "mode"]));
};

const init: Check = (op, what, value) => {
  if (!isPlain(value) || !("path" in value)) return void pathOf(op, value as string);
  const { path, missing = [] } = membersOf(op, what, value, ["path", "missing"]);
  pathOf(op, path as string);
  if (!Array.isArray(missing) || !missing.every((name) => typeof name === "string"))
    refuse(op, `${what}.missing`, "an array of names", missing);
};

/** Every field of a job, in the order of the docs, and what it must be. */
const checks = {
  args: () => undefined,
  model: callable,
  data: callable,
  loss: callable,
  batch: count,
  epochs: count,
  steps: count,
  lr: (op, what, value) => needFinite(op, what, value, { least: 0 }),
  optimizer: callable,
  schedule: callable,
  metrics,
  clip: (op, what, value) => needFinite(op, what, value, { above: 0 }),
  accumulate: count,
  ema: (op, what, value) => needFinite(op, what, value, { least: 0, below: 1 }),
  evaluate: (op, what, value) => {
    const given = membersOf(op, what, value, ["every"]);
    if (given["every"] !== undefined) everyStepsOrEpochs(op, `${what}.every`, given["every"]);
  },
  stop,
  checkpoint,
  init,
  seed: natural,
  workers: natural,
  shards: (op, what, value) => {
    count(op, what, value);
    if ((value as number) > mostShards)
      fail("ERR_ARGUMENT", op, "there are too many shards", `at most ${mostShards}`, describe(value));
  },
} satisfies Record<keyof AnyJob, Check>;

export type FieldName = keyof typeof checks;

/** The names of a job's fields. */
export const fieldNames = Object.keys(checks) as FieldName[];

/** Two fields of which a job has one. */
const exclusive: readonly (readonly [FieldName, FieldName])[] = [["epochs", "steps"]];

/**
 * Checks fields of a job, and returns those that are given: ERR_ARGUMENT for one that is unknown (with the nearest name), of
 * the wrong type, impossible, or in contradiction to another.
 */
export function checkFields<T extends object>(
  op: string,
  given: T | undefined,
  known: readonly (FieldName & keyof T)[],
  others: readonly string[] = [],
  flags: readonly string[] = [],
): Partial<T> {
  const held = checkOptions<Record<string, unknown>>(
    op,
    given as Record<string, unknown> | undefined,
    [...known, ...others] as never,
    flags as never,
  );
  for (const name of known) if (held[name] !== undefined) checks[name](op, name, held[name]);
  for (const [a, b] of exclusive)
    if (held[a] !== undefined && held[b] !== undefined)
      fail(
        "ERR_ARGUMENT",
        op,
        `${a} and ${b} contradict each other`,
        "one of them",
        `${a} ${held[a]} and ${b} ${held[b]}`,
      );
  return held as Partial<T>;
}
