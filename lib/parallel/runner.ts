/** Computes the shards of a batch; see its subclasses for where. */
import { fail } from "../core/errors.js";
import type { Shard, ShardTask } from "./shard.js";
import type { ShardResult } from "./slots.js";

/** The position of a batch in a run; random numbers of its shards derive from it. */
export type Position = Omit<ShardTask, "shard" | "rows">;

export abstract class Runner {
  private closed = false;

  /** The results of the shards, in their order; what they compute is in their slots. */
  abstract run(batch: unknown, shards: readonly Shard[], position: Position): Promise<readonly ShardResult[]>;

  /** Rejects a running batch with ERR_WORKER. Resolves when all of its threads have ended. */
  async close(): Promise<void> {
    this.closed = true;
  }

  protected refuseClosed(): void {
    if (this.closed) fail("ERR_WORKER", "DataParallel.backward", "closed while it ran");
  }
}
