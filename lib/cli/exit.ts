/** How the command ends: the codes of sysexits.h where there is one, for Slurm, Kubernetes and systemd to act on. */
import type { EndEvent } from "../train/events.js";

export const exit = {
  finished: 0,
  /** The command line is not right. */
  usage: 64,
  /** The job or the data is not right. */
  data: 65,
  /** Something failed on the way. */
  failed: 70,
  /** A file cannot be written. */
  disk: 74,
  /** Interrupted, and saved: start the same command again. */
  interrupted: 75,
  /** The loss is not finite. */
  notFinite: 76,
} as const;

export const exitOfEnd: Readonly<Record<EndEvent["reason"], number>> = {
  finished: exit.finished,
  stopped: exit.finished,
  aborted: exit.interrupted,
  signal: exit.interrupted,
  nan: exit.notFinite,
};

/** Errors for which the command line is to blame. */
export class UsageError extends Error {}

const diskErrors = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EMFILE", "ENFILE"]);

/** The exit code of an error: before the first step the job or its data is to blame. */
export function exitOfError(error: unknown, started: boolean): number {
  if (error instanceof UsageError) return exit.usage;
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (typeof code === "string" && diskErrors.has(code)) return exit.disk;
  if (!started || code === "ERR_FORMAT") return exit.data;
  return exit.failed;
}
