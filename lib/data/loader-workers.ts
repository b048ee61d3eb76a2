/** Threads that read batches, as a loader sees them. lib/parallel, which is above, makes them. */
import { needInteger, refuse } from "../core/arguments.js";
import { checkOptions } from "../core/options.js";
import { type FilePath, pathOf } from "../core/path.js";
import type { BatchPlan } from "./read-batch.js";

export interface LoaderWorkers {
  /** The number of threads. */
  readonly count: number;
  /**
   * The `file:` URL of a module that each thread imports. Its default export is the same data set as the loader's, or a
   * function of `args` that gives it or a promise of it.
   */
  readonly module: FilePath;
  /** Plain data for that function. */
  readonly args?: unknown;
}

/** Where the data set comes from, and what is to be made of its samples. */
export interface ReaderSetup {
  readonly url: string;
  readonly args: unknown;
  /** The number of samples that the data set must have. */
  readonly length: number;
  /** Whether samples are collated there, or returned as they are. */
  readonly collates: boolean;
}

/** Reads batches in other threads. */
export interface BatchReader {
  read(plan: BatchPlan): Promise<unknown>;
  close(): Promise<void>;
}

type Make = (count: number, setup: ReaderSetup) => BatchReader;
let make: Make | null = null;

/** @internal Says how readers are made. */
export function setReaderMaker(maker: Make): void {
  make = maker;
}

export const readerOf: Make = (count, setup) => make!(count, setup);

/** ERR_ARGUMENT unless these are workers. */
export function needWorkers(op: string, workers: LoaderWorkers): LoaderWorkers & { readonly url: string } {
  const { count, module, args } = checkOptions<LoaderWorkers>(op, workers, ["count", "module", "args"]);
  needInteger(op, "workers.count", count, 1);
  const href = typeof module === "object" && module !== null ? module.href : module;
  if (typeof href !== "string" || !href.startsWith("file:"))
    refuse(op, "workers.module", 'a file: URL, such as new URL("./data.js", import.meta.url)', href);
  pathOf(op, { href: href as string });
  return { count: count!, module: href as string, url: href as string, args };
}
