import { fail } from "../core/errors.js";
import { mapTree } from "../core/tree.js";
import type { Module } from "../nn/module.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { unpackError } from "./error.js";
import { Pool } from "./pool.js";
import { type Position, Runner } from "./runner.js";
import type { WorkerReply, WorkerSetup, WorkerTask } from "./serve.js";
import { type Shard, stateOf } from "./shard.js";
import { lend } from "./share.js";
import type { ShardResult, Slots } from "./slots.js";

/** How often a shard is recomputed when workers die. */
const ATTEMPTS = 5;
const op = "DataParallel.backward";

/** Computes shards in worker threads that share the parameters and the slots. */
export class WorkerRunner extends Runner {
  private readonly workers: number;
  private readonly job: Pick<WorkerSetup, "url" | "args" | "dtype">;
  private readonly model: Module;
  private readonly parameters: readonly Tensor[];
  private readonly slots: readonly Slots[];
  private pool: Pool<WorkerTask, WorkerReply[]> | null = null;

  constructor(
    workers: number,
    job: Pick<WorkerSetup, "url" | "args" | "dtype">,
    model: Module,
    parameters: readonly Tensor[],
    slots: readonly Slots[],
  ) {
    super();
    this.workers = workers;
    this.job = job;
    this.model = model;
    this.parameters = parameters;
    this.slots = slots;
  }

  /**
   * Sends each worker one message; workers then take shards until none is left, as a message for each shard takes longer.
   * Shards taken by a worker that died are recomputed by the others.
   */
  async run(batch: unknown, shards: readonly Shard[], position: Position): Promise<ShardResult[]> {
    const replies = new Map<number, WorkerReply>();
    let lost: Error | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const pool = await this.wholePool();
      const missing = shards.filter(({ index }) => !replies.has(index));
      const task = {
        ...position,
        shards: missing,
        taken: new Int32Array(new SharedArrayBuffer(4)),
        training: this.model.modules().map((m) => m.training),
        learned: this.parameters.map((p) => p.requiresGrad),
      };
      const settled = await Promise.allSettled(
        missing.slice(0, this.workers).map(() => pool.run({ ...task, batch: mapTree(batch, isTensor, lend) })),
      );
      this.refuseClosed();
      for (const outcome of settled) {
        if (outcome.status === "fulfilled") for (const reply of outcome.value) replies.set(reply.shard, reply);
        else lost = cause(lost, died(outcome.reason as Error));
      }
      if (replies.size === shards.length)
        return shards.map(({ index }) => {
          const reply = replies.get(index)!;
          if ("error" in reply) throw unpackError(reply.error);
          return reply;
        });
    }
    const message = `workers keep dying; the last one said: ${lost?.message}`;
    return fail("ERR_WORKER", op, message, undefined, undefined, { cause: lost });
  }

  override async close(): Promise<void> {
    await super.close();
    await this.pool?.close();
  }

  /**
   * A pool that accepts tasks: the current one, or a new one once all threads of a failed one have ended, as they may
   * still write.
   */
  private async wholePool(): Promise<Pool<WorkerTask, WorkerReply[]>> {
    if (this.pool?.ended) {
      await this.pool.close();
      this.pool = null;
    }
    this.refuseClosed();
    if (this.pool !== null) return this.pool;
    const setup: WorkerSetup = {
      worker: "./worker.js",
      ...this.job,
      state: stateOf(this.model).map(([name, x]) => [name, lend(x)]),
      slots: this.slots.map((shard) => mapTree(shard, isTensor, lend)),
    };
    this.pool = new Pool(Math.min(this.workers, this.slots.length), setup);
    return this.pool;
  }
}

/** Of two errors the later, unless it says only that the pool has ended after another one. */
const cause = (before: Error | undefined, error: Error): Error =>
  before !== undefined && error.message === "Terminating worker thread" ? before : error;

/**
 * The error of a worker that died, which is not an error of the job: its shards are recomputed and their buffers
 * overwritten. Throws if the batch could not be sent.
 */
function died(error: Error): Error {
  if (error.name === "DataCloneError")
    fail("ERR_ARGUMENT", op, "the batch cannot cross a thread", "tensors and plain data", error.message);
  return error;
}
