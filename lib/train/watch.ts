/** What every run with a folder leaves there besides its checkpoints. */
import { NablaError } from "../core/errors.js";
import type { Callback } from "./callbacks.js";
import type { RunFolder } from "./run-folder.js";

export interface Watch {
  /** The callbacks for a run in a folder. `warn` takes what goes wrong with what they write. */
  callbacks(folder: string, warn: (message: string) => void): Promise<readonly Callback[]>;
  /** Called at the end of a run that had begun, also after an error: `failure` says why. */
  end(op: string, folder: string, failure: string | undefined): Promise<void>;
}

/** Set by lib/report, which sees this folder and not the other way round. */
export const watch: { by: Watch | null } = { by: null };

export const watching = async (folder: RunFolder | null): Promise<readonly Callback[]> =>
  folder === null || watch.by === null ? [] : watch.by.callbacks(folder.path, (message) => folder.warn(message));

/** An error of the library as its sentence, one of the job with the line that threw it. */
function reasonOf(error: unknown): string {
  if (error instanceof NablaError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Lets what watches the folder finish, if the run has begun. What that fails at is a warning of the process. */
export async function ended(op: string, folder: RunFolder | null, error: unknown): Promise<void> {
  if (folder?.begun !== true) return;
  try {
    await watch.by?.end(op, folder.path, error === undefined ? undefined : reasonOf(error));
  } catch (error) {
    process.emitWarning(`there is no report of the run: ${(error as Error).message}`);
  }
}
