/** Copying ops whose kernels check every element: an invalid element makes the call fail, and nothing is read back. */
import { type DTypeRow, dtypes, showRange } from "../core/dtype.js";
import { type ErrorCode, showBounds } from "../core/errors.js";
import { apply } from "../engine/apply.js";
import { defineRow } from "../engine/row.js";
import { general } from "../engine/rule.js";
import { realOf } from "../native/frame.js";
import type { Tensor } from "../tensor/tensor.js";

const noAttrs: readonly number[] = [];

interface Exact {
  readonly type: DTypeRow;
  /** What the elements are called in the message. */
  readonly what: string;
}

const exactRow = defineRow<Exact>({
  name: "exactly",
  family: "unary",
  kernel: "exactly",
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "none", reason: "integers have no derivative" },
  replay: ([x], { type, what }) => exactly(x as Tensor, type, what),
  refuses: ({ type, what }, [x], { detail }) => ({
    fact: `${what} does not fit ${type.name}`,
    expected: `${showRange(type)} (or use .to("${type.name}"))`,
    got: String((x as Tensor).type.kind === "float" ? realOf(detail) : detail),
  }),
});

/**
 * @internal x (not of half precision) in an integer or bool dtype; ERR_DTYPE unless that holds each element exactly.
 */
export const exactly = (x: Tensor, type: DTypeRow, what = "the value"): Tensor =>
  apply(exactRow, [x], type, type, x.shape, noAttrs, { type, what });

/** A closed interval, and the error for an element outside it. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly fact: string;
  readonly expected: string;
  readonly code?: ErrorCode;
}

const withinRow = defineRow<Interval>({
  name: "within",
  family: "unary",
  kernel: "within",
  inputs: 1,
  accuracy: "exact",
  moves: true,
  // Not a linear rule, which would run the op on gradients and tangents: those may lie outside the interval.
  rule: general([], { vjp: (g) => [g], jvp: ([t]) => t! }),
  replay: ([x], interval) => within(x as Tensor, interval),
  refuses: ({ low: _low, high: _high, ...said }, _, { detail }) => ({ ...said, got: String(realOf(detail)) }),
});

/**
 * @internal Checks that all elements of a float x lie in the interval (NaN does not). ERR_ARGUMENT unless `code` is
 * given.
 */
export const within = (x: Tensor, interval: Interval): Tensor =>
  apply(withinRow, [x], x.type, x.type, x.shape, [interval.low, interval.high], interval);

/** @internal x, a float; ERR_GRADIENT where an element is infinite or NaN. */
export function finite(x: Tensor, fact: string, expected: string): Tensor {
  const high = x.dtype === "float64" ? Number.MAX_VALUE : (2 - 2 ** -23) * 2 ** 127;
  return within(x, { low: -high, high, code: "ERR_GRADIENT", fact, expected });
}

/** @internal Checks that every element is a probability. */
export const probabilities = (x: Tensor, fact: string): Tensor =>
  within(x, { low: 0, high: 1, fact, expected: "0 to 1" });

const placesRow = defineRow<number>({
  name: "places",
  family: "unary",
  kernel: "places",
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "none", reason: "the result is an index" },
  replay: ([index], size) => placesIn(index as Tensor, size),
  refuses: (size) => ({ expected: showBounds(-size, size - 1) }),
});

/**
 * @internal Indices into a dimension as nonnegative int64; negative ones count from its end. ERR_INDEX out of range.
 */
export const placesIn = (index: Tensor, size: number): Tensor =>
  apply(placesRow, [index], dtypes.int64, dtypes.int64, index.shape, [size], size);

const weightsRow = defineRow<number>({
  name: "weights",
  family: "index",
  kernel: "weights",
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "none", reason: "what is drawn by them is an index" },
  replay: ([x], least) => weightsOf(x as Tensor, least),
  refuses: (least, _, { operand, detail }) =>
    operand === 0
      ? { expected: `at least ${least}`, got: String(detail) }
      : { expected: "finite weights of 0 or more", got: String(realOf(detail)) },
  batch: { params: (least) => least },
});

/** @internal Rows of weights in float64; ERR_ARGUMENT unless at least `least` of each row are positive. */
export const weightsOf = (x: Tensor, least: number): Tensor =>
  apply(weightsRow, [x.contiguous()], dtypes.float64, dtypes.float64, x.shape, [least], least);
