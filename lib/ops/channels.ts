import { fail } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import { inCompute } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import { scope } from "../engine/scope.js";
import type { Tensor } from "../tensor/tensor.js";
import { cat } from "./join.js";

/** All dimensions except that of the channels. */
export const otherDims = (x: Tensor): number[] => x.shape.map((_, i) => i).filter((i) => i !== 1);

/** Per-channel values, shaped to broadcast with x. */
export const beside = (v: Tensor, x: Tensor): Tensor => v.reshape([-1, ...x.shape.slice(2).map(() => 1)]);

const FEW = 2 ** 16; // elements

/**
 * f of tensors of halves [n, channels, ..] and lists [channels], in float32, a few channels at a time, so that what f
 * makes remains small: a list for the channels. At least two at a time, as a single one would be summed in another order.
 */
export function fewChannels(xs: readonly Tensor[], f: (...xs: readonly Tensor[]) => Tensor): Tensor {
  const { shape, numel } = xs[0]!;
  const channels = shape[1]!;
  const some = Math.max(2, Math.floor((FEW * channels) / Math.max(1, numel)));
  const count = Math.max(1, Math.floor(channels / some));
  const starts = Array.from({ length: count + 1 }, (_, i) => Math.floor((i * channels) / count));
  const from = (x: Tensor, i: number): Tensor =>
    inCompute(x.narrow(x.ndim === 1 ? 0 : 1, starts[i]!, starts[i + 1]! - starts[i]!)) as Tensor;
  return cat(Array.from({ length: count }, (_, i) => scope(() => f(...xs.map((x) => from(x, i))))));
}

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
