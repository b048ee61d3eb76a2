import { fail } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";

/** All dimensions except that of the channels. */
export const otherDims = (x: Tensor): number[] => x.shape.map((_, i) => i).filter((i) => i !== 1);

/** Per-channel values, shaped to broadcast with x. */
export const beside = (v: Tensor, x: Tensor): Tensor => v.reshape([-1, ...x.shape.slice(2).map(() => 1)]);

/** y times weight plus bias, per channel. */
export function byChannel(y: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  const scaled = weight ? y.mul(beside(weight, y)) : y;
  return bias ? scaled.add(beside(bias, y)) : scaled;
}

/** The number of channels; ERR_SHAPE if the input has none. */
export function needChannels(op: string, x: Tensor): number {
  if (needTensor(op, x).ndim < 2)
    fail("ERR_SHAPE", op, "the input has no channels", "[n, channels, ..]", showShape(x.shape));
  return x.shape[1]!;
}
