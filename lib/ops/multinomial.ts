/** Sampling of indices by weight. */

import { needInteger } from "../core/arguments.js";
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { type Shape, showShape } from "../core/shape.js";
import { needFloat, needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";
import { weightsOf } from "./checked.js";
import { type RandomOptions, rand } from "./random.js";
import { searchsorted } from "./search.js";

export interface MultinomialOptions extends Pick<RandomOptions, "generator"> {
  /** Whether indices are drawn with replacement; default false. */
  readonly replacement?: boolean | undefined;
}

/**
 * Random indices, with probabilities proportional to the weights of each row (which need not sum to 1).
 * @shape weights [n] give [count]; [rows, n] give [rows, count]. @dtype int32. @gradient none.
 * @throws ERR_ARGUMENT for a negative or infinite weight, and for a row whose weights are all 0 (or, without
 * replacement, with fewer positive weights than `count`); ERR_DTYPE for integers; ERR_SHAPE for other ranks.
 * @source Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006 (without replacement).
 * @example tensor([0, 1, 0]).multinomial(1).toArray(); // [1]
 */
export function multinomial(weights: Tensor, count: number, options?: MultinomialOptions): Tensor {
  const op = "multinomial";
  needFloat(op, needTensor(op, weights));
  needInteger(op, "the count", count, 1);
  const { replacement = false, generator } = checkOptions<MultinomialOptions>(
    op,
    options,
    ["generator"],
    ["replacement"],
  );
  if (weights.ndim < 1 || weights.ndim > 2)
    fail("ERR_SHAPE", op, "neither a list nor a matrix", "rank 1 or 2", showShape(weights.shape));
  const least = replacement ? 1 : count;
  if (weights.shape.at(-1)! < least)
    fail("ERR_ARGUMENT", op, "the rows have too few weights", `at least ${least}`, String(weights.shape.at(-1)));
  const given = named(op, () => weightsOf(weights.detach(), least));
  const p = weights.dtype === "float64" ? given.mul(addable(given)) : given;
  const random = (shape: Shape): Tensor => named(op, () => rand(shape, { dtype: "float64", generator }));
  if (!replacement) {
    // Each element gets an exponential waiting time with its weight as the rate; the smallest are drawn.
    const uniform = random(p.shape);
    return uniform.neg().log1p().neg().div(p).topk(count, { largest: false }).indices;
  }
  const sums = p.cumsum(-1);
  const last = sums.narrow(-1, sums.shape.at(-1)! - 1, 1);
  const draws = random([...p.shape.slice(0, -1), count]).mul(last);
  return searchsorted(sums, draws, { right: true }).minimum(lastPositive(p));
}

/** Scales weights of float64 down where their sum would overflow. */
const addable = (given: Tensor): Tensor =>
  given
    .gt(2 ** 900)
    .any()
    .where(2 ** -100, 1);

/** The index of each row's last positive weight, for draws that round up to the total. */
const lastPositive = (p: Tensor): Tensor =>
  p
    .gt(0)
    .flip(-1)
    .argmax(-1, { keepdim: true })
    .neg()
    .add(p.shape.at(-1)! - 1);
