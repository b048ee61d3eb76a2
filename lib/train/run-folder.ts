/** The folder of a run: its checkpoints, and the job that wrote them. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NablaError } from "../core/errors.js";
import { writeAtomically } from "../core/file.js";
import { type CheckpointParts, loadCheckpoint, saveCheckpoint } from "../io/checkpoint.js";
import { type FileLock, lockFile } from "../io/lock.js";

const pattern = /^step-(\d{8,})\.safetensors$/;

const nameOf = (step: number): string => `step-${String(step).padStart(8, "0")}.safetensors`;

/** The steps with a checkpoint in a folder, in order. */
async function stepsIn(folder: string): Promise<number[]> {
  const found = (await readdir(folder)).flatMap((name) => pattern.exec(name)?.[1] ?? []);
  return found.map(Number).sort((a, b) => a - b);
}

const folderIn = (run: string): string => join(run, "checkpoints");

/** The paths of the checkpoints in the folder of a run, the newest last. */
export async function checkpointsIn(run: string): Promise<string[]> {
  const folder = folderIn(run);
  return existsSync(folder) ? (await stepsIn(folder)).map((step) => join(folder, nameOf(step))) : [];
}

export interface Loaded {
  readonly path: string;
  readonly parts: Record<string, unknown>;
}

/** Told of a checkpoint that is not whole, and why. */
export type Skipped = (path: string, reason: string) => void;

/** The last of these checkpoints that is whole; null where none is. */
export async function loadNewest(paths: readonly string[], skipped: Skipped): Promise<Loaded | null> {
  for (const path of paths.toReversed()) {
    try {
      return { path, parts: await loadCheckpoint(path) };
    } catch (error) {
      const damaged = (error instanceof NablaError && error.code === "ERR_FORMAT") || isFileError(error);
      if (!damaged) throw error;
      skipped(path, (error as Error).message);
    }
  }
  return null;
}

/** A checkpoint that is on disk. */
export interface Saved {
  readonly step: number;
  readonly path: string;
  readonly bytes: number;
  readonly seconds: number;
  /** The seconds for which the caller had to wait. */
  readonly blocked: number;
}

/** A checkpoint that could not be written; the older ones are as they were. */
export interface Unsaved {
  readonly step: number;
  readonly error: unknown;
}

/** Whether an error is of the file system: no space, no right, a broken disk. */
export const isFileError = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && "code" in error && "syscall" in error;

export class RunFolder {
  readonly path: string;
  private readonly op: string;
  private readonly keep: number;
  /** Steps with a checkpoint, in order. */
  private steps: number[] = [];
  /** The checkpoint from which the run goes on, which is not removed. */
  private resumedFrom: string | null = null;
  private writing: Promise<void> | null = null;
  private readonly done: (Saved | Unsaved)[] = [];
  private lock: FileLock | null = null;
  /** Whether a run in it has begun, and where its warnings go. */
  begun = false;
  warn: (message: string) => void = () => undefined;

  constructor(op: string, path: string, keep: number) {
    this.op = op;
    this.path = path;
    this.keep = keep;
  }

  /** Makes the folder, finds what is in it, and keeps other processes from training into it. */
  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    this.lock = lockFile(this.op, join(this.path, "lock"));
    this.steps = await stepsIn(this.folder);
  }

  /** Where the file system has no locks, a sentence that says so. */
  get warning(): string | null {
    return this.lock?.warning ?? null;
  }
  close(): void {
    this.lock?.release();
    this.lock = null;
  }

  /** The newest checkpoint's step; null where there is none. */
  get newest(): number | null {
    return this.steps.at(-1) ?? null;
  }
  get newestPath(): string | null {
    return this.newest === null ? null : this.pathOf(this.newest);
  }
  pathOf(step: number): string {
    return join(this.folder, nameOf(step));
  }

  /** Removes all checkpoints. */
  async clear(): Promise<void> {
    for (const step of this.steps) await rm(this.pathOf(step), { force: true });
    this.steps = [];
  }

  /** The newest checkpoint that is whole, from which the run goes on; null where there is none. */
  async load(skipped: Skipped): Promise<Loaded | null> {
    const found = await loadNewest(
      this.steps.map((step) => this.pathOf(step)),
      skipped,
    );
    if (found !== null) this.resumedFrom = found.path;
    return found;
  }

  async describe(job: object): Promise<void> {
    const text = `${JSON.stringify(job, null, 2)}\n`;
    await writeAtomically(this.op, join(this.path, "job.json"), [new TextEncoder().encode(text)]);
  }

  /** Begins to write a checkpoint with the values of now; waits for the one before. `best` is never removed. */
  async save(step: number, parts: () => CheckpointParts, best: () => string | null): Promise<void> {
    const start = performance.now();
    await this.writing;
    const written = saveCheckpoint(this.pathOf(step), parts());
    const blocked = (performance.now() - start) / 1000;
    this.writing = this.finish(step, written, best, start, blocked);
  }

  /** Waits for the checkpoint that is being written. */
  async settled(): Promise<void> {
    await this.writing;
  }

  get hasNews(): boolean {
    return this.done.length > 0;
  }
  /** What has been written, or failed to be, since the last call. */
  take(): readonly (Saved | Unsaved)[] {
    return this.done.splice(0);
  }

  private async finish(
    step: number,
    written: Promise<void>,
    best: () => string | null,
    start: number,
    blocked: number,
  ) {
    const path = this.pathOf(step);
    try {
      await written;
      if (!this.steps.includes(step)) this.steps = [...this.steps, step].sort((a, b) => a - b);
      const { size } = await stat(path);
      await this.prune(best());
      this.done.push({ step, path, bytes: size, seconds: (performance.now() - start) / 1000, blocked });
    } catch (error) {
      this.done.push({ step, error });
    }
  }

  /** Removes checkpoints beyond the newest, but neither the best nor the one from which the run goes on. */
  private async prune(best: string | null): Promise<void> {
    const old = this.steps.slice(0, -this.keep).map((step) => [step, this.pathOf(step)] as const);
    const removed = old.filter(([, path]) => path !== best && path !== this.resumedFrom);
    for (const [, path] of removed) await rm(path, { force: true });
    const gone = new Set(removed.map(([step]) => step));
    this.steps = this.steps.filter((step) => !gone.has(step));
  }

  private get folder(): string {
    return folderIn(this.path);
  }
}
