/**
 * Combines the results of a batch's shards, in shard order and in native code, so the bits do not depend on the number
 * of workers.
 */

import { defineKernel } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import type { LeafNode } from "../engine/tape.js";
import { empty } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import type { ShardResult } from "./shard.js";

const op = "DataParallel.backward";
const weightedSum = defineKernel<undefined>({ name: "weightedSum", family: "reduce", accuracy: "tree" });

/** A computed shard. */
export interface Share {
  /** Its number of rows. */
  readonly weight: number;
  readonly result: ShardResult;
  /** Gradients in the order of the parameters, then the model's buffers. */
  readonly slots: readonly Tensor[];
}

const weightsOf = (shares: readonly Share[]): number[] => shares.map((share) => share.weight);

/** The mean loss over the rows. */
export const meanLoss = (shares: readonly Share[]): number =>
  shares.reduce((sum, { weight, result }) => sum + result.loss * weight, 0);

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
      const gradient = slots[i]!;
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
export function averageBuffers(buffers: readonly Tensor[], shares: readonly Share[], parameters: number): void {
  buffers.forEach((buffer, i) => {
    if (!shares.some(({ result }) => result.moved[i])) return;
    const left = shares.map(({ slots }) => slots[parameters + i]!);
    if (buffer.type.kind !== "float") buffer.assign(left[0]!);
    else runKernel({ op, row: weightedSum, targets: [buffer], inputs: left, attrs: weightsOf(shares) });
  });
}
