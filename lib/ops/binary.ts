/**
 * Elementwise ops of two and three operands; shapes broadcast, dtypes are promoted, and a number may take the place of
 * a tensor.
 */
import type { DTypeRow } from "../core/dtype.js";
import { type Binary, binary, selection, type Ternary, ternary } from "../engine/elementwise.js";
import { isHighest, isLowest } from "../engine/operand.js";
import { minusOne, type Operand, one, partial, partialOfNumbers } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * `a + b`.
 * @shape broadcast. @dtype promoted; bool becomes int64.
 * @gradient 1 for both.
 * @throws ERR_SHAPE if the shapes do not broadcast; ERR_DTYPE for a number that the integer dtype does not hold.
 * @example tensor([1, 2]).add(1).toArray(); // [2, 3]
 */
export const add: Binary = binary("add", { compute: "number", accuracy: "exact", partials: [one, one] });

/**
 * `a - b`.
 * @shape broadcast. @dtype promoted; bool becomes int64.
 * @gradient 1 and -1.
 * @throws ERR_SHAPE if the shapes do not broadcast; ERR_DTYPE for a number that the integer dtype does not hold.
 * @example tensor([1, 2]).sub(1).toArray(); // [0, 1]
 */
export const sub: Binary = binary("sub", { compute: "number", accuracy: "exact", partials: [one, minusOne] });

/**
 * `a * b`, element by element.
 * @shape broadcast. @dtype promoted; bool becomes int64.
 * @gradient b and a.
 * @throws ERR_SHAPE if the shapes do not broadcast; ERR_DTYPE for a number that the integer dtype does not hold.
 * @example tensor([1, 2]).mul(tensor([3, 4])).toArray(); // [3, 8]
 */
export const mul: Binary = binary("mul", {
  compute: "number",
  accuracy: "exact",
  partials: [partialOfNumbers(["y"], (t, b) => t.mul(b)), partialOfNumbers(["x"], (t, a) => t.mul(a))],
});

/**
 * `a / b`; integers become the default float dtype.
 * @shape broadcast. @dtype promoted; integers and bool become the default float dtype.
 * @gradient 1 / b and -a / b^2.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1, 2]).div(2).toArray(); // [0.5, 1]
 */
export const div: Binary = binary("div", {
  compute: "float",
  accuracy: "exact",
  partials: [
    partialOfNumbers(["y"], (t, b) => t.div(b)),
    partialOfNumbers(["out", "y"], (t, out, b) => t.mul(out).div(b).neg()),
  ],
});

/**
 * `a` to the power `b`; integers stay integers: a negative power of an integer is 0, except of 1 and -1.
 * @shape broadcast. @dtype promoted; bool becomes int64.
 * @gradient b a^(b-1), 0 where b is 0; and a^b log(a), 0 where a is 0 and b >= 0.
 * @throws ERR_SHAPE if the shapes do not broadcast; ERR_DTYPE for a number that the integer dtype does not hold.
 * @example tensor([2, 3]).pow(2).toArray(); // [4, 9]
 */
export const pow: Binary = binary("pow", {
  compute: "number",
  accuracy: 4,
  partials: [
    // Exactly 0 where b is 0, also at a = 0.
    partialOfNumbers(["x", "y"], (t, a, b) => {
      if (typeof b === "number") return b === 0 ? t.mul(0) : t.mul((a as Tensor).pow(b - 1)).mul(b);
      const flat = b.eq(0);
      const base = typeof a === "number" ? b.mul(0).add(a) : a;
      return flat.where(0, t.mul(b).mul(base.pow(flat.where(1, b).sub(1))));
    }),
    partial(["x", "y", "out"], (t, a, b, out) => {
      const flat = a.eq(0).logicalAnd(b.ge(0));
      return flat.where(0, t.mul(out).mul(flat.where(1, a.to(t.dtype)).log()));
    }),
  ],
});

/** If the number can never be the result, the result is the other operand. */
const neverOf =
  (never: (x: Operand, type: DTypeRow) => boolean) =>
  ([a, b]: readonly Operand[], type: DTypeRow): readonly Operand[] => [
    never(a!, type) ? b! : a!,
    never(b!, type) ? a! : b!,
  ];

/**
 * The larger operand; NaN if either is NaN. A number beside an integer tensor must fit the tensor's dtype, or lie below
 * its range: then the result is the tensor.
 * @shape broadcast. @dtype promoted.
 * @gradient 1 for the larger operand and 0 for the smaller; 1/2 for each where they are equal.
 * @throws ERR_SHAPE if the shapes do not broadcast; ERR_DTYPE for any other number beside an integer tensor.
 * @example tensor([1, 5]).maximum(3).toArray(); // [3, 5]
 */
export const maximum: Binary = binary("maximum", {
  compute: "same",
  accuracy: "exact",
  whole: neverOf(isLowest),
  partials: [
    partial(["x", "y"], (t, a, b) => t.mul(share(a.gt(b), a.eq(b), t))),
    partial(["x", "y"], (t, a, b) => t.mul(share(b.gt(a), a.eq(b), t))),
  ],
});

/**
 * The smaller operand; NaN if either is NaN. A number beside an integer tensor must fit the tensor's dtype, or lie
 * above its range: then the result is the tensor.
 * @shape broadcast. @dtype promoted.
 * @gradient 1 for the smaller operand and 0 for the larger; 1/2 for each where they are equal.
 * @throws ERR_SHAPE if the shapes do not broadcast; ERR_DTYPE for any other number beside an integer tensor.
 * @example tensor([1, 5]).minimum(3).toArray(); // [1, 3]
 */
export const minimum: Binary = binary("minimum", {
  compute: "same",
  accuracy: "exact",
  whole: neverOf(isHighest),
  partials: [
    partial(["x", "y"], (t, a, b) => t.mul(share(a.lt(b), a.eq(b), t))),
    partial(["x", "y"], (t, a, b) => t.mul(share(b.lt(a), a.eq(b), t))),
  ],
});

// 1 where `wins`, 1/2 where `ties`, else 0, in t's dtype.
const share = (wins: Tensor, ties: Tensor, t: Tensor): Tensor => wins.to(t.dtype).add(ties.to(t.dtype).mul(0.5));

/**
 * `a` where the condition holds, else `b`. As a method: `condition.where(a, b)`.
 * @shape broadcast. @dtype the condition is bool; a and b are promoted.
 * @gradient 1 for the chosen operand and 0 for the other, even where that is NaN.
 * @throws ERR_DTYPE unless the condition is bool; ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([true, false]).where(1, tensor([5, 6])).toArray(); // [1, 6]
 */
export const where: Ternary = selection("where", {
  accuracy: "exact",
  partials: [
    null,
    partial(["x"], (t, condition) => condition.where(t, 0)),
    partial(["x"], (t, condition) => condition.where(0, t)),
  ],
});

/**
 * `a + weight * (b - a)`.
 * @shape broadcast. @dtype promoted; integers and bool become the default float dtype.
 * @gradient 1 - weight for a, weight for b, b - a for the weight.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([0]).lerp(tensor([10]), 0.25).item(); // 2.5
 */
export const lerp: Ternary = ternary("lerp", {
  compute: "float",
  accuracy: 2,
  partials: [
    partialOfNumbers(["z"], (t, w) => t.sub(t.mul(w))),
    partialOfNumbers(["z"], (t, w) => t.mul(w)),
    // In t's dtype, as integer arithmetic would wrap; halved, as the difference may overflow.
    partial(["x", "y"], (t, a, b) => t.mul(b.to(t.dtype).mul(0.5).sub(a.to(t.dtype).mul(0.5))).mul(2)),
  ],
});
