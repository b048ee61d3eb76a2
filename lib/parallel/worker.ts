/** What runs in a piscina worker: builds the job's model once, on the main thread's parameters, and computes shards. */
import { workerData } from "node:worker_threads";
import { mapTree } from "../core/tree.js";
import { setDefaultDtype } from "../core/dtype.js";
import "../index.js";
import { addon } from "../native/frame.js";
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Job, jobOf } from "./job.js";
import { attach, attachInto, type SharedTensor } from "./share.js";
import { runShard, type ShardResult, type ShardTask } from "./shard.js";

/** What every worker of a pool is told when it starts. */
export interface WorkerSetup {
  readonly url: string;
  readonly args: unknown;
  readonly dtype: "float32" | "float64";
  /** Parameters and buffers of the main thread's model, by name. */
  readonly state: Readonly<Record<string, SharedTensor>>;
  /** The gradient buffers, by shard, in the order of the parameters. */
  readonly gradients: readonly (readonly SharedTensor[])[];
}

export type WorkerTask = ShardTask & { readonly batch: unknown };
/** A job's own error comes back as a value, so that a rejected task always means that the worker is gone. */
export type WorkerReply = ShardResult | { readonly error: unknown };

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
  for (const [name, x] of [...model.namedParameters(), ...model.namedBuffers()]) attachInto(x, setup.state[name]!);
  return { job, model, parameters: model.parameters(), gradients: setup.gradients.map((shard) => shard.map(attach)) };
}

export default async function run(task: WorkerTask): Promise<WorkerReply> {
  try {
    // piscina hands its own data over as [.., workerData].
    ready ??= prepare((Array.isArray(workerData) ? workerData.at(-1) : workerData) as WorkerSetup);
    const { job, model, parameters, gradients } = await ready;
    const held: Tensor[] = [];
    const batch = mapTree(task.batch, isShared, (shared) => {
      const x = attach(shared);
      held.push(x);
      return x;
    });
    try {
      return runShard(job, model, batch, task, parameters, gradients[task.shard]!);
    } finally {
      for (const x of held) x.dispose();
    }
  } catch (error) {
    return { error };
  }
}
