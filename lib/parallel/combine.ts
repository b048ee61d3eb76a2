/**
 * Combines the results of a batch's shards, in shard order and in native code, so the bits do not depend on who has
 * computed which.
 */
import { defaultFloat } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { defineKernel } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import type { LeafNode } from "../engine/tape.js";
import { type Log, numberOf } from "../job/loss.js";
import { empty } from "../tensor/allocate.js";
import { zerosLike } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import type { ShardResult, Slots } from "./slots.js";

const op = "DataParallel.backward";
/** Each target is the sum of its inputs, which may be the target itself, times the weights. */
export const weightedSum = defineKernel<undefined>({ name: "weightedSum", family: "reduce", accuracy: "tree" });

/** For each parameter its gradient, or null. */
export type Gradients = readonly (Tensor | null)[];

/** A computed shard. */
export interface Share {
  readonly rows: number;
  readonly result: Omit<ShardResult, "used">;
  readonly loss: Tensor;
  readonly gradients: Gradients;
  /** What it has written to the model's buffers. */
  readonly left: Pick<Slots, "buffers" | "changed">;
}

/** The number of terms that the shards have summed. */
export const countOf = (shares: readonly Share[]): number => shares.reduce((sum, { result }) => sum + result.count, 0);

/** What losses and gradients are multiplied with in the mean over `count` terms. */
export function weightsOf(shares: readonly Share[], count: number): number[] {
  if (count === 0) fail("ERR_ARGUMENT", op, "the loss is a mean of nothing", "a count above 0", "0");
  return shares.map(({ result }) => result.scale / count);
}

const rowWeights = (shares: readonly Share[]): number[] => {
  const rows = shares.reduce((sum, share) => sum + share.rows, 0);
  return shares.map((share) => share.rows / rows);
};

/** The weighted sum of the shards' losses, in float64. */
export const sumLosses = (shares: readonly Share[], weights: readonly number[]): Tensor =>
  shares.map((share, i) => share.loss.to("float64").mul(weights[i]!)).reduce((sum, loss) => sum.add(loss));

/** The mean loss, in the default dtype. */
export const meanLoss = (shares: readonly Share[], weights: readonly number[]): Tensor =>
  sumLosses(shares, weights).to(defaultFloat().name);

/** The weighted sum of what the shards log. */
export function sumLogs(shares: readonly Share[], weights: readonly number[]): Log {
  if (shares.length === 1 && weights[0] === 1) return shares[0]!.result.log;
  const sums: Record<string, number> = {};
  shares.forEach(({ result }, i) => {
    for (const [name, value] of Object.entries(result.log))
      sums[name] = (sums[name] ?? 0) + weights[i]! * numberOf(value);
  });
  return sums;
}

/** The weighted sum of gradients by parameter; null for one on which none depends. */
export function weightedGradients(
  parameters: readonly Tensor[],
  terms: readonly Gradients[],
  weights: readonly number[],
): (Tensor | null)[] {
  const sums = parameters.map((p, i) => (terms.some((term) => term[i] !== null) ? empty(op, p.type, p.shape) : null));
  const targets = sums.filter((sum) => sum !== null);
  const inputs = sums.flatMap((sum, i) => (sum === null ? [] : terms.map((term) => term[i] ?? zerosLike(sum))));
  if (targets.length > 0) runKernel({ op, row: weightedSum, targets, inputs, attrs: weights });
  return sums;
}

/** Makes the gradients those of the parameters. */
export function storeGradients(parameters: readonly Tensor[], gradients: Gradients): void {
  parameters.forEach((p, i) => {
    const gradient = gradients[i]!;
    if (gradient === null) {
      p.grad = null;
      return;
    }
    (p.node as LeafNode).store(gradient);
    gradient.handle.release();
  });
}

/** Buffers changed by shards become the weighted mean over them; integer buffers are taken from the first shard. */
export function averageBuffers(buffers: readonly Tensor[], shares: readonly Share[]): void {
  buffers.forEach((buffer, i) => {
    if (!shares.some(({ result }) => result.written[i])) return;
    for (const { result, left } of shares)
      if (!result.written[i]) {
        left.buffers[i]!.assign(buffer);
        left.changed.narrow(0, i, 1).assign(0);
      }
    const values = shares.map(({ left }) => left.buffers[i]!);
    if (buffer.type.kind !== "float") {
      buffer.assign(values[0]!);
      return;
    }
    const mean = empty(op, buffer.type, buffer.shape);
    runKernel({ op, row: weightedSum, targets: [mean], inputs: values, attrs: rowWeights(shares) });
    // The mean of equal numbers may be rounded: what no shard has changed stays as it is.
    const changed = shares.map(({ left }) => left.changed.at(i)).reduce((a, b) => a.logicalOr(b));
    buffer.assign(changed.where(mean, buffer));
  });
}
