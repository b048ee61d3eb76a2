/** A worker's part: builds the job's model once, on the main thread's parameters, and computes shards. */
import { packageRoot } from "../core/copy.js";
import { setDefaultDtype } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { mapTree } from "../core/tree.js";
import type { Job } from "../job/job.js";
import { needModel } from "../job/job-module.js";
import { addon } from "../native/frame.js";
import { replace } from "../nn/parameter.js";
import type { Tensor } from "../tensor/tensor.js";
import type { PackedError } from "./error.js";
import { runShard, type Shard, shardOf, stateOf } from "./shard.js";
import { attach, isShared, type SharedTensor } from "./share.js";
import type { ShardResult, Slots } from "./slots.js";

/** The data that each worker gets when it starts. */
export interface WorkerSetup {
  readonly worker: "./worker.js";
  readonly url: string;
  readonly args: unknown;
  readonly dtype: "float32" | "float64";
  /** Parameters and buffers of the main thread's model, by name. */
  readonly state: readonly (readonly [string, SharedTensor])[];
  /** Output buffers by shard: {@link Slots} of shared tensors. */
  readonly slots: readonly unknown[];
}

export interface WorkerTask {
  readonly seed: number;
  readonly step: number;
  /** The whole batch. */
  readonly batch: unknown;
  /** The shards to compute, and a counter shared by all workers of how many have been taken. */
  readonly shards: readonly Shard[];
  readonly taken: Int32Array;
  /** The `training` flags of the main thread's modules, in order. */
  readonly training: readonly boolean[];
  /** For each parameter whether it requires grad. */
  readonly learned: readonly boolean[];
}
/** Errors of the job are returned as values, so a rejected task always means that the worker died. */
export type WorkerReply = { readonly shard: number } & (ShardResult | { readonly error: PackedError });

/** Calls a function for each shard that this worker takes, until none is left. */
type Each = (compute: (shard: Shard) => ShardResult) => WorkerReply[];
export type Serve = (job: Job, setup: WorkerSetup) => (task: WorkerTask, each: Each) => WorkerReply[];

/**
 * The key under which a job carries {@link serve}, so that a worker computes with the job's own copy of nabla: loaders
 * may load the same files twice.
 */
export const serveKey = (): symbol => Symbol.for(`nabla.serve ${packageRoot()}`);

export const serve: Serve = (job, setup) => {
  // Workers share the cores, so inside each, kernels use one thread.
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
  const slots = setup.slots.map((shard) => mapTree(shard, isShared, attach) as Slots);
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
      const work = { job, model, parameters, buffers: model.buffers() };
      return each((shard) => {
        const { index, length } = shard;
        return runShard(work, shardOf(batch, shard), { seed, step, shard: index, rows: length }, slots[index]!);
      });
    } finally {
      for (const x of held) x.dispose();
    }
  };
};
