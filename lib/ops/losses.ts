/** Losses that compare two tensors element by element. The default `reduction` is "mean". */
import { needChoice, needNumber } from "../core/arguments.js";
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { numel, type Shape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { perInput } from "../engine/cost.js";
import { type Binary, binary } from "../engine/elementwise.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needFloat } from "../engine/operand.js";
import { defineRow, eitherHalf, type Row } from "../engine/row.js";
import { general, partial, sumOf } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";
import { softplusBackward } from "./activation-backward.js";
import { probabilities } from "./checked.js";
import { type LossOptions, type LossReduction, pair, reduced, reductionOf, reductions } from "./loss-reduction.js";
import { sumOver } from "./reduce.js";

/**
 * The squared error, `(input - target)^2`.
 * @shape both of the same shape; gives [], or that shape for the reduction "none". @dtype a float dtype; promoted.
 * @gradient 2 (input - target) / n for the mean, and its negative for the target.
 * @throws ERR_SHAPE unless both have the same shape; ERR_DTYPE for integers.
 * @example mseLoss(tensor([1, 2]), tensor([1, 4])).item(); // 2
 */
export function mseLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  pair("mseLoss", input, target);
  needFloat("mseLoss", input);
  const how = reductionOf("mseLoss", checkOptions<LossOptions>("mseLoss", options, ["reduction"]).reduction);
  if (how === "mean" && input.type === target.type) return meanSquared(input, target);
  return roundedOnce([input, target], (x, t) => reduced(x.sub(t).square(), how), { once: true });
}

const scalarShape: Shape = [];
const noAttrs: readonly number[] = [];

const mseRow: Row<undefined> = defineRow<undefined>({
  name: "mseLoss",
  family: "fused",
  kernel: "mse",
  flops: perInput(3),
  inputs: 2,
  reads: eitherHalf(0, 1),
  accuracy: "tree",
  rule: general(["x", "y"], {
    vjp: (g, [x, y], _, needs) => {
      const dx = mseGradient(g, x, y);
      return [needs[0] ? dx : null, needs[1] ? dx.neg() : null];
    },
    jvp: ([tx, ty], [x, y]) => {
      const along = tx && ty ? tx.sub(ty) : (tx ?? ty!.neg());
      return x.sub(y).mul(along).mean().mul(2);
    },
  }),
  replay: ([x, y]) => meanSquared(x as Tensor, y as Tensor),
  batch: { composed: ([x, y]) => (x as Tensor).sub(y!).square().mean() },
});

const mseGradientRow: Row<undefined> = defineRow<undefined>({
  name: "mseBackward",
  family: "fused",
  kernel: "mseBackward",
  flops: ({ inputs }) => 2 * numel(inputs[1]!.shape),
  inputs: 3,
  accuracy: "tree",
  rule: general(["x", "y", "z"], {
    vjp: (h, [g, x, y], _, needs) => {
      const scaled = needs[1] || needs[2] ? h.mul(g).mul(2 / h.numel) : null;
      return [
        needs[0] ? x.sub(y).mul(h).mean().mul(2) : null,
        needs[1] ? scaled : null,
        needs[2] ? scaled!.neg() : null,
      ];
    },
    jvp: ([tg, tx, ty], [g, x, y]) => {
      const difference = tx && ty ? tx.sub(ty) : (tx ?? (ty ? ty.neg() : null));
      const parts = [tg ? mseGradient(tg, x, y) : null, difference ? difference.mul(g).mul(2 / x.numel) : null];
      return sumOf(parts);
    },
  }),
  replay: ([g, x, y]) => mseGradient(g as Tensor, x as Tensor, y as Tensor),
  batch: {
    composed: ([g, x, y]) =>
      (x as Tensor)
        .sub(y!)
        .mul(g!)
        .mul(2 / (x as Tensor).numel),
  },
});

const meanSquared = (x: Tensor, y: Tensor): Tensor =>
  apply(mseRow, [x, y], x.type, x.type, scalarShape, noAttrs, undefined);

const mseGradient = (g: Tensor, x: Tensor, y: Tensor): Tensor =>
  apply(mseGradientRow, [g, x, y], x.type, x.type, x.shape, noAttrs, undefined);

const logitRow: Binary = binary("binaryCrossEntropyWithLogits", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["x", "y"], (t, x, y) =>
      softplusBackward(t.mul(y.neg().add(1)), x).sub(softplusBackward(t.mul(y), x.neg())),
    ),
    partial(["x"], (t, x) => t.mul(x).neg()),
  ],
});

/**
 * Binary cross-entropy of logits with target probabilities: `target softplus(-x) + (1 - target) softplus(x)`, where a
 * factor of 0 gives 0. Targets should lie between 0 and 1, which is not checked.
 * @shape both of the same shape; gives [], or that shape for the reduction "none". @dtype a float dtype; promoted.
 * @gradient ((1 - target) sigmoid(x) - target sigmoid(-x)) / n for the mean, and -x / n for the target.
 * @throws ERR_SHAPE unless both have the same shape; ERR_DTYPE for integers.
 * @example binaryCrossEntropyWithLogits(tensor([0]), tensor([1])).item(); // 0.693...
 */
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const op = "binaryCrossEntropyWithLogits";
  pair(op, input, target);
  needFloat(op, input);
  const how = reductionOf(op, checkOptions<LossOptions>(op, options, ["reduction"]).reduction);
  return roundedOnce([input, target], (x, t) => reduced(logitRow(x, t), how));
}

/**
 * The absolute error, `|input - target|`.
 * @shape both of the same shape; gives [], or that shape for the reduction "none". @dtype a float dtype; promoted.
 * @gradient sign(input - target) / n for the mean, 0 where they are equal.
 * @throws ERR_SHAPE unless both have the same shape; ERR_DTYPE for integers.
 * @example l1Loss(tensor([1, 2]), tensor([1, 4])).item(); // 1
 */
export function l1Loss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  pair("l1Loss", input, target);
  needFloat("l1Loss", input);
  const how = reductionOf("l1Loss", checkOptions<LossOptions>("l1Loss", options, ["reduction"]).reduction);
  return roundedOnce([input, target], (x, t) => reduced(x.sub(t).abs(), how), { once: true });
}

export interface HuberOptions extends LossOptions {
  /** The absolute error up to which the loss is quadratic; beyond it, the loss is linear. Default 1. */
  readonly delta?: number | undefined;
}

/**
 * The Huber loss of the error d = input - target: `d^2 / 2` where `|d| <= delta`, else `delta (|d| - delta / 2)`.
 * @shape both of the same shape; gives [], or that shape for the reduction "none". @dtype a float dtype; promoted.
 * @gradient clamp(d, -delta, delta) / n for the mean, and its negative for the target.
 * @throws ERR_SHAPE unless both have the same shape; ERR_ARGUMENT for a delta that is not above 0; ERR_DTYPE for
 * integers.
 * @source Huber, Robust estimation of a location parameter, 1964.
 * @example huberLoss(tensor([1, 0]), tensor([1, 3])).item(); // 1.25
 */
export function huberLoss(input: Tensor, target: Tensor, options?: HuberOptions): Tensor {
  const op = "huberLoss";
  pair(op, input, target);
  needFloat(op, input);
  const given = checkOptions<HuberOptions>(op, options, ["reduction", "delta"]);
  const delta = needNumber(op, "delta", given.delta ?? 1, { above: 0 });
  const how = reductionOf(op, given.reduction);
  const losses = (x: Tensor, t: Tensor): Tensor => {
    const difference = x.sub(t);
    const distance = difference.abs();
    const near = distance.le(delta);
    const line = distance.sub(delta / 2).mul(delta);
    // An infinite square would make the gradient of the linear part NaN.
    const parabola = near.where(difference, 0).square().mul(0.5);
    return reduced(near.where(parabola, line), how);
  };
  return roundedOnce([input, target], losses, { once: true });
}

/** log(p) or log(1 - p), clamped to at least -100, with gradient 0 there. */
function boundedLog(p: Tensor): Tensor {
  const tiny = p.lt(Math.exp(-100));
  return tiny.where(-100, tiny.where(1, p).log());
}
function boundedLogOfRest(p: Tensor): Tensor {
  const none = p.eq(1);
  return none.where(-100, none.where(0, p).neg().log1p());
}

/**
 * Binary cross-entropy of probabilities p with target probabilities: `-target log(p) - (1 - target) log(1 - p)`, with
 * logarithms clamped to at least -100. {@link binaryCrossEntropyWithLogits} is more accurate.
 * @shape both of the same shape; gives [], or that shape for the reduction "none". @dtype a float dtype; promoted.
 * @gradient (p - target) / (p (1 - p) n) for the mean, and (log(1 - p) - log(p)) / n for the target; a clamped
 * logarithm contributes 0 to the gradient of p.
 * @throws ERR_SHAPE unless both have the same shape; ERR_ARGUMENT for an input outside [0, 1]; ERR_DTYPE for integers.
 * @example binaryCrossEntropy(tensor([0.5]), tensor([1])).item(); // 0.693...
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const op = "binaryCrossEntropy";
  pair(op, input, target);
  needFloat(op, input);
  const how = reductionOf(op, checkOptions<LossOptions>(op, options, ["reduction"]).reduction);
  return roundedOnce([input, target], (x, t) => {
    const p = named(op, () => probabilities(x, "the input holds no probabilities"));
    const losses = t.mul(boundedLog(p)).add(t.neg().add(1).mul(boundedLogOfRest(p)));
    return reduced(losses.neg(), how);
  });
}

const divergenceRow: Binary = binary("klDiv", {
  compute: "float",
  accuracy: 2,
  partials: [
    partial(["y"], (t, y) => t.mul(y).neg()),
    partial(["x", "y"], (t, x, y) => {
      const empty = y.le(0);
      return t.mul(empty.where(-1, empty.where(1, y).log()).add(1).sub(x));
    }),
  ],
});

export interface KlDivOptions {
  /**
   * Default "mean": the mean over all elements. "batchmean" divides the sum by the batch size (the first dimension),
   * which is the mathematical definition of the divergence.
   */
  readonly reduction?: LossReduction | "batchmean" | undefined;
  /** Whether the target holds log-probabilities; default false. */
  readonly logTarget?: boolean | undefined;
}

/**
 * The Kullback-Leibler divergence of the target probabilities from a distribution that the input gives as
 * log-probabilities: `target (log(target) - input)`, and 0 where the target is 0.
 * @shape both of the same shape; gives [], or that shape for the reduction "none". @dtype a float dtype; promoted.
 * @gradient -target / n for the mean, and (1 + log(target) - input) / n for the target.
 * @throws ERR_SHAPE unless both have the same shape; ERR_DTYPE for integers.
 * @example klDiv(tensor([[0, 0]]), tensor([[1, 1]]), { reduction: "batchmean" }).item(); // 0
 */
export function klDiv(input: Tensor, target: Tensor, options?: KlDivOptions): Tensor {
  const op = "klDiv";
  pair(op, input, target);
  needFloat(op, input);
  const { reduction, logTarget } = checkOptions<KlDivOptions>(op, options, ["reduction"], ["logTarget"]);
  const how = needChoice(op, "reduction", reduction ?? "mean", ["batchmean", ...reductions]);
  if (how === "batchmean" && input.ndim === 0)
    fail("ERR_SHAPE", op, "there is no batch to take the mean over", "[n, ..]", "[]");
  return roundedOnce([input, target], (x, t) => {
    const losses = logTarget === true ? t.exp().mul(t.sub(x)) : divergenceRow(x, t);
    return how === "batchmean" ? sumOver(losses, x.shape[0]!) : reduced(losses, how);
  });
}
