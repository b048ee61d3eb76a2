/** Gradients of batches by shards. */
import { getDefaultDtype } from "../core/dtype.js";
import type { AnyJob } from "../job/job.js";
import type { Module } from "../nn/module.js";
import type { Handle } from "../tensor/handle.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Share } from "./combine.js";
import { InlineRunner } from "./inline-runner.js";
import type { Position, Runner } from "./runner.js";
import { rowsOf, shardsOf, stateOf } from "./shard.js";
import { makeSlots, type Slots } from "./slots.js";
import { WorkerRunner } from "./worker-runner.js";

export interface ShardedOptions {
  readonly workers: number;
  readonly shards: number;
  /** What workers load, and build their model with. */
  readonly module: { readonly url: string; readonly args: unknown } | null;
}

/** Splits batches into shards, and computes their gradients in this thread or in workers. */
export class Sharded {
  private readonly job: AnyJob;
  private readonly model: Module;
  private readonly options: ShardedOptions;
  /** The model's, as of the last run. */
  parameters: readonly Tensor[] = [];
  private readonly dtype = getDefaultDtype() as "float32" | "float64";
  /** The parameters that the workers know; {@link prepare} compares it with the model's. */
  private handles: readonly Handle[] = [];
  /** Shared output buffers, by shard. */
  private slots: readonly Slots[] = [];
  private runner: Runner | null = null;
  private closed = false;

  constructor(job: AnyJob, model: Module, options: ShardedOptions) {
    this.job = job;
    this.model = model;
    this.options = options;
  }

  /** Computes the shards of a batch, in their order. The next run overwrites what is in their slots. */
  async run(batch: unknown, position: Position): Promise<readonly Share[]> {
    const rows = rowsOf(batch);
    const runner = await this.prepare();
    if (this.closed) await runner.close();
    const shards = shardsOf(rows, this.options.shards);
    const results = await runner.run(batch, shards, position);
    return shards.map(({ index, length }, i) => {
      const result = results[i]!;
      const left = this.slots[index]!;
      const gradients = left.gradients.map((gradient, k) => (result.used[k] ? gradient : null));
      return { rows: length, result, loss: left.loss, gradients, left };
    });
  }

  /** Ends the workers; a running batch is rejected with ERR_WORKER. */
  async close(): Promise<void> {
    this.closed = true;
    await this.runner?.close();
  }

  /** Makes the output buffers and what runs shards; if the model's parameters have been replaced, once more. */
  private async prepare(): Promise<Runner> {
    const { job, model, dtype } = this;
    const state = stateOf(model).map(([, x]) => x.handle);
    const same = state.length === this.handles.length && state.every((handle, i) => handle === this.handles[i]);
    if (this.runner !== null && same) return this.runner;
    await this.runner?.close();
    this.handles = state;
    this.parameters = model.parameters();
    const work = { job, model, parameters: this.parameters, buffers: model.buffers() };
    this.slots = makeSlots(this.options.shards, work.parameters, work.buffers);
    const { workers, module } = this.options;
    this.runner =
      workers === 0 || module === null
        ? new InlineRunner(work, this.slots)
        : new WorkerRunner(workers, { ...module, dtype }, model, this.parameters, this.slots);
    return this.runner;
  }
}
