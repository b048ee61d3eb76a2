/** Whether a run goes on with the job that it began with. */
import { describe, fail } from "../core/errors.js";
import { isPlain } from "../core/tree.js";
import type { Module } from "../nn/module.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Settings } from "./settings.js";

/** What must be the same when a run goes on, unless it is allowed to differ. */
export const fixed = ["args", "batch", "shards", "seed", "accumulate", "lr", "model", "optimizer"] as const;
export type Fixed = (typeof fixed)[number];

/** The fixed fields as plain data. */
export type Signature = Readonly<Record<Fixed, unknown>>;

export function signatureOf(settings: Settings, model: Module, optimizer: Optimizer): Signature {
  const { args = null, batch, shards, seed, accumulate, lr } = settings;
  return {
    args,
    batch,
    shards,
    seed,
    accumulate,
    lr,
    model: [...model.namedParameters(), ...model.namedBuffers()].map(
      ([name, x]) => `${name} ${x.dtype} [${x.shape.join(", ")}]`,
    ),
    optimizer: {
      name: optimizer.constructor.name,
      groups: optimizer.paramGroups.map(({ params, lr: _lr, ...rest }) => ({ ...rest, params: params.length })),
    },
  };
}

/** Whether two trees of plain data are equal. */
function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => same(x, b[i]));
  if (!isPlain(a) || !isPlain(b)) return Object.is(a, b);
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  const others = Object.keys(b).filter((key) => b[key] !== undefined);
  return keys.length === others.length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/** What differs, for a message: the first differing member. */
function difference(before: unknown, now: unknown): [string, string] {
  if (Array.isArray(before) && Array.isArray(now)) {
    const at = Math.max(
      0,
      before.findIndex((x, i) => !same(x, now[i])),
    );
    return same(before[at], now[at]) ? [`${before.length} entries`, `${now.length}`] : difference(before[at], now[at]);
  }
  if (isPlain(before) && isPlain(now)) {
    const key = [...Object.keys(before), ...Object.keys(now)].find((key) => !same(before[key], now[key]))!;
    const [a, b] = difference(before[key], now[key]);
    return [`${key} ${a}`, `${key} ${b}`];
  }
  return [describe(before), describe(now)];
}

/** ERR_ARGUMENT that names the first field that differs and is not allowed to. */
export function needSameJob(op: string, before: Signature, now: Signature, allowed: readonly string[]): void {
  for (const field of fixed) {
    if (allowed.includes(field) || same(before[field], now[field])) continue;
    const [was, is] = difference(before[field], now[field]);
    fail(
      "ERR_ARGUMENT",
      op,
      `the job has changed since: ${field}`,
      `${was} (or allow: ["${field}"], or fresh: true)`,
      is,
      { field },
    );
  }
}
