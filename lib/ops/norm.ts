/** Normalizations of each example by itself: over its last dimensions, or over groups of channels. */
import { needInteger } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { numel, sameShape, showShape } from "../core/shape.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";
import { byChannel, needChannels } from "./channels.js";
import {
  factor,
  type LayerNormOptions,
  needEps,
  normalizedSizes,
  promoted,
  type RmsNormOptions,
} from "./norm-arguments.js";
import { type Standard, scaledRows, standardize } from "./standardize.js";

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
  const y = weight
    ? scaledRows(rows!, weight, bias ?? null, p)
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
