/** Locks on files, which the kernel ends with the process that holds them, however it ends. */
import { closeSync, openSync } from "node:fs";
import { dirname, resolve, toNamespacedPath } from "node:path";
import { fail } from "../core/errors.js";
import { addon } from "../native/load.js";

export interface FileLock {
  /** Where the file system has no locks, a sentence that says so: nothing keeps other processes out there. */
  readonly warning: string | null;
  release(): void;
}

/**
 * Locks a file in the folder of a run until `release`, or until this process ends. The file is made if it is missing, and
 * stays.
 * @throws ERR_ARGUMENT while another process, or another call in this one, holds the lock; Node's own errors of the file
 * system.
 */
export function lockFile(op: string, path: string): FileLock {
  closeSync(openSync(path, "a"));
  const folder = dirname(path);
  const release = addon.lockFile(toNamespacedPath(resolve(path)));
  if (typeof release === "function") return { warning: null, release };
  if (release === "none") {
    const warning = `the file system of ${folder} has no locks: nothing keeps a second process from training into it`;
    return { warning, release: () => undefined };
  }
  return fail(
    "ERR_ARGUMENT",
    op,
    `another process trains into ${folder}`,
    "a folder that no other run writes to",
    undefined,
    { path },
  );
}
