/** The loss and the metrics of data sets. */
import { fail } from "../core/errors.js";
import { keyFor } from "../core/random-key.js";
import type { AnyJob } from "../job/job.js";
import { type Loss, lossOf, numberOf, type SumAndCount } from "../job/loss.js";
import { inference } from "../nn/inference.js";
import type { Module } from "../nn/module.js";
import { defaultGenerator } from "../ops/random.js";
import { rowsOf } from "../parallel/shard.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import type { EvaluatedSet } from "./loaders.js";

/** A sum over terms, and their number. */
class Mean {
  private sum = 0;
  private count = 0;
  add(sum: number, count: number): void {
    this.sum += sum;
    this.count += count;
  }
  get value(): number {
    return this.sum / this.count;
  }
}

/** The sum and the count of what a metric gave for some rows. */
function termsOf(op: string, name: string, given: Tensor | number | SumAndCount, rows: number): [number, number] {
  if (typeof given === "number") return [given * rows, rows];
  if (isTensor(given))
    return given.ndim === 0 ? [given.item() * rows, rows] : [given.to("float64").sum().item(), given.numel];
  const sum = numberOf(given?.sum as Tensor);
  const count = numberOf(given?.count);
  if (typeof sum === "number" && typeof count === "number") return [sum, count];
  return fail(
    "ERR_ARGUMENT",
    op,
    `the metric ${name} gives no number`,
    "a tensor with a value for each row, their mean, or { sum, count }",
  );
}

export interface Evaluation {
  readonly op: string;
  readonly job: AnyJob;
  readonly model: Module;
  /** The seed of random numbers in losses and metrics. */
  readonly seed: number;
  /** Runs a function with the weights that are evaluated. */
  readonly weights: <T>(f: () => T) => T;
  /** Gets the next batch; null to give up. */
  readonly next: (iterator: AsyncIterator<unknown>) => Promise<IteratorResult<unknown> | null>;
}

/** The metrics of sets, by names such as `test.loss`; null if it was given up. Each set is read from its start. */
export async function evaluate(
  { op, job, model, seed, weights, next }: Evaluation,
  sets: ReadonlyMap<string, EvaluatedSet>,
): Promise<Record<string, number> | null> {
  const metrics = Object.entries(job.metrics ?? {});
  const found: Record<string, number> = {};
  for (const [set, { loader, start }] of sets) {
    const means = new Map(["loss", ...metrics.map(([name]) => name)].map((name) => [name, new Mean()]));
    let position = 0;
    loader.loadStateDict(start as never);
    const iterator = loader[Symbol.asyncIterator]();
    for (;;) {
      const result = await next(iterator);
      if (result === null) {
        // Not awaited: a loader that waits itself would hold up the end.
        iterator.return?.().catch(() => undefined);
        return null;
      }
      if (result.done) break;
      const batch: unknown = result.value;
      const rows = rowsOf(batch);
      // Not from the generator of the run, whose state is the same whether there was an evaluation or not.
      const restore = defaultGenerator.replaceKey(keyFor(seed, 0, position++));
      try {
        const measure = () => {
          const { value, scale, count, output }: Loss = lossOf(op, job.loss(model, batch), rows, metrics.length > 0);
          means.get("loss")!.add(value.item() * scale, count);
          for (const [name, metric] of metrics) means.get(name)!.add(...termsOf(op, name, metric(output, batch), rows));
        };
        weights(() => inference(model, measure));
      } finally {
        defaultGenerator.replaceKey(restore);
      }
    }
    if (position === 0) fail("ERR_ARGUMENT", op, `an evaluation of ${set} has no batch`, "at least one");
    for (const [name, mean] of means) found[`${set}.${name}`] = mean.value;
  }
  return found;
}
