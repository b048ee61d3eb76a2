/**
 * Combines the results of a batch's shards, in shard order and in native code, so the bits do not depend on who has
 * computed which.
 */
import { defaultFloat } from "../core/dtype.js";
import { defineKernel } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import type { LeafNode } from "../engine/tape.js";
import { empty } from "../tensor/allocate.js";
import type { Tensor } from "../tensor/tensor.js";
import type { ShardResult, Slots } from "./slots.js";

const op = "DataParallel.backward";
const weightedSum = defineKernel<undefined>({ name: "weightedSum", family: "reduce", accuracy: "tree" });

/** A computed shard. */
export interface Share {
  /** Its number of rows. */
  readonly weight: number;
  readonly result: ShardResult;
  readonly slots: Slots;
}

const weightsOf = (shares: readonly Share[]): number[] => shares.map((share) => share.weight);

/** The mean loss over the rows, in the default dtype. */
export const meanLoss = (shares: readonly Share[]): Tensor =>
  shares
    .map(({ weight, slots }) => slots.loss.mul(weight))
    .reduce((sum, loss) => sum.add(loss))
    .to(defaultFloat().name);

/** Sums the shards' gradients into those of the parameters; null for a parameter that no shard depends on. */
export function sumGradients(parameters: readonly Tensor[], shares: readonly Share[]): void {
  const targets: Tensor[] = [];
  const sources: Tensor[] = [];
  const owners: LeafNode[] = [];
  parameters.forEach((p, i) => {
    if (!shares.some(({ result }) => result.used[i])) {
      p.grad = null;
      return;
    }
    for (const { result, slots } of shares) {
      const gradient = slots.gradients[i]!;
      if (!result.used[i]) gradient.assign(0);
      sources.push(gradient);
    }
    targets.push(empty(op, p.type, p.shape));
    owners.push(p.node as LeafNode);
  });
  if (targets.length === 0) return;
  runKernel({ op, row: weightedSum, targets, inputs: sources, attrs: weightsOf(shares) });
  owners.forEach((leaf, i) => {
    leaf.store(targets[i]!);
    targets[i]!.handle.release();
  });
}

/** Buffers changed by shards become the weighted mean over them; integer buffers are taken from the first shard. */
export function averageBuffers(buffers: readonly Tensor[], shares: readonly Share[]): void {
  buffers.forEach((buffer, i) => {
    if (!shares.some(({ result }) => result.written[i])) return;
    for (const { result, slots } of shares)
      if (!result.written[i]) {
        slots.buffers[i]!.assign(buffer);
        slots.changed.narrow(0, i, 1).assign(0);
      }
    const left = shares.map(({ slots }) => slots.buffers[i]!);
    if (buffer.type.kind !== "float") {
      buffer.assign(left[0]!);
      return;
    }
    const mean = empty(op, buffer.type, buffer.shape);
    runKernel({ op, row: weightedSum, targets: [mean], inputs: left, attrs: weightsOf(shares) });
    // The mean of equal numbers may be rounded: what no shard has changed stays as it is.
    const changed = shares.map(({ slots }) => slots.changed.at(i)).reduce((a, b) => a.logicalOr(b));
    buffer.assign(changed.where(mean, buffer));
  });
}
