import { zerosLike } from "../tensor/create.js";
import { outlive } from "../tensor/handle.js";
import type { Tensor } from "../tensor/tensor.js";

/** The optimizer state of one parameter. */
export interface Slot {
  readonly parameter: Tensor;
  /** The number of steps, or, for optimizers that do not count, 1 after the first. */
  age: number;
  buffers: Tensor[];
}

function bufferOf(slot: Slot, index: number): Tensor {
  const known = slot.buffers[index];
  if (known !== undefined) return known;
  const buffer = zerosLike(slot.parameter, { dtype: slot.parameter.type.compute.name });
  outlive(buffer.handle);
  slot.buffers.push(buffer);
  return buffer;
}

/** The targets of a kernel: the parameters, then `used` buffers of each, created if missing. */
export function targetsOf(slots: readonly Slot[], used: number): Tensor[] {
  const targets = slots.map((slot) => slot.parameter);
  for (let b = 0; b < used; b++) for (const slot of slots) targets.push(bufferOf(slot, b));
  return targets;
}
