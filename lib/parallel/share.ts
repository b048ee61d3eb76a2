/** Sharing of tensors between threads: storages belong to the process, and a message contains the storage's id. */
import { type DType, dtypeRow } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { keyFor } from "../core/random-key.js";
import { checkShape, isContiguous } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import * as frame from "../native/frame.js";
import { Handle, raise } from "../tensor/handle.js";
import { Tensor } from "../tensor/tensor.js";

/**
 * A description of a tensor that can be posted to a worker, where {@link attach} makes a tensor of it without a copy.
 */
export interface SharedTensor {
  readonly nabla: "tensor";
  /** Identifies the process and the copy of nabla where `id` is valid. */
  readonly origin: number;
  /** The id of the storage. */
  readonly id: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The strides, in elements. */
  readonly strides: readonly number[];
  /** The position of the first element in the storage. */
  readonly offset: number;
}

/** @internal Whether a value says of itself that it describes a tensor. */
export const isShared = (value: unknown): value is SharedTensor =>
  typeof value === "object" && value !== null && (value as SharedTensor).nabla === "tensor";

let known: number | undefined;

/** The same number in all threads of a process that use this copy of the native library. */
function ownOrigin(): number {
  if (known === undefined) {
    const [low = 0, high = 0] = keyFor(process.pid, Number(process.hrtime.bigint()), Math.random() * 2 ** 53).next();
    known = frame.addon.origin(1 + (high & 0xfffff) * 2 ** 32 + low);
  }
  return known;
}

/**
 * Describes the tensor for another thread of this process. The description keeps the storage alive until it is attached
 * for the first time or this thread ends; it can be attached again as long as any tensor uses the storage.
 * @throws ERR_ARGUMENT unless x is a tensor.
 * @example attach(tensor([1, 2]).share()).toArray(); // [1, 2]
 */
export const share = (x: Tensor): SharedTensor => describeShared(needTensor("share", x), true);

/**
 * @internal The same without keeping the storage alive: for a tensor that this thread holds until it has been attached.
 */
export const lend = (x: Tensor): SharedTensor => describeShared(x, false);

function describeShared(x: Tensor, hold: boolean): SharedTensor {
  frame.begin(0, 0, 1, []);
  frame.putOperand(0, x.handle, x.type.code, x.shape, x.layout, x.offset, 0);
  const id = frame.door.share(hold);
  if (frame.failed()) raise("share");
  return {
    nabla: "tensor",
    origin: ownOrigin(),
    id,
    dtype: x.dtype,
    shape: [...x.shape],
    strides: [...x.strides],
    offset: x.offset,
  };
}

/** @internal How often the storage of a tensor has been written to. */
export function timesWritten(x: Tensor): number {
  frame.begin(0, 0, 1, []);
  frame.putOperand(0, x.handle, x.type.code, x.shape, x.layout, x.offset, 0);
  const times = frame.door.version();
  if (frame.failed()) raise("share");
  return times;
}

/**
 * A tensor on a storage shared by another thread (or this one): both see the same elements.
 * @throws ERR_WORKER if the storage has been freed, or was shared by another process or another copy of nabla;
 * ERR_ARGUMENT for anything not made by {@link share}.
 * @example
 * const y = attach(share(tensor([1, 2])));
 * y.toArray(); // [1, 2]
 */
export function attach(shared: SharedTensor): Tensor {
  const given = shared as Partial<SharedTensor> | null | undefined;
  const { origin, id, strides: own, offset } = given ?? {};
  const strides = Array.isArray(own) ? Array.from(own as readonly number[]) : null;
  if (
    given?.nabla !== "tensor" ||
    typeof origin !== "number" ||
    typeof id !== "number" ||
    strides === null ||
    !strides.every(Number.isSafeInteger) ||
    typeof offset !== "number"
  )
    fail("ERR_ARGUMENT", "attach", "not a shared tensor", "what share() returns", describe(shared));
  if (origin !== ownOrigin())
    fail(
      "ERR_WORKER",
      "attach",
      "the tensor was shared by another process or another copy of nabla",
      "a tensor of a thread of this process that has loaded the same copy",
      undefined,
      { id, origin },
    );
  const type = dtypeRow("attach", given.dtype);
  const shape = checkShape("attach", given.shape);
  const whole = new Handle();
  const found = frame.door.attach(whole, id);
  if (frame.failed()) raise("attach");
  if (!found) fail("ERR_WORKER", "attach", "nothing holds the shared tensor any more", undefined, undefined, { id });
  whole.take(0);
  const misfit = strides.length !== shape.length;
  const layout = !misfit && isContiguous(shape, strides) ? null : strides;
  // The final handle is made from the full description, so that native code checks its bounds.
  const handle = new Handle();
  try {
    frame.begin(0, 0, 1, []);
    frame.putOperand(0, whole, type.code, shape, layout, offset, 0);
    frame.door.adopt(handle);
    if (misfit || frame.failed())
      fail(
        "ERR_ARGUMENT",
        "attach",
        "the description does not fit the shared storage",
        "what share() returned",
        describeLayout(given),
      );
    handle.take(0);
  } finally {
    whole.release();
  }
  return new Tensor(handle, type, shape, layout, offset, null);
}

const describeLayout = ({ dtype, shape, strides, offset }: Partial<SharedTensor>): string =>
  `${dtype} of shape ${describe(shape)}, strides ${describe(strides)}, offset ${describe(offset)}`;
