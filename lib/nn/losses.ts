/** Losses as modules: options are given to the constructor, tensors to forward. */
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type HuberOptions,
  huberLoss,
  type KlDivOptions,
  klDiv,
  type LossOptions,
  l1Loss,
  mseLoss,
  type NllOptions,
  nllLoss,
} from "../ops/losses.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";

abstract class Loss<O extends LossOptions | KlDivOptions> extends Module {
  protected readonly options: O | undefined;
  constructor(options?: O) {
    super();
    this.options = options;
  }
  abstract override forward(input: Tensor, target: Tensor): Tensor;
}

/**
 * `-log softmax(logits)[target]`, see {@link crossEntropy}.
 * @shape logits [n, classes] and target [n] of class indices give [], or [n] for the reduction "none".
 * @example new nn.CrossEntropyLoss().forward(zeros([1, 2]), tensor([1], { dtype: "int32" })).item(); // 0.693...
 */
export class CrossEntropyLoss extends Loss<CrossEntropyOptions> {
  override forward(logits: Tensor, target: Tensor): Tensor {
    return crossEntropy(logits, target, this.options);
  }
}

/**
 * `-input[target]` for log-probabilities, see {@link nllLoss}.
 * @shape input [n, classes] and target [n] of class indices give [], or [n] for the reduction "none".
 * @example new nn.NLLLoss().forward(tensor([[-1, -2]]), tensor([1], { dtype: "int32" })).item(); // 2
 */
export class NLLLoss extends Loss<NllOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, this.options);
  }
}

/**
 * The squared error, see {@link mseLoss}.
 * @shape both of one shape give [], or that shape for the reduction "none".
 * @example new nn.MSELoss().forward(tensor([1, 2]), tensor([1, 4])).item(); // 2
 */
export class MSELoss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}

/**
 * The cross-entropy of logits with target probabilities, see {@link binaryCrossEntropyWithLogits}.
 * @shape both of one shape give [], or that shape for the reduction "none".
 * @example new nn.BCEWithLogitsLoss().forward(tensor([0]), tensor([1])).item(); // 0.693...
 */
export class BCEWithLogitsLoss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

/**
 * The absolute error, see {@link l1Loss}.
 * @shape both of one shape give [], or that shape for the reduction "none".
 * @example new nn.L1Loss().forward(tensor([1, 2]), tensor([1, 4])).item(); // 1
 */
export class L1Loss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options);
  }
}

/**
 * Quadratic near 0, linear beyond `delta`, see {@link huberLoss}.
 * @shape both of one shape give [], or that shape for the reduction "none".
 * @example new nn.HuberLoss().forward(tensor([1, 0]), tensor([1, 3])).item(); // 1.25
 */
export class HuberLoss extends Loss<HuberOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.options);
  }
}

/**
 * The cross-entropy of probabilities with target probabilities, see {@link binaryCrossEntropy}.
 * @shape both of one shape give [], or that shape for the reduction "none".
 * @example new nn.BCELoss().forward(tensor([0.5]), tensor([1])).item(); // 0.693...
 */
export class BCELoss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, this.options);
  }
}

/**
 * The Kullback-Leibler divergence from log-probabilities to target probabilities, see {@link klDiv}.
 * @shape both of one shape give [], or that shape for the reduction "none".
 * @example new nn.KLDivLoss({ reduction: "batchmean" }).forward(tensor([[0, 0]]), tensor([[1, 1]])).item(); // 0
 */
export class KLDivLoss extends Loss<KlDivOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, this.options);
  }
}
