/** Losses. The default `reduction` is "mean". */

import { needInteger, needNumber, refuse } from "../core/arguments.js";
import { describe, fail, named, showBounds } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { numel, type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { perInput, perResult } from "../engine/cost.js";
import { type Binary, binary } from "../engine/elementwise.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineKernel, defineRow, eitherHalf, type Row } from "../engine/row.js";
import { type Context, type Gradients, partial, save } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { own } from "../engine/saved.js";
import type { Tensor } from "../tensor/tensor.js";
import { softplusBackward } from "./activation-backward.js";
import { probabilities } from "./checked.js";
import { pick } from "./index-rows.js";
import { sumOver } from "./reduce.js";

export type LossReduction = "mean" | "sum" | "none";
export interface LossOptions {
  /** The mean or the sum of the losses, or "none" for each loss; default "mean". */
  readonly reduction?: LossReduction | undefined;
}

function reductionOf(op: string, reduction: unknown, others = ""): LossReduction {
  if (reduction === undefined) return "mean";
  if (reduction === "mean" || reduction === "sum" || reduction === "none") return reduction;
  return fail("ERR_ARGUMENT", op, "unknown reduction", `${others}"mean", "sum" or "none"`, describe(reduction));
}

const reduced = (x: Tensor, how: LossReduction): Tensor => (how === "mean" ? x.mean() : how === "sum" ? x.sum() : x);

/** The mean of the losses that count; the others are 0. Avoids the sum, which may overflow where the mean does not. */
const meanOver = (losses: Tensor, counts: Tensor): Tensor =>
  losses.numel === 0 ? losses.mean() : losses.div(counts.sum()).sum();

function pair(op: string, input: Tensor, target: Tensor): void {
  needTensor(op, input);
  needTensor(op, target, "the target");
  if (!sameShape(input.shape, target.shape))
    fail("ERR_SHAPE", op, "input and target differ in shape", showShape(input.shape), showShape(target.shape));
}

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
  rule: {
    kind: "general",
    saves: save.x | save.y,
    vjp: (g, [, x, y], _, needs) => {
      const dx = mseGradient(g, x!, y!);
      return [needs[0] ? dx : null, needs[1] ? dx.neg() : null];
    },
    jvp: ([tx, ty], [, x, y]) => {
      const along = tx && ty ? tx.sub(ty) : (tx ?? ty!.neg());
      return x!.sub(y!).mul(along).mean().mul(2);
    },
  },
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
  rule: {
    kind: "general",
    saves: save.x | save.y | save.z,
    vjp: (h, [, g, x, y], _, needs) => {
      const scaled = needs[1] || needs[2] ? h.mul(g!).mul(2 / h.numel) : null;
      return [
        needs[0] ? x!.sub(y!).mul(h).mean().mul(2) : null,
        needs[1] ? scaled : null,
        needs[2] ? scaled!.neg() : null,
      ];
    },
    jvp: ([tg, tx, ty], [, g, x, y]) => {
      const difference = tx && ty ? tx.sub(ty) : (tx ?? (ty ? ty.neg() : null));
      const parts = [tg ? mseGradient(tg, x!, y!) : null, difference ? difference.mul(g!).mul(2 / x!.numel) : null];
      return parts.filter((part) => part !== null).reduce((a, b) => a.add(b));
    },
  },
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

interface Classes {
  readonly ignored: number;
  /** Whether the mean of the losses is taken next; it determines the scale of the precomputed gradient. */
  readonly averaged?: boolean;
}

const rowsRow: Row<Classes> = defineRow<Classes>({
  name: "crossEntropy",
  family: "fused",
  kernel: "crossEntropy",
  flops: perInput(5),
  inputs: 2,
  reads: eitherHalf(0),
  accuracy: "tree",
  rule: {
    kind: "general",
    saves: save.x | save.y,
    vjp: (g, [, x, target], c) => [crossEntropyGradient(g, x!, target!, c.params), null],
    fused: (g, [, x, target], c) => completedGradient(g, x!, target!, c),
    jvp: ([t], [, x, target], c) => crossEntropyGradient(onesOf(t!), x!, target!, c.params).mul(t!).sum(1),
  },
  replay: ([x, target], p) => lossOfRows(x as Tensor, target as Tensor, p),
  refuses: (_, [x]) => ({ expected: showBounds(0, (x as Tensor).shape[1]! - 1, "class") }),
  batch: { rows: true },
});

const onesOf = (t: Tensor): Tensor => t.detach().narrow(1, 0, 1).squeeze(1).mul(0).add(1);

// d/dx of the gradient g (softmax(x) - onehot): the Hessian of log-sum-exp, for the rows that count.
const gradientRow: Row<Classes> = defineRow<Classes>({
  name: "crossEntropyBackward",
  family: "fused",
  kernel: "crossEntropyBackward",
  flops: perResult(5),
  inputs: 3,
  accuracy: "tree",
  rule: {
    kind: "general",
    saves: save.x | save.y | save.z,
    vjp: (h, [, g, x, target], { params }, needs) => [
      needs[0] ? crossEntropyGradient(onesOf(h), x!, target!, params).mul(h).sum(1) : null,
      needs[1] ? curvature(h, g!, x!, target!, params) : null,
      null,
    ],
    jvp: ([tg, tx], [, g, x, target], { params }) => {
      const byG = tg ? crossEntropyGradient(tg, x!, target!, params) : null;
      const byX = tx ? curvature(tx, g!, x!, target!, params) : null;
      return byG === null ? byX! : byX === null ? byG : byG.add(byX);
    },
  },
  replay: ([g, x, target], p) => crossEntropyGradient(g as Tensor, x as Tensor, target as Tensor, p),
  batch: { rows: true },
});

function curvature(h: Tensor, g: Tensor, x: Tensor, target: Tensor, { ignored }: Classes): Tensor {
  const p = x.softmax(1);
  const counts = target.ne(ignored).to(x.dtype);
  return p.mul(h.sub(p.mul(h).sum(1, { keepdim: true }))).mul(g.mul(counts).unsqueeze(1));
}

const crossEntropyGradient = (g: Tensor, x: Tensor, target: Tensor, p: Classes): Tensor =>
  apply(gradientRow, [g, x, target], x.type, x.type, x.shape, [p.ignored], p);

const attrsOf = (p: Classes): readonly number[] => [p.ignored, p.averaged ? 1 : 0];

// The forward kernel computes most of the gradient while a row is in the cache, and leaves it as the residual output.
const lossOfRows = (x: Tensor, target: Tensor, p: Classes): Tensor =>
  apply(rowsRow, [x, target], x.type, x.type, target.shape, attrsOf(p), p, x.shape);

/** Completes the gradient that the forward kernel has begun. */
const finish = defineKernel<Classes>({
  name: "crossEntropyFinish",
  family: "fused",
  accuracy: "tree",
  flops: perResult(1),
});

/** The gradient, from the residual output; null if an earlier backward has taken that. */
function completedGradient(g: Tensor, x: Tensor, target: Tensor, c: Context<Classes>): Gradients | null {
  const residual = c.takeResidual();
  if (residual === null) return null;
  const made = own(residual);
  runKernel({
    op: gradientRow.name,
    row: finish,
    targets: [made],
    inputs: [g, x, target],
    attrs: attrsOf(c.params),
    params: c.params,
  });
  return [made, null];
}

export interface NllOptions extends LossOptions {
  /** Rows with this target are ignored: their loss is 0, and the mean does not count them. Default -100. */
  readonly ignoreIndex?: number | undefined;
}

export interface CrossEntropyOptions extends NllOptions {
  /** Label smoothing: this fraction of the target, between 0 and 1, is spread evenly over all classes; default 0. */
  readonly labelSmoothing?: number | undefined;
}

/**
 * `-log softmax(logits)[target]`: the loss of a classifier. If the logits require grad, the forward pass also computes
 * their gradient, which needs as much memory as the logits; inside {@link noGrad} it does not.
 * @shape logits [n, classes], target [n] of class indices; or [classes] and []; or [n, classes, d1, ..] and [n, d1,
 * ..]. The mean is over the rows whose target is not `ignoreIndex` (NaN if there are none).
 * @gradient (softmax(logits) - onehot(target)) / n for the mean over n rows.
 * @throws ERR_DTYPE unless targets are integers and logits floats; ERR_INDEX for a target that is not a class;
 * ERR_SHAPE if the shapes do not fit.
 * @example crossEntropy(tensor([[0, 0]]), tensor([1], { dtype: "int32" })).item(); // 0.693...
 */
export function crossEntropy(logits: Tensor, target: Tensor, options?: CrossEntropyOptions): Tensor {
  const op = "crossEntropy";
  needFloat(op, needTensor(op, logits, "the logits"));
  needTensor(op, target, "the target");
  const given = checkOptions<CrossEntropyOptions>(op, options, ["reduction", "ignoreIndex", "labelSmoothing"]);
  const how = reductionOf(op, given.reduction);
  const ignored = needInteger(op, "ignoreIndex", given.ignoreIndex ?? -100);
  const smoothing = needNumber(op, "labelSmoothing", given.labelSmoothing ?? 0);
  if (!(smoothing >= 0 && smoothing <= 1))
    fail("ERR_ARGUMENT", op, "labelSmoothing is no share", "0 to 1", describe(smoothing));
  if (target.type.kind !== "int")
    fail("ERR_DTYPE", op, "target must hold class indices", "an integer dtype", target.dtype);
  const classDim = logits.ndim === 1 ? 0 : 1;
  const wanted: Shape = logits.shape.filter((_, i) => i !== classDim);
  if (logits.ndim === 0 || !sameShape(target.shape, wanted) || logits.shape[classDim] === 0)
    fail(
      "ERR_SHAPE",
      op,
      "logits and target do not fit",
      `logits [n, classes] and target [n]`,
      `${showShape(logits.shape)} and ${showShape(target.shape)}`,
    );
  const flat = (target.ndim === 1 ? target : target.reshape([-1])).contiguous();
  return roundedOnce([logits], (x) => entropyOf(x, classDim, flat, wanted, { how, ignored, smoothing }));
}

interface Counting {
  readonly how: LossReduction;
  readonly ignored: number;
  readonly smoothing: number;
}

/** {@link crossEntropy} of checked operands; losses per row have the shape `wanted`. */
function entropyOf(logits: Tensor, classDim: number, flat: Tensor, wanted: Shape, counting: Counting): Tensor {
  const { how, ignored, smoothing } = counting;
  const classes = logits.shape[classDim]!;
  // A leaf can keep a gradient without a copy if it is not a view.
  const x = (logits.ndim === 2 ? logits : logits.movedim(classDim, -1).reshape([-1, classes])).contiguous();
  let losses = lossOfRows(x, flat, { ignored, averaged: how === "mean" });
  if (smoothing > 0) {
    const counts = flat.ne(ignored).to(x.dtype);
    const uniform = x.logSoftmax(1).mean(1).neg().mul(counts);
    losses = losses.mul(1 - smoothing).add(uniform.mul(smoothing));
  }
  if (how === "none") return losses.reshape(wanted);
  if (how === "sum") return losses.sum();
  // uint8 has no negative values, so every row counts; otherwise counts the rows.
  if (flat.type.name === "uint8" && ignored < 0) return losses.mean();
  return meanOver(losses, flat.ne(ignored));
}

/**
 * `-input[target]` for log-probabilities, as {@link crossEntropy} without the softmax.
 * @shape input [n, classes], target [n]; or [n, classes, d1, ..] and [n, d1, ..], or [classes] and [].
 * @gradient -1 / n at the targets, for the n rows that count.
 * @throws ERR_DTYPE unless targets are integers and the input is float; ERR_INDEX for a target that is not a class;
 * ERR_SHAPE if the shapes do not fit.
 * @example nllLoss(tensor([[-1, -2]]), tensor([1], { dtype: "int32" })).item(); // 2
 */
export function nllLoss(input: Tensor, target: Tensor, options?: NllOptions): Tensor {
  const op = "nllLoss";
  needFloat(op, needTensor(op, input));
  needTensor(op, target, "the target");
  const given = checkOptions<NllOptions>(op, options, ["reduction", "ignoreIndex"]);
  const how = reductionOf(op, given.reduction);
  const ignored = needInteger(op, "ignoreIndex", given.ignoreIndex ?? -100);
  if (target.type.kind !== "int")
    fail("ERR_DTYPE", op, "target must hold class indices", "an integer dtype", target.dtype);
  const classDim = input.ndim === 1 ? 0 : 1;
  const wanted: Shape = input.shape.filter((_, i) => i !== classDim);
  if (input.ndim === 0 || !sameShape(target.shape, wanted))
    fail(
      "ERR_SHAPE",
      op,
      "input and target do not fit",
      "[n, classes] and [n]",
      `${showShape(input.shape)} and ${showShape(target.shape)}`,
    );
  const chosen = (x: Tensor, of: Tensor): Tensor =>
    named(op, () => pick(x, classDim, of.unsqueeze(classDim), false))
      .squeeze(classDim)
      .neg();
  const losses = (x: Tensor): Tensor => {
    // uint8 has no negative values, so every target counts.
    if (target.type.name === "uint8" && ignored < 0) return reduced(chosen(x, target), how);
    const counts = target.ne(ignored);
    const rows = counts.where(chosen(x, counts.where(target, 0)), 0);
    return how === "mean" ? meanOver(rows, counts) : reduced(rows, how);
  };
  return roundedOnce([input], losses, { once: true });
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
  const delta = needNumber(op, "delta", given.delta ?? 1);
  if (!(delta > 0)) refuse(op, "delta", "a number above 0", delta);
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
  const how = reduction === "batchmean" ? reduction : reductionOf(op, reduction, '"batchmean", ');
  if (how === "batchmean" && input.ndim === 0)
    fail("ERR_SHAPE", op, "there is no batch to take the mean over", "[n, ..]", "[]");
  return roundedOnce([input, target], (x, t) => {
    const losses = logTarget === true ? t.exp().mul(t.sub(x)) : divergenceRow(x, t);
    return how === "batchmean" ? sumOver(losses, x.shape[0]!) : reduced(losses, how);
  });
}
