/** nabla export: the weights of a run, for any program that reads safetensors. */
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { fail } from "../core/errors.js";
import { grouped } from "../core/words.js";
import { loadCheckpoint } from "../io/checkpoint.js";
import { saveSafetensors } from "../io/safetensors.js";
import { checkpointsIn } from "../train/run-folder.js";
import type { Snapshot } from "../train/snapshot.js";

const op = "nabla export";

/** Writes the weights of the newest or the best checkpoint of a run, averaged ones where the job has `ema`. */
export async function exportWeights(run: string, to: string, best: boolean): Promise<string> {
  const newest = statSync(run).isDirectory() ? (await checkpointsIn(run)).at(-1) : run;
  if (newest === undefined) fail("ERR_ARGUMENT", op, `there is no checkpoint in ${run}`);
  let snapshot = (await loadCheckpoint(newest)) as unknown as Snapshot;
  if (best) {
    const path = snapshot.best?.path ?? null;
    if (path === null)
      fail("ERR_ARGUMENT", op, `${run} keeps no best checkpoint`, 'a job with checkpoint: { best: "test.accuracy" }');
    // The run may have been moved since.
    snapshot = (await loadCheckpoint(join(newest, "..", basename(path)))) as unknown as Snapshot;
  }
  const { model, ema, progress } = snapshot;
  const weights = ema ?? model;
  await saveSafetensors(to, weights, { metadata: { step: `${progress.step}` } });
  const which = ema === null ? "weights" : "averaged weights";
  return `${to}: the ${which} of step ${grouped(progress.step)}, ${Object.keys(weights).length} tensors`;
}
