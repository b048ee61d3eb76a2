/** The command line's flags over the fields of a job. */

import { describe } from "../core/errors.js";
import { nearest } from "../core/options.js";
import { isPlain } from "../core/tree.js";
import { UsageError } from "./exit.js";

/** The fields that a flag can replace, and what each takes. */
export const fieldFlags = {
  epochs: "n",
  steps: "n",
  batch: "n",
  lr: "rate",
  clip: "norm",
  accumulate: "n",
  ema: "decay",
  seed: "n",
  workers: "n",
  shards: "n",
} as const;

/** The number that a text stands for. */
export function numberFlag(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new UsageError(`${describe(text)} is not a number`);
}

const prefix = "--args.";

/** Takes `--args.name value` and `--args.name=value` out of a command line. Without a value it stands for true. */
export function takeArgs(line: readonly string[]): { readonly rest: string[]; readonly args: Map<string, string> } {
  const rest: string[] = [];
  const args = new Map<string, string>();
  for (let i = 0; i < line.length; i++) {
    const word = line[i]!;
    if (!word.startsWith(prefix)) {
      rest.push(word);
      continue;
    }
    const [name, ...value] = word.slice(prefix.length).split("=");
    const next = line[i + 1];
    if (value.length > 0) args.set(name!, value.join("="));
    else if (next === undefined || next.startsWith("--")) args.set(name!, "true");
    else {
      args.set(name!, next);
      i++;
    }
  }
  return { rest, args };
}

/** The value of an argument, of the type that the job's own value has. */
function argumentOf(name: string, text: string, own: unknown): unknown {
  if (typeof own === "string") return text;
  if (typeof own === "number") {
    const value = Number(text);
    if (text.trim() !== "" && !Number.isNaN(value)) return value;
    throw new UsageError(`--args.${name} must be a number, as ${describe(own)} is; got ${describe(text)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (own === null) return text;
  }
  const kind = (of: unknown): string => (Array.isArray(of) ? "an array" : isPlain(of) ? "an object" : typeof of);
  if (own === null || (value !== undefined && kind(value) === kind(own))) return value;
  throw new UsageError(`--args.${name} must be ${kind(own)} in JSON; got ${describe(text)}`);
}

/** The arguments of a job with those of the command line in place of its own. */
export function withArgs(own: unknown, given: ReadonlyMap<string, string>): unknown {
  if (given.size === 0) return own;
  const known = isPlain(own) ? Object.keys(own) : [];
  const args: Record<string, unknown> = isPlain(own) ? { ...own } : {};
  for (const [name, text] of given) {
    if (!known.includes(name)) {
      const guess = nearest(name, known);
      const hint = guess === undefined ? "" : ` (did you mean --args.${guess}?)`;
      throw new UsageError(`the job has no argument ${describe(name)}${hint}; it has ${known.join(", ") || "none"}`);
    }
    args[name] = argumentOf(name, text, args[name]);
  }
  return args;
}

/** A time on the command line, such as 10s, 500ms or 2m, in milliseconds. */
export function timeFlag(text: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const milliseconds = Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as "s"];
  if (milliseconds > 0 && milliseconds <= 86_400_000) return milliseconds;
  throw new UsageError(`${describe(text)} is not a time such as 10s, 500ms or 2m`);
}
