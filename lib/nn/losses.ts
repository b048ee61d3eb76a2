/** Losses as modules: options are given to the constructor, tensors to forward. */
import { type CrossEntropyOptions, crossEntropy, type NllOptions, nllLoss } from "../ops/cross-entropy.js";
import type { LossOptions } from "../ops/loss-reduction.js";
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type HuberOptions,
  huberLoss,
  type KlDivOptions,
  klDiv,
  l1Loss,
  mseLoss,
} from "../ops/losses.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";

/** A module of an input and a target. */
interface Loss extends Module {
  forward(input: Tensor, target: Tensor): Tensor;
}

/** Makes a module of a loss function. */
function lossModule<O extends object>(
  f: (input: Tensor, target: Tensor, options?: O) => Tensor,
): new (
  options?: O,
) => Loss {
  return class extends Module {
    private readonly options: O | undefined;
    constructor(options?: O) {
      super();
      this.options = options;
    }
    override forward(input: Tensor, target: Tensor): Tensor {
      return f(input, target, this.options);
    }
  };
}

/**
 * `-log softmax(logits)[target]`, see {@link crossEntropy}.
 * @shape logits [n, classes] and target [n] of class indices give [], or [n] for the reduction "none".
 * @example new nn.CrossEntropyLoss().forward(zeros([1, 2]), tensor([1], { dtype: "int32" })).item(); // 0.693...
 */
export class CrossEntropyLoss extends lossModule<CrossEntropyOptions>(crossEntropy) {}

/**
 * `-input[target]` for log-probabilities, see {@link nllLoss}.
 * @shape input [n, classes] and target [n] of class indices give [], or [n] for the reduction "none".
 * @example new nn.NLLLoss().forward(tensor([[-1, -2]]), tensor([1], { dtype: "int32" })).item(); // 2
 */
export class NLLLoss extends lossModule<NllOptions>(nllLoss) {}

/**
 * The squared error, see {@link mseLoss}.
 * @shape input and target of the same shape give [], or that shape for the reduction "none".
 * @example new nn.MSELoss().forward(tensor([1, 2]), tensor([1, 4])).item(); // 2
 */
export class MSELoss extends lossModule<LossOptions>(mseLoss) {}

/**
 * The cross-entropy of logits with target probabilities, see {@link binaryCrossEntropyWithLogits}.
 * @shape input and target of the same shape give [], or that shape for the reduction "none".
 * @example new nn.BCEWithLogitsLoss().forward(tensor([0]), tensor([1])).item(); // 0.693...
 */
export class BCEWithLogitsLoss extends lossModule<LossOptions>(binaryCrossEntropyWithLogits) {}

/**
 * The absolute error, see {@link l1Loss}.
 * @shape input and target of the same shape give [], or that shape for the reduction "none".
 * @example new nn.L1Loss().forward(tensor([1, 2]), tensor([1, 4])).item(); // 1
 */
export class L1Loss extends lossModule<LossOptions>(l1Loss) {}

/**
 * The Huber loss: quadratic for errors up to `delta`, linear beyond, see {@link huberLoss}.
 * @shape input and target of the same shape give [], or that shape for the reduction "none".
 * @example new nn.HuberLoss().forward(tensor([1, 0]), tensor([1, 3])).item(); // 1.25
 */
export class HuberLoss extends lossModule<HuberOptions>(huberLoss) {}

/**
 * The cross-entropy of probabilities with target probabilities, see {@link binaryCrossEntropy}.
 * @shape input and target of the same shape give [], or that shape for the reduction "none".
 * @example new nn.BCELoss().forward(tensor([0.5]), tensor([1])).item(); // 0.693...
 */
export class BCELoss extends lossModule<LossOptions>(binaryCrossEntropy) {}

/**
 * The Kullback-Leibler divergence of target probabilities from a distribution given as log-probabilities, see {@link
 * klDiv}.
 * @shape input and target of the same shape give [], or that shape for the reduction "none".
 * @example new nn.KLDivLoss({ reduction: "batchmean" }).forward(tensor([[0, 0]]), tensor([[1, 1]])).item(); // 0
 */
export class KLDivLoss extends lossModule<KlDivOptions>(klDiv) {}
