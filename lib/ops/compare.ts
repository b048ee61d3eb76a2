/** Elementwise ops whose result is bool. They have no derivative. */
import { type Binary, comparison, predicate, type Unary } from "../engine/elementwise.js";

/**
 * `a == b`; NaN equals nothing.
 * @example tensor([1, 2]).eq(2).toArray(); // [false, true]
 */
export const eq: Binary = comparison("eq");
/**
 * `a != b`.
 * @example tensor([1, 2]).ne(2).toArray(); // [true, false]
 */
export const ne: Binary = comparison("ne");
/**
 * `a < b`.
 * @example tensor([1, 2]).lt(2).toArray(); // [true, false]
 */
export const lt: Binary = comparison("lt");
/**
 * `a <= b`.
 * @example tensor([1, 2]).le(1).toArray(); // [true, false]
 */
export const le: Binary = comparison("le");
/**
 * `a > b`.
 * @example tensor([1, 2]).gt(1).toArray(); // [false, true]
 */
export const gt: Binary = comparison("gt");
/**
 * `a >= b`.
 * @example tensor([1, 2]).ge(2).toArray(); // [false, true]
 */
export const ge: Binary = comparison("ge");
/**
 * Both are nonzero.
 * @example tensor([true, false]).logicalAnd(tensor([true, true])).toArray(); // [true, false]
 */
export const logicalAnd: Binary = comparison("logicalAnd");
/**
 * Either is nonzero.
 * @example tensor([true, false]).logicalOr(tensor([false, false])).toArray(); // [true, false]
 */
export const logicalOr: Binary = comparison("logicalOr");
/**
 * x is zero.
 * @example tensor([true, false]).logicalNot().toArray(); // [false, true]
 */
export const logicalNot: Unary = predicate("logicalNot");
/**
 * x is NaN.
 * @example tensor([1, NaN]).isnan().toArray(); // [false, true]
 */
export const isnan: Unary = predicate("isnan");
/**
 * x is neither infinite nor NaN.
 * @example tensor([1, Infinity]).isfinite().toArray(); // [true, false]
 */
export const isfinite: Unary = predicate("isfinite");
/**
 * x is infinite, of either sign.
 * @example tensor([1, -Infinity]).isinf().toArray(); // [false, true]
 */
export const isinf: Unary = predicate("isinf");
