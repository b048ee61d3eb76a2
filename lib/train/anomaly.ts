import { detectAnomaly } from "../autograd/anomaly.js";
import { NablaError } from "../core/errors.js";
import type { AnyJob } from "../job/job.js";
import type { Module } from "../nn/module.js";
import type { Position } from "../parallel/runner.js";
import { differentiate, rowsOf, shardOf, shardsOf } from "../parallel/shard.js";
import { makeSlots } from "../parallel/slots.js";

/** The first op that makes a NaN or an infinity in a batch, as a sentence; null where none does. */
export function anomalyIn(
  job: AnyJob,
  model: Module,
  batch: unknown,
  shards: number,
  position: Position,
): string | null {
  const work = { job, model, parameters: model.parameters(), buffers: model.buffers() };
  const slots = makeSlots(1, [], work.buffers)[0]!;
  try {
    for (const shard of shardsOf(rowsOf(batch), shards)) {
      const task = { ...position, shard: shard.index, rows: shard.length };
      detectAnomaly(() => void differentiate(work, shardOf(batch, shard), task, slots));
    }
    return null;
  } catch (error) {
    if (error instanceof NablaError && error.code === "ERR_GRADIENT") return error.message;
    throw error;
  }
}
