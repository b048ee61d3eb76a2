import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Job } from "./job.js";
import { type Position, Runner } from "./runner.js";
import { runShard, type Shard, shardOf } from "./shard.js";
import type { ShardResult, Slots } from "./slots.js";

/** Computes shards in this thread, each in its own turn of the event loop. */
export class InlineRunner extends Runner {
  private readonly job: Job;
  private readonly model: Module;
  private readonly parameters: readonly Tensor[];
  private readonly slots: readonly Slots[];

  constructor(job: Job, model: Module, parameters: readonly Tensor[], slots: readonly Slots[]) {
    super();
    this.job = job;
    this.model = model;
    this.parameters = parameters;
    this.slots = slots;
  }

  async run(batch: unknown, shards: readonly Shard[], position: Position): Promise<ShardResult[]> {
    const results: ShardResult[] = [];
    for (const shard of shards) {
      const { index } = shard;
      const part = shardOf(batch, shard);
      const task = { ...position, shard: index };
      results.push(runShard(this.job, this.model, part, task, this.parameters, this.slots[index]!));
      await new Promise(setImmediate);
      this.refuseClosed();
    }
    return results;
  }
}
