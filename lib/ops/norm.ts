/** Normalizations: rows scaled to mean 0 and variance 1, or to mean square 1. */
import { needInteger, needNumber } from "../core/arguments.js";
import { promote } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { checkShape, numel, type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { isBatched } from "../engine/batched.js";
import { perInput } from "../engine/cost.js";
import { inFloat32, roundedOnce } from "../engine/float32-fallback.js";
import { mode, withGrad } from "../engine/modes.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { type Batch, defineKernel, defineRow, eitherHalf, type Operand, type Row } from "../engine/row.js";
import { type Rule, save } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { OpNode } from "../engine/tape.js";
import { ones, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { stack } from "./join.js";
import { lengthOf } from "./reduce.js";

interface Standard {
  readonly eps: number;
  /** Whether the mean is subtracted first. */
  readonly centred: boolean;
}

function fused(
  name: string,
  inputs: number,
  kernel: string,
  rule: Rule<Standard>,
  batch: Batch<Standard> = {},
): Row<Standard> {
  const row: Row<Standard> = defineRow<Standard>({
    name,
    family: "fused",
    kernel,
    flops: perInput(kernel === "standardize" ? 8 : 12),
    inputs,
    ...(kernel === "standardize" ? { reads: eitherHalf(0) } : {}),
    accuracy: "tree",
    rule,
    replay: (operands, p) => run(row, operands as Tensor[], p),
    batch,
  });
  return row;
}

function run(row: Row<Standard>, operands: readonly Tensor[], p: Standard): Tensor {
  const dense = operands.map((x) => x.contiguous());
  const { type, shape } = dense[0]!;
  return apply(row, dense, type, type, shape, attrsOf(p), p);
}

const attrsOf = (p: Standard): number[] => [p.eps, p.centred ? 1 : 0];

const sumOf = (parts: readonly (Tensor | null)[]): Tensor =>
  parts.filter((part) => part !== null).reduce((a, b) => a.add(b));
const along = (x: Tensor): Tensor => x.sum(-1, { keepdim: true });

// y = P x / r with r = sqrt(mean((P x)^2) + eps), where P subtracts the mean, or is the identity. As y is the gradient
// of n r, its Jacobian J = (P - y yᵀ / n) / r is symmetric, so one row serves both directions.
const standardizeRow = fused("standardize", 1, "standardize", {
  kind: "general",
  saves: save.x,
  vjp: (g, [, x], c) => [jacobian(g, x!, c.params)],
  jvp: ([t], [, x], c) => jacobian(t!, x!, c.params),
});
const standardize = (x: Tensor, p: Standard): Tensor => run(standardizeRow, [x], p);

const backwardRow: Row<Standard> = fused("standardizeBackward", 2, "standardizeBackward", {
  kind: "general",
  saves: save.x | save.y,
  vjp: (h, [, g, x], { params }, needs) => [
    needs[0] ? jacobian(h, x!, params) : null,
    needs[1] ? curvature(h, g!, x!, params) : null,
  ],
  jvp: ([tg, tx], [, g, x], { params }) =>
    sumOf([tg ? jacobian(tg, x!, params) : null, tx ? curvature(tx, g!, x!, params) : null]),
});
const jacobian = (g: Tensor, x: Tensor, p: Standard): Tensor => run(backwardRow, [g, x], p);

/** The derivative of <h, J g> with respect to x. It is symmetric in h and g, being a third derivative of n r. */
function curvature(h: Tensor, g: Tensor, x: Tensor, p: Standard): Tensor {
  const y = standardize(x, p);
  const jh = jacobian(h, x, p);
  const jg = jacobian(g, x, p);
  const centred = p.centred ? x.sub(x.mean(-1, { keepdim: true })) : x;
  const scale = centred
    .square()
    .mean(-1, { keepdim: true })
    .add(p.eps)
    .rsqrt()
    .mul(-1 / x.shape[x.ndim - 1]!);
  return y
    .mul(along(h.mul(jg)))
    .add(jh.mul(along(g.mul(y))))
    .add(jg.mul(along(h.mul(y))))
    .mul(scale);
}

/** The gradients of x, weight and bias at once. */
const affineBackward = defineKernel<Standard>({
  name: "scaledNormBackward",
  family: "fused",
  accuracy: "tree",
  flops: perInput(14),
});

/** Normalized rows times a weight, and perhaps plus a bias. */
const affineRow = (name: string, inputs: number): Row<Standard> =>
  fused(
    name,
    inputs,
    "standardize",
    {
      kind: "general",
      saves: save.x | save.y,
      vjp: (g, [, x, w], { params }, needs) => [
        needs[0] ? jacobian(g.mul(w!), x!, params) : null,
        needs[1] ? g.mul(standardize(x!, params)) : null,
        ...(inputs > 2 ? [g] : []),
      ],
      fused: (g, [, x, w], { params }) => {
        const dense = [g, x!, w!].map((each) => each.contiguous());
        const results = [x!, w!, w!].map(({ shape }) => ({ type: x!.type, shape }));
        return runKernel({ row: affineBackward, inputs: dense, results, attrs: attrsOf(params), params }).slice(
          0,
          inputs,
        );
      },
      jvp: ([tx, tw, tb], [, x, w], { params, shape }) =>
        sumOf([
          tx ? jacobian(tx, x!, params).mul(w!) : null,
          tw ? standardize(x!, params).mul(tw) : null,
          tb ?? null,
        ]).expand(shape),
    },
    { shared: [1, 2], params: (p) => p, composed: affine },
  );
function affine([x, weight, bias]: readonly Operand[], p: Standard): Tensor {
  const scaled = standardize(x as Tensor, p).mul(weight!);
  return bias === undefined ? scaled : scaled.add(bias);
}
const layerRow = affineRow("layerNorm", 3);
const rmsRow = affineRow("rmsNorm", 2);

/** x, weight and bias in their promoted dtype. */
function promoted(op: string, x: Tensor, others: readonly (Tensor | null | undefined)[]): (Tensor | null)[] {
  let { type } = needFloat(op, x);
  for (const other of others) if (other) type = promote(type, needFloat(op, other).type);
  return [x, ...others].map((one) => (one ? one.to(type.name) : null));
}

/** An optional weight or bias; ERR_SHAPE for another shape. */
function factor(op: string, what: string, x: unknown, shape: Shape): Tensor | null {
  if (x === undefined || x === null) return null;
  const given = needTensor(op, x, what);
  if (!sameShape(given.shape, shape))
    fail("ERR_SHAPE", op, `${what} does not fit the input`, showShape(shape), showShape(given.shape));
  return given;
}

function needEps(op: string, eps: unknown): number {
  return needNumber(op, "eps", eps, { least: 0 });
}

export interface RmsNormOptions {
  /** Multiplies the normalized x; of the normalized shape (for channels: [channels]). Default none. */
  readonly weight?: Tensor | null | undefined;
  /** Added to the variance (in RMS normalization, to the mean square). The default depends on the function. */
  readonly eps?: number | undefined;
}
export interface LayerNormOptions extends RmsNormOptions {
  /** Added at the end; of the normalized shape (for channels: [channels]). Default none. */
  readonly bias?: Tensor | null | undefined;
}

/** @internal The checked `normalizedShape` of a norm over the last dimensions. */
export const normalizedSizes = (op: string, shape: number | readonly number[]): Shape => {
  const sizes = checkShape(op, typeof shape === "number" ? [shape] : shape);
  if (sizes.length === 0) fail("ERR_SHAPE", op, "nothing to normalise over", "at least one dimension", "[]");
  return sizes;
};

/** Flattens the last dimensions, normalizes and scales. */
function overLast(op: string, x: Tensor, given: number | readonly number[], p: Standard, o: LayerNormOptions): Tensor {
  needTensor(op, x);
  const sizes = normalizedSizes(op, given);
  const lead = x.ndim - sizes.length;
  if (lead < 0 || !sameShape(x.shape.slice(lead), sizes))
    fail("ERR_SHAPE", op, "the input does not end in the normalised shape", showShape(sizes), showShape(x.shape));
  const n = numel(sizes);
  const [rows, weight, bias] = promoted(op, x, [
    factor(op, "the weight", o.weight, sizes),
    factor(op, "the bias", o.bias, sizes),
  ]).map((one, i) => {
    if (one === null || sizes.length === 1) return one;
    return one.reshape(i === 0 ? [...x.shape.slice(0, lead), n] : [n]);
  });
  const y =
    weight && bias
      ? run(layerRow, [rows!, weight, bias], p)
      : weight
        ? run(rmsRow, [rows!, weight], p)
        : bias
          ? roundedOnce([rows!, bias], (z, b) => standardize(z, p).add(b), { once: true })
          : standardize(rows!, p);
  return sizes.length === 1 ? y : y.reshape(x.shape);
}

/**
 * Layer normalization: each row (the last dimensions) is normalized to mean 0 and variance 1, `(x - mean) / sqrt(var +
 * eps)`, then scaled by `weight` and shifted by `bias` if given. The default of `eps` is 1e-5.
 * @shape that of x, which ends in `normalizedShape`; so do weight and bias.
 * @gradient (g w - mean(g w) - y mean(g w y)) / sqrt(var + eps) for x, with y the normalized x; the sums of g y for the
 * weight and of g for the bias.
 * @throws ERR_SHAPE if the shapes do not fit; ERR_DTYPE for integers.
 * @source Ba, Kiros and Hinton, Layer normalization, 2016.
 * @example layerNorm(tensor([[1, 3]]), 2, { eps: 0 }).toArray(); // [[-1, 1]]
 */
export function layerNorm(x: Tensor, normalizedShape: number | readonly number[], options?: LayerNormOptions): Tensor {
  const given = checkOptions<LayerNormOptions>("layerNorm", options, ["weight", "bias", "eps"]);
  return overLast(
    "layerNorm",
    x,
    normalizedShape,
    { eps: needEps("layerNorm", given.eps ?? 1e-5), centred: true },
    given,
  );
}

/**
 * RMS normalization: each row (the last dimensions) is scaled to mean square 1, `x / sqrt(mean(x^2) + eps)`, then
 * scaled by `weight` if given. The default of `eps` is the machine epsilon of the dtype.
 * @shape that of x, which ends in `normalizedShape`; so does the weight.
 * @gradient (g w - y mean(g w y)) / sqrt(mean(x^2) + eps) for x, with y the normalized x; the sum of g y for the
 * weight.
 * @throws ERR_SHAPE if the shapes do not fit; ERR_DTYPE for integers.
 * @source Zhang and Sennrich, Root mean square layer normalization, 2019.
 * @example rmsNorm(tensor([[3, 3]]), 2, { eps: 0 }).toArray(); // [[1, 1]]
 */
export function rmsNorm(x: Tensor, normalizedShape: number | readonly number[], options?: RmsNormOptions): Tensor {
  const given = checkOptions<RmsNormOptions>("rmsNorm", options, ["weight", "eps"]);
  const least = needTensor("rmsNorm", x).dtype === "float64" ? 2 ** -52 : 2 ** -23;
  return overLast(
    "rmsNorm",
    x,
    normalizedShape,
    { eps: needEps("rmsNorm", given.eps ?? least), centred: false },
    given,
  );
}

/** y times weight plus bias, per channel. */
function byChannel(y: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  const scaled = weight ? y.mul(beside(weight, y)) : y;
  return bias ? scaled.add(beside(bias, y)) : scaled;
}

function needChannels(op: string, x: Tensor): number {
  if (needTensor(op, x).ndim < 2)
    fail("ERR_SHAPE", op, "the input has no channels", "[n, channels, ..]", showShape(x.shape));
  return x.shape[1]!;
}

/**
 * Group normalization: each group of channels of each example is normalized to mean 0 and variance 1; then each channel
 * is scaled by `weight` and shifted by `bias` if given. The default of `eps` is 1e-5.
 * @shape that of x, [n, channels, ..]; weight and bias are [channels].
 * @gradient as {@link layerNorm}, with groups as rows.
 * @throws ERR_ARGUMENT if the number of groups does not divide that of channels; ERR_SHAPE if the shapes do not fit;
 * ERR_DTYPE for integers.
 * @source Wu and He, Group normalization, 2018.
 * @example groupNorm(tensor([[1, 3, 5, 9]]), 2, { eps: 0 }).toArray(); // [[-1, 1, -1, 1]]
 */
export function groupNorm(x: Tensor, groups: number, options?: LayerNormOptions): Tensor {
  const op = "groupNorm";
  const channels = needChannels(op, x);
  needInteger(op, "the number of groups", groups, 1);
  if (channels % groups !== 0)
    fail("ERR_ARGUMENT", op, "the groups do not divide the channels", `a divisor of ${channels}`, String(groups));
  const given = checkOptions<LayerNormOptions>(op, options, ["weight", "bias", "eps"]);
  const [all, weight, bias] = promoted(op, x, [
    factor(op, "the weight", given.weight, [channels]),
    factor(op, "the bias", given.bias, [channels]),
  ]);
  const eps = needEps(op, given.eps ?? 1e-5);
  const present = [all!, weight ?? null, bias ?? null].filter((one) => one !== null);
  return roundedOnce(
    present,
    (z, ...affine) => {
      const rows = z.reshape([x.shape[0]!, groups, numel(x.shape.slice(1)) / groups]);
      const y = standardize(rows, { eps, centred: true }).reshape(x.shape);
      return byChannel(y, weight ? affine[0]! : null, bias ? affine.at(-1)! : null);
    },
    { once: true },
  );
}

interface Channels {
  readonly eps: number;
}
const keepdim = true;

const otherDims = (x: Tensor): number[] => x.shape.map((_, i) => i).filter((i) => i !== 1);
/** Per-channel values, shaped to broadcast with x. */
const beside = (v: Tensor, x: Tensor): Tensor => v.reshape([-1, ...x.shape.slice(2).map(() => 1)]);

const momentOf = (m: Tensor, i: 0 | 1): Tensor => m.narrow(0, i, 1).squeeze(0);

/** Mean and variance of each channel. */
function moments(x: Tensor): [mean: Tensor, variance: Tensor] {
  const dims = otherDims(x);
  const mean = x.mean(dims);
  return [mean, x.sub(beside(mean, x)).square().mean(dims)];
}

/** The standardized x, and its Jacobian by x, which is symmetric. */
function standardChannels(x: Tensor, eps: number): { y: Tensor; jacobian: (t: Tensor) => Tensor } {
  const dims = otherDims(x);
  const mean = (t: Tensor): Tensor => t.mean(dims, { keepdim });
  const centred = x.sub(mean(x));
  const n = centred.numel / x.shape[1]!;
  // sqrt(mean square + eps) without squares, which may overflow.
  const deviation = lengthOf(centred, dims, { keepdim }).div(Math.sqrt(n));
  const rate = lengthOf(stack([deviation, deviation.detach().mul(0).add(Math.sqrt(eps))]), 0).reciprocal();
  const y = centred.mul(rate);
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
  flops: perInput(8),
  inputs: 3,
  accuracy: "tree",
  rule: {
    kind: "general",
    saves: save.x | save.y,
    fused: (g, [, x, w], c) => {
      const own = c.residual();
      if (own === null) return null;
      const results = [x!, w!, w!].map(({ shape }) => ({ type: x!.type, shape }));
      return runKernel({
        row: channelsBackward,
        inputs: [g.contiguous(), x!, w!, own],
        results,
        attrs: [c.params.eps],
        params: c.params,
      });
    },
    vjp: (g, [, x, w], c) => {
      const dims = otherDims(x!);
      const { y, jacobian } = standardChannels(x!, c.params.eps);
      return [jacobian(g.mul(beside(w!, x!))), g.mul(y).sum(dims), g.sum(dims)];
    },
    jvp: ([tx, tw, tb], [, x, w], { params, shape }) => {
      const { y, jacobian } = standardChannels(x!, params.eps);
      return sumOf([
        tx ? jacobian(tx).mul(beside(w!, x!)) : null,
        tw ? y.mul(beside(tw, x!)) : null,
        tb ? beside(tb, x!) : null,
      ]).expand(shape);
    },
  },
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
  const results = [shape, own].map((each) => ({ type, shape: each }));
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
  inputs: 4,
  accuracy: "tree",
  rule: {
    kind: "general",
    saves: save.x | save.y | (save.z << 1),
    vjp: (g, [, x, w, , m], { params }, needs) => {
      const dims = otherDims(x!);
      const rate = momentOf(m!, 1).add(params.eps).rsqrt();
      const scale = rate.mul(w!);
      const byX = needs[0] ? g.mul(beside(scale, x!)) : null;
      if (!needs[1] && !needs[3]) return [byX, null, needs[2] ? g.sum(dims) : null, null];
      const sum = g.sum(dims);
      const along = g.mul(x!.sub(beside(momentOf(m!, 0), x!))).sum(dims);
      const byMoments = [sum.mul(scale).neg(), along.mul(scale).mul(rate.square()).mul(-0.5)];
      return [byX, along.mul(rate), sum, needs[3] ? stack(byMoments) : null];
    },
    jvp: ([tx, tw, tb, tm], [, x, w, , m], { params, shape }) => {
      const rate = momentOf(m!, 1).add(params.eps).rsqrt();
      const scale = beside(rate.mul(w!), x!);
      const centred = x!.sub(beside(momentOf(m!, 0), x!));
      const slope = tm ? centred.mul(beside(momentOf(tm, 1).mul(rate.square()).mul(-0.5), x!)) : null;
      return sumOf([
        tx ? tx.mul(scale) : null,
        tw ? centred.mul(beside(rate.mul(tw), x!)) : null,
        tb ? beside(tb, x!) : null,
        tm ? slope!.sub(beside(momentOf(tm, 0), x!)).mul(scale) : null,
      ]).expand(shape);
    },
  },
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
  const dense = inputs.map((t) => t.contiguous());
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
  const dtype = all!.type.compute.name;
  const inputs = [
    all!.to(dtype),
    weight?.to(dtype) ?? ones([channels], { dtype }),
    bias?.to(dtype) ?? zeros([channels], { dtype }),
  ];
  if (!training) {
    if (mean === null || variance === null)
      return fail("ERR_ARGUMENT", op, "there are no running values", "a mean and a variance, or training", "null");
    const given = stack([mean.to(dtype), variance.to(dtype)]);
    return runGiven([...inputs, given], { eps }).to(all!.dtype);
  }
  const n = channels === 0 ? 0 : x.numel / channels;
  if (n === 1) fail("ERR_SHAPE", op, "one element a channel has no variance", "more elements", showShape(x.shape));
  if (n === 0) return byChannel(all!, weight!, bias!);
  const [y, own] = runOwn(inputs, { eps });
  withGrad(false, () => {
    if (mean === null && variance === null) return;
    const [centre, spread] = own === null ? moments(inputs[0]!) : [momentOf(own, 0), momentOf(own, 1)];
    const moved = (from: Tensor, to: Tensor, share: number): Tensor =>
      inFloat32([from], (running) => running.mul(1 - momentum).add(to.mul(share)));
    if (mean) mean.assign(moved(mean, centre, momentum));
    if (variance) variance.assign(moved(variance, spread, (momentum * n) / (n - 1)));
  });
  return y.to(all!.dtype);
}
