/** What losses share: how they are reduced, and the check of two tensors of one shape. */
import { needChoice } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";

export const reductions = ["mean", "sum", "none"] as const;
export type LossReduction = (typeof reductions)[number];
export interface LossOptions {
  /** The mean or the sum of the losses, or "none" for each loss; default "mean". */
  readonly reduction?: LossReduction | undefined;
}

/** The checked option `reduction`. */
export const reductionOf = (op: string, reduction: unknown = "mean"): LossReduction =>
  needChoice(op, "reduction", reduction, reductions);

export const reduced = (x: Tensor, how: LossReduction): Tensor =>
  how === "mean" ? x.mean() : how === "sum" ? x.sum() : x;

/** ERR_SHAPE unless both are tensors of one shape. */
export function pair(op: string, input: Tensor, target: Tensor): void {
  needTensor(op, input);
  needTensor(op, target, "the target");
  if (!sameShape(input.shape, target.shape))
    fail("ERR_SHAPE", op, "input and target differ in shape", showShape(input.shape), showShape(target.shape));
}
