/** nabla export: the weights of a run, for any program that reads safetensors. */
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fail } from "../core/errors.js";
import { isPlain } from "../core/tree.js";
import { grouped } from "../core/words.js";
import { loadCheckpoint } from "../io/checkpoint.js";
import { saveSafetensors } from "../io/safetensors.js";
import { checkpointsIn, type Loaded, loadNewest } from "../train/run-folder.js";
import type { Snapshot } from "../train/snapshot.js";

const op = "nabla export";

/** Writes the weights of the newest or the best checkpoint of a run, averaged ones where the job has `ema`. */
export async function exportWeights(run: string, to: string, best: boolean): Promise<string> {
  const paths = statSync(run).isDirectory() ? await checkpointsIn(run) : [run];
  const newest = await loadNewest(paths, (_, reason) => console.error(`warning: skipped: ${reason}`));
  if (newest === null) fail("ERR_ARGUMENT", op, `there is no checkpoint in ${run}`);
  const { model, ema, progress } = snapshotOf(best ? await bestOf(newest, run) : newest.parts);
  const weights = ema ?? model;
  await saveSafetensors(to, weights, { metadata: { step: `${progress.step}` } });
  const which = ema === null ? "weights" : "averaged weights";
  return `${to}: the ${which} of step ${grouped(progress.step)}, ${Object.keys(weights).length} tensors`;
}

async function bestOf({ path, parts }: Loaded, run: string): Promise<Loaded["parts"]> {
  const best = snapshotOf(parts).best?.path ?? null;
  if (best === null)
    fail("ERR_ARGUMENT", op, `${run} keeps no best checkpoint`, 'a job with checkpoint: { best: "test.accuracy" }');
  // The run may have been moved since.
  return loadCheckpoint(join(dirname(path), basename(best)));
}

/** The parts as a run has saved them; ERR_FORMAT for a checkpoint of something else. */
function snapshotOf(parts: Loaded["parts"]): Snapshot {
  if (isPlain(parts["model"]) && isPlain(parts["progress"])) return parts as unknown as Snapshot;
  return fail("ERR_FORMAT", op, "the checkpoint is not of a run", "one that Trainer has saved");
}
