/**
 * Elementwise ops with bool results. They have no derivative. Integer and bool tensors are compared exactly with any
 * number; a number beside a float tensor is first converted to its dtype.
 */
import { holds } from "../core/dtype.js";
import { type Binary, comparison, predicate, type Unary } from "../engine/elementwise.js";
import type { Operand } from "../engine/rule.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";

const kernels = {
  eq: comparison("eq"),
  ne: comparison("ne"),
  lt: comparison("lt"),
  le: comparison("le"),
  gt: comparison("gt"),
  ge: comparison("ge"),
};
type Comparison = keyof typeof kernels;

/** The same comparison with its operands swapped. */
const exchanged: Readonly<Record<Comparison, Comparison>> = {
  eq: "eq",
  ne: "ne",
  lt: "gt",
  le: "ge",
  gt: "lt",
  ge: "le",
};

/** Compares an integer or bool tensor with any number: x < 2.5 is x < 3, and x > 2.5 is x > 2. */
function besideNumber(name: Comparison, x: Tensor, number: number): Tensor {
  const up = name === "lt" || name === "ge";
  const down = name === "le" || name === "gt";
  const n = up ? Math.ceil(number) : down ? Math.floor(number) : number;
  if (holds(x.type, n)) return kernels[name](x, n);
  // No element equals the number, and all compare the same way.
  const all = name === "ne" || (name === "lt" || name === "le" ? n > 0 : name !== "eq" && n < 0);
  return all ? kernels.eq(x, x) : kernels.ne(x, x);
}

const isWhole = (x: Operand): x is Tensor => isTensor(x) && x.type.kind !== "float";

const exact =
  (name: Comparison): Binary =>
  (a, b) => {
    if (typeof b === "number" && isWhole(a)) return besideNumber(name, a, b);
    if (typeof a === "number" && isWhole(b)) return besideNumber(exchanged[name], b, a);
    return kernels[name](a, b);
  };

/** A number as a truth value. */
const truth = (x: Operand): Operand => (typeof x === "number" ? Number(x !== 0) : x);
const both = comparison("logicalAnd");
const either = comparison("logicalOr");

/**
 * `a == b`; NaN equals nothing.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1, 2]).eq(2).toArray(); // [false, true]
 */
export const eq: Binary = exact("eq");
/**
 * `a != b`.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1, 2]).ne(2).toArray(); // [true, false]
 */
export const ne: Binary = exact("ne");
/**
 * `a < b`.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1, 2]).lt(2).toArray(); // [true, false]
 */
export const lt: Binary = exact("lt");
/**
 * `a <= b`.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1, 2]).le(1).toArray(); // [true, false]
 */
export const le: Binary = exact("le");
/**
 * `a > b`.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1, 2]).gt(1).toArray(); // [false, true]
 */
export const gt: Binary = exact("gt");
/**
 * `a >= b`.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1, 2]).ge(2).toArray(); // [false, true]
 */
export const ge: Binary = exact("ge");
/**
 * Whether both are nonzero.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([true, false]).logicalAnd(tensor([true, true])).toArray(); // [true, false]
 */
export const logicalAnd: Binary = (a, b) => both(truth(a), truth(b));
/**
 * Whether either is nonzero.
 * @shape broadcast. @dtype bool. @gradient none.
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([true, false]).logicalOr(tensor([false, false])).toArray(); // [true, false]
 */
export const logicalOr: Binary = (a, b) => either(truth(a), truth(b));
/**
 * Whether x is zero.
 * @shape that of x. @dtype bool. @gradient none.
 * @example tensor([true, false]).logicalNot().toArray(); // [false, true]
 */
export const logicalNot: Unary = predicate("logicalNot");
/**
 * Whether x is NaN.
 * @shape that of x. @dtype bool. @gradient none.
 * @example tensor([1, NaN]).isnan().toArray(); // [false, true]
 */
export const isnan: Unary = predicate("isnan");
/**
 * Whether x is neither infinite nor NaN.
 * @shape that of x. @dtype bool. @gradient none.
 * @example tensor([1, Infinity]).isfinite().toArray(); // [true, false]
 */
export const isfinite: Unary = predicate("isfinite");
/**
 * Whether x is infinite, of either sign.
 * @shape that of x. @dtype bool. @gradient none.
 * @example tensor([1, -Infinity]).isinf().toArray(); // [false, true]
 */
export const isinf: Unary = predicate("isinf");
