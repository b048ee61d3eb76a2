/** What a worker does for a job: builds its model once, on the main thread's parameters, and computes shards. */
import { packageRoot } from "../core/copy.js";
import { setDefaultDtype } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { mapTree } from "../core/tree.js";
import { addon } from "../native/frame.js";
import { replace } from "../nn/parameter.js";
import type { Tensor } from "../tensor/tensor.js";
import type { PackedError } from "./error.js";
import type { Job } from "./job.js";
import { needModel } from "./job-module.js";
import { runShard, type Shard, type ShardResult, shardOf, stateOf } from "./shard.js";
import { attach, type SharedTensor } from "./share.js";

/** What every worker of a pool is told when it starts. */
export interface WorkerSetup {
  readonly url: string;
  readonly args: unknown;
  readonly dtype: "float32" | "float64";
  /** Parameters and buffers of the main thread's model, by name. */
  readonly state: readonly (readonly [string, SharedTensor])[];
  /** Where shards leave gradients and buffers: by shard, in the order of the parameters, then of the buffers. */
  readonly slots: readonly (readonly SharedTensor[])[];
}

export interface WorkerTask {
  readonly seed: number;
  readonly step: number;
  /** The whole batch. */
  readonly batch: unknown;
  /** The shards that are to be computed, and, shared by all workers, how many of them have been taken. */
  readonly shards: readonly Shard[];
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

/** Calls a function for one shard after the other until all are taken. */
type Each = (compute: (shard: Shard) => ShardResult) => WorkerReply[];
export type Serve = (job: Job, setup: WorkerSetup) => (task: WorkerTask, each: Each) => WorkerReply[];

/**
 * Under which name a job carries {@link serve}, so that a worker computes with the copy of nabla that the job has loaded:
 * loaders may give a job copies of the same files.
 */
export const serveKey = (): symbol => Symbol.for(`nabla.serve ${packageRoot()}`);

export const serve: Serve = (job, setup) => {
  // Workers share the cores among themselves: inside each, kernels run on its own thread.
  addon.threads(1);
  setDefaultDtype(setup.dtype);
  const model = needModel(job.model(setup.args));
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
  const parameters = model.parameters();
  const slots = setup.slots.map((shard) => shard.map(attach));
  return (task, each) => {
    const held: Tensor[] = [];
    try {
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
      const { seed, step } = task;
      return each((shard) => {
        const { index } = shard;
        return runShard(job, model, shardOf(batch, shard), { seed, step, shard: index }, parameters, slots[index]!);
      });
    } finally {
      for (const x of held) x.dispose();
    }
  };
};
