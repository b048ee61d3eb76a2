/** What runs in a piscina worker: builds the job's model once, on the main thread's parameters, and computes shards. */
import { workerData } from "node:worker_threads";
import { setDefaultDtype } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { mapTree } from "../core/tree.js";
import "../index.js";
import { addon } from "../native/frame.js";
import type { Module } from "../nn/module.js";
import { replace } from "../nn/parameter.js";
import type { Tensor } from "../tensor/tensor.js";
import { type PackedError, packError } from "./error.js";
import { type Job, jobOf } from "./job.js";
import { runShard, type ShardResult, shardOf, stateOf } from "./shard.js";
import { attach, type SharedTensor } from "./share.js";

/** What every worker of a pool is told when it starts. */
export interface WorkerSetup {
  readonly url: string;
  readonly args: unknown;
  readonly dtype: "float32" | "float64";
  /** Parameters and buffers of the main thread's model, by name. */
  readonly state: readonly (readonly [string, SharedTensor])[];
  /** The gradient buffers, by shard, in the order of the parameters. */
  readonly gradients: readonly (readonly SharedTensor[])[];
}

export interface WorkerTask {
  readonly seed: number;
  readonly step: number;
  /** The whole batch, its rows, and into how many shards it is cut. */
  readonly batch: unknown;
  readonly rows: number;
  readonly count: number;
  /** The shards that are to be computed, and, shared by all workers, how many of them have been taken. */
  readonly shards: readonly number[];
  readonly taken: Int32Array;
  /** Of the main thread's modules, in order. */
  readonly training: readonly boolean[];
  /** For each parameter whether it requires grad. */
  readonly learned: readonly boolean[];
}
/** A job's own error comes back as a value, so that a rejected task always means that the worker is gone. */
export type WorkerReply = { readonly shard: number } & (ShardResult | { readonly error: PackedError });

const isShared = (value: unknown): value is SharedTensor =>
  typeof value === "object" && value !== null && (value as SharedTensor).nabla === "tensor";

interface Ready {
  readonly job: Job;
  readonly model: Module;
  readonly parameters: readonly Tensor[];
  readonly gradients: readonly (readonly Tensor[])[];
}
let ready: Promise<Ready> | null = null;

async function prepare(setup: WorkerSetup): Promise<Ready> {
  // Workers share the cores among themselves: inside each, kernels run on its own thread.
  addon.threads(1);
  setDefaultDtype(setup.dtype);
  const job = jobOf(await import(setup.url), setup.url);
  const model = job.model(setup.args);
  const own = stateOf(model);
  if (own.map(([name]) => name).join() !== setup.state.map(([name]) => name).join())
    fail(
      "ERR_ARGUMENT",
      "DataParallel",
      "the job's model has other parameters in a worker",
      setup.state.map(([name]) => name).join(", "),
      own.map(([name]) => name).join(", "),
    );
  own.forEach(([name, x], i) => {
    const main = setup.state[i]![1];
    if (!sameShape(x.shape, main.shape))
      fail(
        "ERR_ARGUMENT",
        "DataParallel",
        `the job's model has another ${name} in a worker`,
        showShape(main.shape),
        showShape(x.shape),
      );
    replace(x, attach(main));
  });
  return { job, model, parameters: model.parameters(), gradients: setup.gradients.map((shard) => shard.map(attach)) };
}

/** Computes shards, one after the other, until all are taken. */
export default async function run(task: WorkerTask): Promise<WorkerReply[]> {
  const held: Tensor[] = [];
  const replies: WorkerReply[] = [];
  const each = (compute: (shard: number) => ShardResult): WorkerReply[] => {
    for (;;) {
      const shard = task.shards[Atomics.add(task.taken, 0, 1)];
      if (shard === undefined) return replies;
      try {
        replies.push({ shard, ...compute(shard) });
      } catch (error) {
        replies.push({ shard, error: packError(error) });
      }
    }
  };
  try {
    // piscina hands its own data over as [.., workerData].
    ready ??= prepare((Array.isArray(workerData) ? workerData.at(-1) : workerData) as WorkerSetup);
    const { job, model, parameters, gradients } = await ready;
    const batch = mapTree(task.batch, isShared, (shared) => {
      const x = attach(shared);
      held.push(x);
      return x;
    });
    model.modules().forEach((m, i) => {
      m.training = task.training[i]!;
    });
    parameters.forEach((p, i) => {
      p.requiresGrad = task.learned[i]!;
    });
    const { seed, step, rows, count } = task;
    return each((shard) =>
      runShard(job, model, shardOf(batch, rows, count, shard), { seed, step, shard }, parameters, gradients[shard]!),
    );
  } catch (error) {
    return each(() => {
      throw error;
    });
  } finally {
    for (const x of held) x.dispose();
  }
}
