/** nabla train --dry-run: what a job takes, from one step on a model that is thrown away. Nothing is written. */
import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fail } from "../core/errors.js";
import { byteText, figure, grouped, table } from "../core/words.js";
import { costOf, ValuesNeeded, dryRun as withoutComputing } from "../engine/dry-run.js";
import { encodeState } from "../io/state-json.js";
import { importJob } from "../job/job-module.js";
import { lossOf } from "../job/loss.js";
import { summary } from "../nn/summary.js";
import { memory } from "../parallel/settings.js";
import { rowsOf } from "../parallel/shard.js";
import { planOf } from "../train/plan.js";
import { type Replacements, settingsOf } from "../train/settings.js";

const op = "nabla train";

/** Describes the run of a job that would write to `out`. */
export async function dryRun(url: URL, given: Replacements, out: string): Promise<string> {
  const job = await importJob(url.href, undefined, op);
  const { settings, effective } = settingsOf(op, job, given);
  const plan = await planOf({ op, job, settings, effective, callbacks: [] }, new AbortController().signal);
  const { model } = plan;
  const batch = await first(plan.train);
  const rows = rowsOf(batch);

  const flops = flopsOf(() => job.loss(model, batch as never));
  const before = memory().liveBytes;
  const { value } = lossOf(op, job.loss(model, batch as never), rows, false);
  const saved = memory().liveBytes - before;
  value.backward();
  plan.optimizer.step();
  const state = memory().liveBytes - before;
  const parts = {
    model: model.stateDict(),
    ema: settings.ema === null ? null : model.stateDict(),
    optimizer: plan.optimizer.stateDict(),
  };
  const checkpoint = sizeOf(encodeState(op, parts).tensors);
  const weights = sizeOf(Object.entries(model.stateDict()));

  const lines = table(
    [
      ["steps", plan.steps === null ? "unknown" : grouped(plan.steps)],
      ["batch", `${grouped(rows)} rows`],
      ["forward", flops === null ? "unknown" : `${figure(flops / rows)} FLOPs a row`],
      ["weights", byteText(weights)],
      ["saved for backward", byteText(saved)],
      ["gradients and optimizer", byteText(state)],
      ["peak of the process", byteText(memory().peakBytes)],
      ["checkpoint", `${byteText(checkpoint)}; ${byteText(freeBytes(out))} free in ${resolve(out)}`],
    ],
    () => false,
  );
  return [summary(model), "", ...lines].join("\n");
}

async function first(loader: AsyncIterable<unknown>): Promise<unknown> {
  for await (const batch of loader) return batch;
  return fail("ERR_ARGUMENT", op, "an epoch of the data has no batch", "at least one");
}

/** The floating-point operations of a function; null where the values of tensors decide what it does. */
function flopsOf(f: () => unknown): number | null {
  try {
    return withoutComputing((calls) => {
      f();
      return costOf(calls).flops;
    }).value;
  } catch (error) {
    if (error instanceof ValuesNeeded) return null;
    throw error;
  }
}

type Sized = { readonly numel: number; readonly type: { readonly size: number } };

function sizeOf(tensors: Iterable<readonly [string, Sized]>): number {
  let bytes = 0;
  for (const [, { numel, type }] of tensors) bytes += numel * type.size;
  return bytes;
}

/** The free space where a folder is, or will be. */
function freeBytes(folder: string): number {
  let path = resolve(folder);
  while (!existsSync(path)) path = dirname(path);
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
