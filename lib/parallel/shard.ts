/** One shard of a batch, computed the same way by a worker and inline. */

import { backward } from "../autograd/methods.js";
import { fail } from "../core/errors.js";
import { keyFor } from "../core/random-key.js";
import { leavesOf, mapTree } from "../core/tree.js";
import { withGrad } from "../engine/modes.js";
import type { LeafNode } from "../engine/tape.js";
import type { AnyJob } from "../job/job.js";
import { type Loss, lossOf, numberOf } from "../job/loss.js";
import type { Module } from "../nn/module.js";
import { type Buffer, replace } from "../nn/parameter.js";
import { assign } from "../ops/in-place.js";
import { defaultGenerator } from "../ops/random.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { timesWritten } from "./share.js";
import type { ShardResult, Slots } from "./slots.js";

/** Some rows of a batch. */
export interface Shard {
  readonly index: number;
  readonly start: number;
  readonly length: number;
}

/** The nonempty shards of a batch of this size, as equal as possible. */
export function shardsOf(rows: number, count: number): Shard[] {
  const boundary = (index: number): number => Math.floor((rows * index) / count);
  return Array.from({ length: count }, (_, index) => {
    const start = boundary(index);
    const length = boundary(index + 1) - start;
    return { index, start, length };
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
  /** The number of rows. */
  readonly rows: number;
}

interface Passed extends Pick<ShardResult, "written"> {
  readonly loss: Loss;
}

const none: readonly boolean[] = [];

/** Runs f on copies of the model's shared buffers; their final values are written to `slots`. */
function onCopies(buffers: readonly Buffer[], slots: Pick<Slots, "buffers" | "changed">, f: () => Loss): Passed {
  if (buffers.length === 0) return { loss: f(), written: none };
  const shared = buffers.map((buffer) => buffer.detach());
  const copies = shared.map((x) => x.clone());
  const before = copies.map(timesWritten);
  buffers.forEach((buffer, i) => {
    replace(buffer, copies[i]!);
  });
  try {
    const loss = f();
    const written = buffers.map((buffer, i) => {
      const copy = copies[i]!;
      if (buffer.handle === copy.handle && timesWritten(copy) === before[i]) return false;
      const left = buffer.detach();
      assign(slots.buffers[i]!, left);
      assign(slots.changed.narrow(0, i, 1), left.ne(shared[i]!).any());
      return true;
    });
    return { loss, written };
  } finally {
    buffers.forEach((buffer, i) => {
      replace(buffer, shared[i]!);
      shared[i]!.dispose();
      copies[i]!.dispose();
    });
  }
}

/** What is computed: some rows, with a model whose parameters and buffers are listed. */
export interface Work {
  readonly job: AnyJob;
  readonly model: Module;
  readonly parameters: readonly Tensor[];
  readonly buffers: readonly Buffer[];
}

/**
 * Runs forward and backward on some rows. Leaves the gradients in the parameters, and what the model wrote to its buffers
 * in `slots`. Random numbers are derived from (seed, step, shard), and the generator is restored. `check` gets the loss
 * before anything is differentiated.
 */
export function differentiate(
  { job, model, parameters, buffers }: Work,
  batch: unknown,
  task: ShardTask,
  slots: Pick<Slots, "buffers" | "changed">,
  check?: (loss: Loss) => void,
): Passed {
  const restore = defaultGenerator.replaceKey(keyFor(task.seed, task.step, task.shard));
  try {
    for (const p of parameters) p.grad = null;
    const pass = (): Loss => {
      const loss = lossOf("DataParallel", job.loss(model, batch), task.rows, job.metrics !== undefined);
      check?.(loss);
      if (loss.value.requiresGrad) backward(loss.value);
      return loss;
    };
    return withGrad(true, () => onCopies(buffers, slots, pass));
  } finally {
    defaultGenerator.replaceKey(restore);
  }
}

/** Computes a shard: writes the loss, the gradients and the buffers to `slots`, and restores the model's gradients. */
export function runShard(work: Work, batch: unknown, task: ShardTask, slots: Slots): ShardResult {
  const { parameters } = work;
  const before = parameters.map((p) => p.grad);
  try {
    const { loss, written } = differentiate(work, batch, task, slots);
    const used = parameters.map((p, i) => {
      const gradient = (p.node as LeafNode | null)?.peek() ?? null;
      if (gradient !== null) assign(slots.gradients[i]!, gradient);
      return gradient !== null;
    });
    assign(slots.loss, loss.value.detach().reshape([]));
    const { scale, count } = loss;
    const log = Object.fromEntries(Object.entries(loss.log).map(([name, value]) => [name, numberOf(value)]));
    return { used, written, scale, count, log };
  } finally {
    parameters.forEach((p, i) => {
      p.grad = before[i]!;
    });
  }
}
