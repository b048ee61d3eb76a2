/** Tensors across threads: a storage is process-wide, and a message carries its number. */
import { type DType, dtypeRow } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { checkShape, isContiguous } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import * as frame from "../native/frame.js";
import { Handle, raise } from "../tensor/handle.js";
import { Tensor } from "../tensor/tensor.js";

/** A tensor as plain data that can be posted to a worker; {@link attach} makes a tensor of it there, without a copy. */
export interface SharedTensor {
  readonly nabla: "tensor";
  readonly id: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/**
 * Describes the tensor for another thread of this process. The description holds the storage until somebody attaches it or
 * this thread ends; later attaches work while some tensor anywhere holds it.
 * @example attach(tensor([1, 2]).share()).toArray(); // [1, 2]
 */
export function share(x: Tensor): SharedTensor {
  needTensor("share", x);
  frame.begin(0, 0, 1, []);
  frame.putOperand(0, x.handle, x.type.code, x.shape, x.layout, x.offset, 0);
  const id = frame.addon.share();
  if (frame.failed()) raise("share");
  return { nabla: "tensor", id, dtype: x.dtype, shape: [...x.shape], strides: [...x.strides], offset: x.offset };
}

/**
 * A tensor on the storage that another thread (or this one) has shared: both see the same elements.
 * @throws ERR_WORKER when nothing holds the storage any more; ERR_ARGUMENT for anything {@link share} did not make.
 */
export function attach(shared: SharedTensor): Tensor {
  const given = shared as Partial<SharedTensor> | null | undefined;
  if (given?.nabla !== "tensor" || typeof given.id !== "number" || !Array.isArray(given.strides))
    fail("ERR_ARGUMENT", "attach", "not a shared tensor", "what share() returns", describe(shared));
  const type = dtypeRow("attach", given.dtype);
  const shape = checkShape("attach", given.shape);
  const handle = new Handle();
  if (!frame.addon.attach(handle, given.id))
    fail("ERR_WORKER", "attach", "nothing holds the shared tensor any more", undefined, undefined, { id: given.id });
  handle.take(0);
  const layout = isContiguous(shape, given.strides) ? null : [...given.strides];
  return new Tensor(handle, type, shape, layout, given.offset ?? 0, null);
}

/** @internal Makes `x` look at a shared storage from now on, in place of its own. */
export function attachInto(x: Tensor, shared: SharedTensor): void {
  const other = attach(shared);
  x.handle.release();
  x.handle = other.handle;
}
