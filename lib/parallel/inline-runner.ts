import { breather } from "../core/breather.js";
import { type Position, Runner } from "./runner.js";
import { runShard, type Shard, shardOf, type Work } from "./shard.js";
import type { ShardResult, Slots } from "./slots.js";

/** Computes shards in this thread; between two, other work of the thread has its turn. */
export class InlineRunner extends Runner {
  private readonly work: Work;
  private readonly slots: readonly Slots[];
  private readonly pause = breather(5);

  constructor(work: Work, slots: readonly Slots[]) {
    super();
    this.work = work;
    this.slots = slots;
  }

  async run(batch: unknown, shards: readonly Shard[], position: Position): Promise<ShardResult[]> {
    const results: ShardResult[] = [];
    for (const shard of shards) {
      const { index, length } = shard;
      const task = { ...position, shard: index, rows: length };
      results.push(runShard(this.work, shardOf(batch, shard), task, this.slots[index]!));
      await this.pause();
      this.refuseClosed();
    }
    return results;
  }
}
