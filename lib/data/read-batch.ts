/** From the numbers of samples to a batch of them. */
import { collate } from "./collate.js";
import type { Dataset } from "./dataset.js";
import { atSample, Context } from "./sample.js";
import { rowsOf } from "./subset.js";

/** Makes a batch of samples; null stands for the usual way. */
export type Collate = ((samples: never[]) => unknown) | null;

/** A batch in an epoch. */
export interface BatchPlan {
  readonly indices: Int32Array;
  readonly seed: number;
  readonly epoch: number;
}

/** A sample, or a promise of it; its errors name it. */
function read(dataset: Dataset<unknown>, index: number, { seed, epoch }: BatchPlan): unknown {
  try {
    return dataset.at(index, new Context(seed, epoch, index));
  } catch (error) {
    throw atSample(error, index);
  }
}

const join = (samples: unknown[], by: Collate): unknown => (by === null ? collate(samples) : by(samples as never[]));

/** A batch of a data set of tensors, by one indexSelect per tensor. */
const rows = (dataset: Dataset<unknown>, { indices }: BatchPlan, by: Collate): unknown =>
  by === null ? rowsOf(dataset, indices) : undefined;

/** A batch of a data set that answers with samples; `promised` throws where it answers with a promise. */
export function readBatch(dataset: Dataset<unknown>, plan: BatchPlan, by: Collate, promised: () => never): unknown {
  const sample = (index: number): unknown => {
    const found = read(dataset, index, plan);
    if (!isPromise(found)) return found;
    Promise.resolve(found).catch(() => undefined);
    return promised();
  };
  return rows(dataset, plan, by) ?? join(Array.from(plan.indices, sample), by);
}

/** The same of a data set that may answer with promises; all samples are asked for at once. */
export async function readBatchAsync(dataset: Dataset<unknown>, plan: BatchPlan, by: Collate): Promise<unknown> {
  const whole = rows(dataset, plan, by);
  if (whole !== undefined) return whole;
  const samples = await Promise.all(
    Array.from(plan.indices, async (index) => {
      try {
        return await dataset.at(index, new Context(plan.seed, plan.epoch, index));
      } catch (error) {
        throw atSample(error, index);
      }
    }),
  );
  return join(samples, by);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
