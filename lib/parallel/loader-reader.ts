/** Reads batches in worker threads; their tensors stay where the worker made them, in memory of the process. */
import { getDefaultDtype } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { mapTree } from "../core/tree.js";
import type { BatchReader, ReaderSetup } from "../data/loader-workers.js";
import type { BatchPlan } from "../data/read-batch.js";
import { type PackedError, unpackError } from "./error.js";
import { Pool } from "./pool.js";
import { attach, isShared, type SharedTensor } from "./share.js";

export interface LoaderSetup extends ReaderSetup {
  readonly worker: "./loader-worker.js";
  readonly dtype: "float32" | "float64";
}

/** Errors of the data set are returned as values, so a rejected task always means that the worker died. */
export type LoaderReply = { readonly batch: unknown } | { readonly error: PackedError };

/** How often a batch is read again when workers die. */
const ATTEMPTS = 3;
const op = "DataLoader";

export class LoaderReader implements BatchReader {
  private readonly count: number;
  private readonly setup: ReaderSetup;
  private pool: Pool<BatchPlan, LoaderReply> | null = null;
  private closed = false;

  constructor(count: number, setup: ReaderSetup) {
    this.count = count;
    this.setup = setup;
  }

  async read(plan: BatchPlan): Promise<unknown> {
    let lost: Error | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      let reply: LoaderReply;
      try {
        reply = await this.openPool().run(plan);
      } catch (error) {
        // Batches that were read ahead end with the threads.
        if (this.closed) return fail("ERR_WORKER", op, "the loader was closed while it read a batch");
        lost = error as Error;
        continue;
      }
      if ("error" in reply) throw unpackError(reply.error);
      return mapTree(reply.batch, isShared, (shared) => attach(shared as SharedTensor));
    }
    const message = `workers keep dying; the last one said: ${lost?.message}`;
    return fail("ERR_WORKER", op, message, undefined, undefined, { cause: lost });
  }

  private openPool(): Pool<BatchPlan, LoaderReply> {
    if (this.pool !== null && !this.pool.ended) return this.pool;
    const setup: LoaderSetup = {
      ...this.setup,
      worker: "./loader-worker.js",
      dtype: getDefaultDtype() as "float32" | "float64",
    };
    this.pool = new Pool(this.count, setup);
    return this.pool;
  }

  /** Ends the threads, for good. */
  async close(): Promise<void> {
    this.closed = true;
    await this.pool?.close();
  }
}
