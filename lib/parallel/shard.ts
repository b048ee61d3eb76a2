/** One shard of a batch, computed the same way by a worker and inline. */

import { backward } from "../autograd/methods.js";
import { synchronous } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { keyFor } from "../core/random-key.js";
import { leavesOf, mapTree } from "../core/tree.js";
import { withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import type { LeafNode } from "../engine/tape.js";
import type { Module } from "../nn/module.js";
import { type Buffer, replace } from "../nn/parameter.js";
import { assign } from "../ops/in-place.js";
import { defaultGenerator } from "../ops/random.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import type { Job } from "./job.js";
import { timesWritten } from "./share.js";
import type { ShardResult, Slots } from "./slots.js";

/** Some rows of a batch. */
export interface Shard {
  readonly index: number;
  readonly start: number;
  readonly length: number;
  /** Its fraction of the batch's rows. */
  readonly weight: number;
}

/** The nonempty shards of a batch of this size, as equal as possible. */
export function shardsOf(rows: number, count: number): Shard[] {
  const boundary = (index: number): number => Math.floor((rows * index) / count);
  return Array.from({ length: count }, (_, index) => {
    const start = boundary(index);
    const length = boundary(index + 1) - start;
    return { index, start, length, weight: length / rows };
  }).filter(({ length }) => length > 0);
}

/** The number of rows of a batch: the first size of each of its tensors. */
export function rowsOf(batch: unknown): number {
  const tensors = leavesOf(batch, isTensor);
  if (tensors.length === 0) fail("ERR_ARGUMENT", "DataParallel.backward", "the batch holds no tensor");
  const sizes = tensors.map(
    (x) =>
      x.shape[0] ??
      fail("ERR_SHAPE", "DataParallel.backward", "a tensor of the batch has no rows", "rank 1 or more", "rank 0"),
  );
  if (sizes.some((size) => size !== sizes[0]))
    fail("ERR_SHAPE", "DataParallel.backward", "the tensors of the batch differ in rows", undefined, sizes.join(", "));
  if (sizes[0] === 0) fail("ERR_SHAPE", "DataParallel.backward", "the batch is empty", "at least one row", "0");
  return sizes[0]!;
}

/** The rows of one shard, as views. */
export const shardOf = (batch: unknown, { start, length }: Shard): unknown =>
  mapTree(batch, isTensor, (x) => x.detach().narrow(0, start, length));

/** The tensors of a model that threads share, by name. */
export const stateOf = (model: Module): [string, Tensor][] => [...model.namedParameters(), ...model.namedBuffers()];

export interface ShardTask {
  readonly seed: number;
  readonly step: number;
  readonly shard: number;
}

/** Runs f on copies of the model's shared buffers; their final values are written to `slots`. */
function onCopies(buffers: readonly Buffer[], slots: Slots, f: () => Pick<ShardResult, "used">): ShardResult {
  const shared = buffers.map((buffer) => buffer.detach());
  const copies = shared.map((x) => x.clone());
  const before = copies.map(timesWritten);
  buffers.forEach((buffer, i) => {
    replace(buffer, copies[i]!);
  });
  try {
    const { used } = f();
    const written = buffers.map((buffer, i) => {
      const copy = copies[i]!;
      if (buffer.handle === copy.handle && timesWritten(copy) === before[i]) return false;
      const left = buffer.detach();
      assign(slots.buffers[i]!, left);
      assign(slots.changed.narrow(0, i, 1), left.ne(shared[i]!).any());
      return true;
    });
    return { used, written };
  } finally {
    buffers.forEach((buffer, i) => {
      replace(buffer, shared[i]!);
      shared[i]!.dispose();
      copies[i]!.dispose();
    });
  }
}

/**
 * Runs forward and backward on a shard, and writes the loss, the gradients and the model's buffers to `slots`. Random
 * numbers are derived from (seed, step, shard); the model's gradients and the generator are restored.
 */
export function runShard(
  job: Job,
  model: Module,
  batch: unknown,
  task: ShardTask,
  parameters: readonly Tensor[],
  slots: Slots,
): ShardResult {
  const before = parameters.map((p) => p.grad);
  const restore = defaultGenerator.replaceKey(keyFor(task.seed, task.step, task.shard));
  try {
    for (const p of parameters) p.grad = null;
    const buffers = model.buffers();
    const step = () => {
      const loss = needTensor("DataParallel", synchronous("DataParallel", job.loss(model, batch)), "what loss returns");
      if (loss.numel !== 1)
        fail(
          "ERR_SHAPE",
          "DataParallel",
          "loss must return one element",
          "the mean over the rows",
          `shape [${loss.shape.join(", ")}]`,
        );
      if (loss.requiresGrad) backward(loss);
      const used = parameters.map((p, i) => {
        const gradient = (p.node as LeafNode | null)?.peek() ?? null;
        if (gradient !== null) assign(slots.gradients[i]!, gradient);
        return gradient !== null;
      });
      assign(slots.loss, loss.detach().reshape([]));
      return { used };
    };
    return withGrad(true, () => onCopies(buffers, slots, step));
  } finally {
    parameters.forEach((p, i) => {
      p.grad = before[i]!;
    });
    defaultGenerator.replaceKey(restore);
  }
}
