/** What a shard leaves behind: gradients, buffers and the loss, in memory that threads share. */
import { dtypes } from "../core/dtype.js";
import type { Log } from "../job/loss.js";
import { empty } from "../tensor/allocate.js";
import type { Tensor } from "../tensor/tensor.js";

/** The output buffers of a shard, in memory that threads share, so that no value has to be read and sent. */
export interface Slots {
  /** In the order of the parameters. */
  readonly gradients: readonly Tensor[];
  /** In the order of the model's buffers. */
  readonly buffers: readonly Tensor[];
  /** For each buffer whether an element has changed; bool. */
  readonly changed: Tensor;
  /** float64, of rank 0. */
  readonly loss: Tensor;
}

/** What a shard reports besides the contents of its slots. */
export interface ShardResult {
  /** For each parameter whether the loss depends on it. */
  readonly used: readonly boolean[];
  /** For each buffer of the model whether the shard has written to it. */
  readonly written: readonly boolean[];
  /** The loss and its gradients times `scale` are a sum over `count` terms. */
  readonly scale: number;
  readonly count: number;
  readonly log: Log;
}

/** The output buffers for a number of shards. */
export function makeSlots(count: number, parameters: readonly Tensor[], buffers: readonly Tensor[]): readonly Slots[] {
  const like = (x: Tensor): Tensor => empty("DataParallel", x.type, x.shape);
  return Array.from({ length: count }, () => ({
    gradients: parameters.map(like),
    buffers: buffers.map(like),
    changed: empty("DataParallel", dtypes.bool, [buffers.length]),
    loss: empty("DataParallel", dtypes.float64, []),
  }));
}
