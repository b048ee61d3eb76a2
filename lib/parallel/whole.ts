/** Gradients of whole batches, in this thread. */
import type { LeafNode } from "../engine/tape.js";
import type { AnyJob } from "../job/job.js";
import type { Loss } from "../job/loss.js";
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Share } from "./combine.js";
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
    const { loss, used, written } = differentiate(work, batch, { ...position, shard: 0, rows }, this.slots, check);
    const gradients = work.parameters.map((p, i) => (used[i] ? contiguous((p.node as LeafNode).peek()!) : null));
    const { value, scale, count, log } = loss;
    const result = { used, written, scale, count, log };
    return [{ rows, result, loss: value.detach().reshape([]), gradients, left: this.slots }];
  }
}

const contiguous = (gradient: Tensor): Tensor => (gradient.layout === null ? gradient : gradient.detach().contiguous());
