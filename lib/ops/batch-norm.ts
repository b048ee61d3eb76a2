/** Normalization of each channel, by the statistics of the batch or by running ones. */
import { needNumber } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { showShape } from "../core/shape.js";
import { apply, inCompute } from "../engine/apply.js";
import { isBatched } from "../engine/batched.js";
import { perInput } from "../engine/cost.js";
import { inFloat32 } from "../engine/float32-fallback.js";
import { mode, withGrad } from "../engine/modes.js";
import { defineKernel, defineRow, type Row } from "../engine/row.js";
import { general, sumOf } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { OpNode } from "../engine/tape.js";
import { ones, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { beside, byChannel, fewChannels, needChannels, otherDims } from "./channels.js";
import { hypot } from "./hypot.js";
import { stack } from "./join.js";
import { factor, type LayerNormOptions, needEps, promoted } from "./norm-arguments.js";
import { halfCentred, std, variance } from "./variance.js";

interface Channels {
  readonly eps: number;
}
const keepdim = true;

const momentOf = (m: Tensor, i: 0 | 1): Tensor => m.narrow(0, i, 1).squeeze(0);

/** Mean and variance of each channel. */
function moments(x: Tensor): [mean: Tensor, variance: Tensor] {
  const dims = otherDims(x);
  return [x.mean(dims), variance(x, dims, { correction: 0 })];
}

/** The standardized x, and its Jacobian by x, which is symmetric. */
function standardChannels(x: Tensor, eps: number): { y: Tensor; jacobian: (t: Tensor) => Tensor } {
  const dims = otherDims(x);
  const mean = (t: Tensor): Tensor => t.mean(dims, { keepdim });
  // sqrt(mean square + eps) without squares, which may overflow.
  const length = hypot(std(x, dims, { correction: 0, keepdim }), Math.sqrt(eps));
  const rate = length.reciprocal();
  const y = halfCentred(x, dims).div(length.mul(0.5));
  return {
    y,
    jacobian: (t) =>
      t
        .sub(mean(t))
        .sub(y.mul(mean(t.mul(y))))
        .mul(rate),
  };
}

const channelsBackward = defineKernel<Channels>({
  name: "batchNormBackward",
  family: "fused",
  accuracy: "tree",
  flops: perInput(14),
});

// Normalization by the batch's own statistics. The kernel's residual output holds mean, variance and the reciprocal
// deviation that it multiplied by.
const ownRow: Row<Channels> = defineRow<Channels>({
  name: "batchNorm",
  family: "fused",
  kernel: "batchNorm",
  halves: true,
  flops: perInput(8),
  inputs: 3,
  accuracy: "tree",
  rule: general(["x", "y"], {
    fused: (g, [x, w], c) => {
      const own = c.residual();
      if (own === null) return null;
      const results = [x, w, w].map(({ shape }) => ({ type: x.type, shape }));
      return runKernel({
        row: channelsBackward,
        inputs: [g.contiguous(), x, w, own],
        results,
        attrs: [c.params.eps],
        params: c.params,
      });
    },
    vjp: (g, [x, w], c) => {
      const dims = otherDims(x);
      const { y, jacobian } = standardChannels(x, c.params.eps);
      return [jacobian(g.mul(beside(w, x))), g.mul(y).sum(dims), g.sum(dims)];
    },
    jvp: ([tx, tw, tb], [x, w], { params, shape }) => {
      const { y, jacobian } = standardChannels(x, params.eps);
      return sumOf([
        tx ? jacobian(tx).mul(beside(w, x)) : null,
        tw ? y.mul(beside(tw, x)) : null,
        tb ? beside(tb, x) : null,
      ]).expand(shape);
    },
  }),
  replay: (inputs, p) => runOwn(inputs as Tensor[], p)[0],
  batch: {
    composed: ([x, w, b], p) => byChannel(standardChannels(x as Tensor, p.eps).y, w as Tensor, b as Tensor),
  },
});

/** The result, and the mean and variance if the kernel computed them from x. */
function runOwn(inputs: readonly Tensor[], p: Channels): [y: Tensor, own: Tensor | null] {
  const dense = inputs.map((t) => t.contiguous());
  const { type, shape } = dense[0]!;
  const own = [3, shape[1]!];
  const results = [
    { type, shape },
    { type: type.compute, shape: own },
  ];
  const plain = !isBatched(dense) && !(mode.grad && dense.some((t) => t.node !== null));
  if (plain) {
    const [y, moments] = runKernel({ row: ownRow, inputs: dense, results, attrs: [p.eps], params: p });
    return [y!, moments!];
  }
  const y = apply(ownRow, dense, type, type, shape, [p.eps], p, own);
  return [y, y.node instanceof OpNode ? y.node.residual() : null];
}

// Normalization by given moments [2, channels], mean and variance of each channel.
const givenRow: Row<Channels> = defineRow<Channels>({
  name: "channelNorm",
  family: "fused",
  kernel: "batchNorm",
  halves: true,
  inputs: 4,
  accuracy: "tree",
  rule: general(["x", "y", "w"], {
    fused: (g, [x, w, m], { params }, needs) => {
      if (!x.type.half || needs[3]) return null;
      const { dtype } = x;
      const [mean, variance] = [momentOf(m, 0), momentOf(m, 1)];
      // About a mean of 0 and plus -0 the kernel gives g w / sqrt(variance + eps).
      const none = zeros([x.shape[1]!], { dtype });
      const byX = needs[0] ? runGiven([g, w, none.neg(), stack([none.to(m.dtype), variance])], params) : null;
      if (!needs[1] && !needs[2]) return [byX, null, null, null];
      const dims = otherDims(x);
      const along = fewChannels([g, x, mean], (h, z, centre) => h.mul(z.sub(beside(centre, z))).sum(dims));
      const rate = variance.add(params.eps).rsqrt();
      return [byX, along.mul(rate).to(dtype), g.sum(dims), null];
    },
    vjp: (g, [x, w, m], { params }, needs) => {
      const dims = otherDims(x);
      const rate = momentOf(m, 1).add(params.eps).rsqrt();
      const scale = rate.mul(w);
      const byX = needs[0] ? g.mul(beside(scale, x)) : null;
      if (!needs[1] && !needs[3]) return [byX, null, needs[2] ? g.sum(dims) : null, null];
      const sum = g.sum(dims);
      const along = g.mul(x.sub(beside(momentOf(m, 0), x))).sum(dims);
      const byMoments = [sum.mul(scale).neg(), along.mul(scale).mul(rate.square()).mul(-0.5)];
      return [byX, along.mul(rate), sum, needs[3] ? stack(byMoments) : null];
    },
    jvp: ([tx, tw, tb, tm], [x, w, m], { params, shape }) => {
      const rate = momentOf(m, 1).add(params.eps).rsqrt();
      const scale = beside(rate.mul(w), x);
      const centred = x.sub(beside(momentOf(m, 0), x));
      const slope = tm ? centred.mul(beside(momentOf(tm, 1).mul(rate.square()).mul(-0.5), x)) : null;
      return sumOf([
        tx ? tx.mul(scale) : null,
        tw ? centred.mul(beside(rate.mul(tw), x)) : null,
        tb ? beside(tb, x) : null,
        tm ? slope!.sub(beside(momentOf(tm, 0), x)).mul(scale) : null,
      ]).expand(shape);
    },
  }),
  replay: (inputs, p) => runGiven(inputs as Tensor[], p),
  batch: {
    composed: ([x, w, b, m], p) => {
      const [mean, variance] = [momentOf(m as Tensor, 0), momentOf(m as Tensor, 1)];
      const rate = variance.add(p.eps).rsqrt();
      return byChannel((x as Tensor).sub(beside(mean, x as Tensor)), rate.mul(w!), b as Tensor);
    },
  },
});

function runGiven(inputs: readonly Tensor[], p: Channels): Tensor {
  // The moments are never halves.
  const dense = inputs.map((t, i) => (i < 3 ? t : (inCompute(t) as Tensor)).contiguous());
  const { type, shape } = dense[0]!;
  return apply(givenRow, dense, type, type, shape, [p.eps], p);
}

export interface BatchNormOptions extends LayerNormOptions {
  /** Whether the batch's statistics are used and the running ones updated; default false. */
  readonly training?: boolean | undefined;
  /** The weight of the batch's statistics in the update of the running ones; default 0.1. */
  readonly momentum?: number | undefined;
}

/**
 * Batch normalization: each channel is normalized to mean 0 and variance 1, then scaled by `weight` and shifted by `bias` if given. With `training`, the mean and variance are those of the batch, and the running ones, if given,
 * are updated in place (the variance with divisor n - 1). Otherwise they are the running ones. The default of `eps` is
 * 1e-5.
 * @shape that of x, [n, channels, ..]; the other tensors are [channels].
 * @gradient as {@link layerNorm}, with channels as rows; without training g w / sqrt(var + eps).
 * @throws ERR_SHAPE if the shapes do not fit, or if a channel has only one element while training; ERR_ARGUMENT without
 * running mean and variance unless training; ERR_DTYPE for integers.
 * @source Ioffe and Szegedy, Batch normalization, 2015.
 * @example batchNorm(tensor([[1], [3]]), null, null, { training: true, eps: 0 }).toArray(); // [[-1], [1]]
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options?: BatchNormOptions,
): Tensor {
  const op = "batchNorm";
  const channels = needChannels(op, x);
  const given = checkOptions<BatchNormOptions>(op, options, ["weight", "bias", "momentum", "eps"], ["training"]);
  const training = given.training ?? false;
  const momentum = needNumber(op, "momentum", given.momentum ?? 0.1);
  const eps = needEps(op, given.eps ?? 1e-5);
  const mean = factor(op, "the running mean", runningMean, [channels]);
  const variance = factor(op, "the running variance", runningVar, [channels]);
  const [all, weight, bias] = promoted(op, x, [
    factor(op, "the weight", given.weight, [channels]),
    factor(op, "the bias", given.bias, [channels]),
  ]);
  const { dtype } = all!;
  const inputs = [all!, weight ?? ones([channels], { dtype }), bias ?? zeros([channels], { dtype })];
  const wide = all!.type.compute.name;
  if (!training) {
    if (mean === null || variance === null)
      return fail("ERR_ARGUMENT", op, "there are no running values", "a mean and a variance, or training", "null");
    const given = stack([mean.to(wide), variance.to(wide)]);
    return runGiven([...inputs, given], { eps }).to(dtype);
  }
  const n = channels === 0 ? 0 : x.numel / channels;
  if (n === 1) fail("ERR_SHAPE", op, "one element a channel has no variance", "more elements", showShape(x.shape));
  if (n === 0) return byChannel(all!, weight!, bias!);
  const [y, own] = runOwn(inputs, { eps });
  withGrad(false, () => {
    if (mean === null && variance === null) return;
    const [centre, spread] = own === null ? moments(all!.to(wide)) : [momentOf(own, 0), momentOf(own, 1)];
    const moved = (from: Tensor, to: Tensor, share: number): Tensor =>
      inFloat32([from], (running) => running.mul(1 - momentum).add(to.mul(share)));
    if (mean) mean.assign(moved(mean, centre, momentum));
    if (variance) variance.assign(moved(variance, spread, (momentum * n) / (n - 1)));
  });
  return y.to(dtype);
}
