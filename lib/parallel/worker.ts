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
import { runShard, type ShardResult, type ShardTask, stateOf } from "./shard.js";
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

export type WorkerTask = ShardTask & {
  readonly batch: unknown;
  /** Of the main thread's modules, in order. */
  readonly training: readonly boolean[];
  /** For each parameter whether it requires grad. */
  readonly learned: readonly boolean[];
};
/** A job's own error comes back as a value, so that a rejected task always means that the worker is gone. */
export type WorkerReply = ShardResult | { readonly error: PackedError };

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

export default async function run(task: WorkerTask): Promise<WorkerReply> {
  try {
    // piscina hands its own data over as [.., workerData].
    ready ??= prepare((Array.isArray(workerData) ? workerData.at(-1) : workerData) as WorkerSetup);
    const { job, model, parameters, gradients } = await ready;
    model.modules().forEach((m, i) => {
      m.training = task.training[i]!;
    });
    parameters.forEach((p, i) => {
      p.requiresGrad = task.learned[i]!;
    });
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
    return { error: packError(error) };
  }
}
