/** Losses of classifiers, whose targets are class indices. The default `reduction` is "mean". */
import { needInteger, needShare } from "../core/arguments.js";
import { fail, named, showBounds } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { perInput, perResult } from "../engine/cost.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineKernel, defineRow, eitherHalf, type Row } from "../engine/row.js";
import { type Context, type Gradients, general } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { own } from "../engine/saved.js";
import type { Tensor } from "../tensor/tensor.js";
import { pick } from "./index-rows.js";
import { type LossOptions, type LossReduction, reduced, reductionOf } from "./loss-reduction.js";

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
  rule: general(["x", "y"], {
    vjp: (g, [x, target], c) => [crossEntropyGradient(g, x, target, c.params), null],
    fused: (g, [x, target], c) => (x.type.half ? roundedGradient : completedGradient)(g, x, target, c),
    jvp: ([t], [x, target], c) => crossEntropyGradient(onesOf(t!), x, target, c.params).mul(t!).sum(1),
  }),
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
  rule: general(["x", "y", "z"], {
    vjp: (h, [g, x, target], { params }, needs) => [
      needs[0] ? crossEntropyGradient(onesOf(h), x, target, params).mul(h).sum(1) : null,
      needs[1] ? curvature(h, g, x, target, params) : null,
      null,
    ],
    jvp: ([tg, tx], [g, x, target], { params }) => {
      const byG = tg ? crossEntropyGradient(tg, x, target, params) : null;
      const byX = tx ? curvature(tx, g, x, target, params) : null;
      return byG === null ? byX! : byX === null ? byG : byG.add(byX);
    },
  }),
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

// The forward kernel computes most of the gradient while a row is in the cache, and leaves it as the residual output; of
// halves, whose gradient is rounded at the end, only the two numbers by which a row of the softmax follows from x.
function lossOfRows(x: Tensor, target: Tensor, p: Classes): Tensor {
  const type = x.type.compute;
  return apply(rowsRow, [x, target], type, type, target.shape, attrsOf(p), p, x.type.half ? [x.shape[0]!, 2] : x.shape);
}

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

/** The gradient of halves, computed from them tile by tile; null if the forward kernel has not run. */
function roundedGradient(g: Tensor, x: Tensor, target: Tensor, c: Context<Classes>): Gradients | null {
  const weights = c.residual();
  if (weights === null) return null;
  const { type, shape } = x;
  const [made] = runKernel({
    row: gradientRow,
    inputs: [g, x, target, weights],
    results: [{ type, shape }],
    attrs: [c.params.ignored],
    params: c.params,
  });
  return [made!, null];
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
 * their gradient, which needs as much memory as the logits; inside {@link noGrad}, and for half precision, it does not.
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
  const smoothing = needShare(op, "labelSmoothing", given.labelSmoothing ?? 0);
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
  return roundedOnce([logits], (x) => entropyOf(x, classDim, flat, wanted, { how, ignored, smoothing }), {
    once: smoothing === 0,
  });
}

/** The mean of the losses that count; the others are 0. Avoids the sum, which may overflow where the mean does not. */
const meanOver = (losses: Tensor, counts: Tensor): Tensor =>
  losses.numel === 0 ? losses.mean() : losses.div(counts.sum()).sum();

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
