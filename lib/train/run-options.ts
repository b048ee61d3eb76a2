/** The options of a run that are no fields of a job, the same for Trainer and `fit`. */
import { refuse } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { type FilePath, pathOf } from "../core/path.js";
import type { Callback } from "./callbacks.js";
import { RunFolder } from "./run-folder.js";
import { fixed } from "./same-job.js";

export interface RunFolderOptions {
  /** The folder of the run: checkpoints, `metrics.jsonl`, `report.html` and `job.json`. Without it nothing is written. */
  readonly out?: FilePath | undefined;
  /** Whether to go on from the newest checkpoint in `out` that is whole; where there is none, from step 0. */
  readonly resume?: boolean | undefined;
  /** Whether to remove the checkpoints in `out`, and to begin at step 0. */
  readonly fresh?: boolean | undefined;
  /** The fields of the job that may have changed when a run goes on, such as "batch". */
  readonly allow?: readonly string[] | undefined;
  readonly callbacks?: readonly Callback[] | undefined;
}

/** The names of these options, and of those that are booleans. */
export const runOptionNames = ["out", "allow", "callbacks"] as const;
export const runFlagNames = ["resume", "fresh"] as const;

export interface CheckedRunOptions {
  readonly out: string | null;
  readonly resume: boolean;
  readonly fresh: boolean;
  readonly allow: readonly string[];
  readonly callbacks: readonly Callback[];
}

/** ERR_ARGUMENT for options that are not valid, or contradict each other. */
export function checkRunOptions(op: string, given: RunFolderOptions): CheckedRunOptions {
  const { out, resume = false, fresh = false, allow = [], callbacks = [] } = given;
  const path = out === undefined ? null : pathOf(op, out);
  if (resume && fresh) fail("ERR_ARGUMENT", op, "resume and fresh contradict each other", "one of them", "both");
  if (path === null && (resume || fresh))
    fail("ERR_ARGUMENT", op, `${resume ? "resume" : "fresh"} needs the folder of a run`, "out", "none");
  if (!Array.isArray(allow)) refuse(op, "allow", "an array of names", allow);
  for (const name of allow as readonly unknown[])
    if (!(fixed as readonly unknown[]).includes(name)) refuse(op, "allow", fixed.join(", "), name);
  if (!Array.isArray(callbacks)) refuse(op, "callbacks", "an array", callbacks);
  for (const callback of callbacks as readonly unknown[])
    if (typeof callback !== "object" || callback === null) refuse(op, "a callback", "an object with a name", callback);
  return { out: path, resume, fresh, allow: allow as readonly string[], callbacks: callbacks as readonly Callback[] };
}

/**
 * Opens the folder of a run, which is this process's until it is closed. ERR_ARGUMENT for one with checkpoints unless it is
 * said what to do with them, and for one into which another process trains.
 */
export async function openFolder(op: string, options: CheckedRunOptions, keep: number): Promise<RunFolder | null> {
  const { out, resume, fresh } = options;
  if (out === null) return null;
  const folder = new RunFolder(op, out, keep);
  await folder.open();
  if (fresh) await folder.clear();
  const { newest } = folder;
  if (resume || newest === null) return folder;
  folder.close();
  return fail(
    "ERR_ARGUMENT",
    op,
    `${out} holds the checkpoints of a run`,
    `resume: true to go on from step ${newest}, or fresh: true to remove them`,
  );
}
