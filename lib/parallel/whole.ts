/** Gradients of whole batches, in this thread. */
import type { LeafNode } from "../engine/tape.js";
import type { AnyJob } from "../job/job.js";
import type { Loss } from "../job/loss.js";
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Gradients, Share } from "./combine.js";
import type { Position } from "./runner.js";
import { differentiate, rowsOf, type Work } from "./shard.js";
import { makeSlots, type Slots } from "./slots.js";

/** Computes batches as one shard, whose gradients stay where backward leaves them: in the parameters. */
export class Whole {
  private readonly work: Work;
  private readonly slots: Slots;

  constructor(job: AnyJob, model: Module) {
    this.work = { job, model, parameters: model.parameters(), buffers: model.buffers() };
    this.slots = makeSlots(1, [], this.work.buffers)[0]!;
  }

  /** `check` gets the loss before anything is differentiated. */
  run(batch: unknown, position: Position, check?: (loss: Loss) => void): readonly Share[] {
    const { work } = this;
    const rows = rowsOf(batch);
    const { loss, written } = differentiate(work, batch, { ...position, shard: 0, rows }, this.slots, check);
    const { value, scale, count, log } = loss;
    return [new WholeShare(rows, value.detach(), { written, scale, count, log }, work.parameters, this.slots)];
  }
}

/** A batch as a shard. */
class WholeShare implements Share {
  readonly rows: number;
  readonly loss: Tensor;
  readonly result: Share["result"];
  readonly left: Share["left"];
  private readonly parameters: readonly Tensor[];

  constructor(rows: number, loss: Tensor, result: Share["result"], parameters: readonly Tensor[], left: Share["left"]) {
    this.rows = rows;
    this.loss = loss.ndim === 0 ? loss : loss.reshape([]);
    this.result = result;
    this.parameters = parameters;
    this.left = left;
  }

  get gradients(): Gradients {
    return this.parameters.map((p) => {
      const gradient = (p.node as LeafNode | null)?.peek() ?? null;
      return gradient === null ? null : contiguous(gradient);
    });
  }
}

const contiguous = (gradient: Tensor): Tensor => (gradient.layout === null ? gradient : gradient.detach().contiguous());
