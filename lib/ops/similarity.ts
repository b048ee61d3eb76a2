/** Normalization of vectors, and cosine similarity. */
import { needNumber } from "../core/arguments.js";
import { named } from "../core/errors.js";
import { broadcast } from "../core/shape.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";
import { dimAndOptions } from "./along.js";
import { div } from "./binary.js";
import { scaledDiv } from "./hypot.js";
import { partOfNorm } from "./part-of-norm.js";

export interface NormalizeOptions {
  /** The dimension of the vectors; default 1. */
  readonly dim?: number | undefined;
  /** The order of the norm; default 2. */
  readonly p?: number | undefined;
  /** A lower bound of the divisor; default 1e-12. */
  readonly eps?: number | undefined;
}

/**
 * `x / max(norm(x), eps)` for the vectors along `dim`.
 * @shape that of x. @gradient also through the norm; where that is below eps, the divisor is constant.
 * @throws ERR_AXIS for a dim out of range; ERR_DTYPE for integers; ERR_ARGUMENT for an invalid option.
 * @example nn.functional.normalize(tensor([[3, 4]])).toArray(); // [[0.6, 0.8]]
 */
export function normalize(x: Tensor, dim?: number | NormalizeOptions, options?: NormalizeOptions): Tensor {
  const op = "normalize";
  needFloat(op, needTensor(op, x));
  const { dim: at, p = 2, eps = 1e-12 } = dimAndOptions(op, x, dim, options, ["dim", "p", "eps"], [], 1);
  needNumber(op, "eps", eps);
  const ord = needNumber(op, "p", p);
  return roundedOnce([x], (y) => {
    const { part, times } = named("norm", () => partOfNorm(y, ord, y.ndim === 0 ? [] : [at]));
    if (typeof times === "number") return scaledDiv(y, part.clamp({ min: eps / times }), 1 / times);
    return y.div(times).div(part.maximum(div(eps, times)));
  });
}

export interface CosineSimilarityOptions {
  /** The dimension of the vectors; default 1. */
  readonly dim?: number | undefined;
  /** A lower bound of each norm; default 1e-8. */
  readonly eps?: number | undefined;
}

/**
 * The cosine of the angle between vectors along `dim`, which is an argument or an option: `x1 · x2 / (max(norm(x1),
 * eps) max(norm(x2), eps))`.
 * @shape two shapes that broadcast; gives the broadcast shape without `dim`.
 * @gradient through the product and the norms.
 * @throws ERR_SHAPE if they do not broadcast; ERR_AXIS for a dim out of range; ERR_DTYPE for integers.
 * @example
 * nn.functional.cosineSimilarity(tensor([[3, 4]]), tensor([[1, 0]])).toArray(); // [0.6]
 * nn.functional.cosineSimilarity(tensor([3, 4]), tensor([1, 0]), 0).item(); // 0.6
 */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  dim?: number | CosineSimilarityOptions,
  options?: CosineSimilarityOptions,
): Tensor {
  const op = "cosineSimilarity";
  needFloat(op, needTensor(op, x1, "the first"));
  needFloat(op, needTensor(op, x2, "the second"));
  const shape = broadcast(op, x1.shape, x2.shape);
  const { dim: at, eps = 1e-8 } = dimAndOptions(op, { ndim: shape.length }, dim, options, ["dim", "eps"], [], 1);
  needNumber(op, "eps", eps);
  return roundedOnce([x1, x2], (a, b) => {
    const [left, right] = [a, b].map((x) => normalize(x.expand(shape), at, { eps })) as [Tensor, Tensor];
    return left.mul(right).sum(at);
  });
}
