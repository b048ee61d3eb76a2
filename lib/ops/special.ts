/** Special functions, logarithms to other bases, remainder and clamping. */
import { needNumber } from "../core/arguments.js";
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import {
  applyElementwise,
  type Binary,
  binary,
  computeType,
  ternary,
  type Unary,
  unary,
} from "../engine/elementwise.js";
import { commonType, isHighest, isLowest, needOperand, needTensor } from "../engine/operand.js";
import { defineRow, type Row } from "../engine/row.js";
import { type Operand, one, partial, partialOfNumbers } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * Logarithm to base 2; -inf at 0, NaN for negative x.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / (x log(2)).
 * @example tensor([8]).log2().item(); // 3
 */
export const log2: Unary = unary("log2", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["x"], (t, x) => t.mul(Math.LOG2E).div(x))],
});

/**
 * Logarithm to base 10; -inf at 0, NaN for negative x.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 1 / (x log(10)).
 * @example tensor([1000]).log10().item(); // 3
 */
export const log10: Unary = unary("log10", {
  compute: "float",
  accuracy: 2,
  partials: [partial(["x"], (t, x) => t.mul(Math.LOG10E).div(x))],
});

/**
 * `log(exp(a) + exp(b))` without overflow.
 * @shape broadcast. @dtype promoted; integers and bool become the default float dtype.
 * @gradient sigmoid(a - b) and sigmoid(b - a).
 * @throws ERR_SHAPE if the shapes do not broadcast.
 * @example tensor([1000]).logaddexp(1000).item(); // 1000.693...
 */
export const logaddexp: Binary = binary("logaddexp", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["x", "y"], (t, a, b) => t.mul(a.sub(b).sigmoid())),
    partial(["x", "y"], (t, a, b) => t.mul(b.sub(a).sigmoid())),
  ],
});

/**
 * The error function: `2 / sqrt(π)` times the integral of `exp(-s^2)` from 0 to x.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 2 / sqrt(π) exp(-x^2).
 * @example tensor([0]).erf().item(); // 0
 */
export const erf: Unary = unary("erf", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.mul(x.square().neg().exp()).mul(2 / Math.sqrt(Math.PI)))],
});

/**
 * The inverse of {@link erf}; infinite at -1 and 1, NaN outside.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient sqrt(π) / 2 exp(erfinv(x)^2).
 * @source Giles, Approximating the erfinv function, 2011.
 * @example tensor([0]).erfinv().item(); // 0
 */
export const erfinv: Unary = unary("erfinv", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["out"], (t, y) => t.mul(y.square().exp()).mul(Math.sqrt(Math.PI) / 2))],
});

/**
 * The logarithm of the absolute value of the gamma function; infinite at 0 and the negative integers.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient digamma(x).
 * @example tensor([5]).lgamma().exp().item(); // 24
 */
export const lgamma: Unary = unary("lgamma", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.mul(x.digamma()))],
});

/**
 * The derivative of {@link lgamma}; NaN at the negative integers, -inf at 0 and inf at -0.
 * @shape that of x. @dtype that of x; integers and bool become the default float dtype.
 * @gradient the trigamma function.
 * @source Bernardo, Algorithm AS 103: Psi (digamma) function, 1976; Abramowitz and Stegun, 6.4.
 * @example tensor([1]).digamma().item(); // -0.577...
 */
export const digamma: Unary = unary("digamma", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["x"], (t, x) => t.mul(trigamma(x)))],
});

// The coefficients of 1/z^3, 1/z^5, ... in the asymptotic series of trigamma: the Bernoulli numbers B2, B4, ...
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6];
const shift = 8;

/** The derivative of digamma: reflected to x >= 1/2, shifted to x >= 8.5 by recurrence, then the asymptotic series. */
function trigamma(x: Tensor): Tensor {
  const reflect = x.lt(0.5);
  const z = reflect.where(x.neg().add(1), x);
  let sum = z.square().reciprocal();
  for (let k = 1; k < shift; k++) sum = sum.add(z.add(k).square().reciprocal());
  const inverse = z.add(shift).reciprocal();
  const square = inverse.square();
  const tail = bernoulli.reduceRight(
    (acc: Tensor | null, b) => (acc === null ? square.mul(b) : acc.add(b).mul(square)),
    null,
  )!;
  const direct = sum.add(inverse.mul(tail.add(inverse.mul(0.5)).add(1)));
  // |sin(πx)|, with an exactly reduced argument.
  const inside = reflect.where(x, 0.25);
  const sine = inside.sub(inside.round()).mul(Math.PI).sin();
  return reflect.where(
    sine
      .square()
      .reciprocal()
      .mul(Math.PI ** 2)
      .sub(direct),
    direct,
  );
}

/**
 * `a - b floor(a / b)`: the remainder with the sign of b, as in Python. Where b is 0, it is 0 for integers and NaN for
 * floats.
 * @shape broadcast. @dtype promoted; bool becomes int64.
 * @gradient 1 and -floor(a / b).
 * @throws ERR_SHAPE if the shapes do not broadcast; ERR_DTYPE for a number that the integer dtype does not hold.
 * @example tensor([5, -5]).remainder(3).toArray(); // [2, 1]
 */
export const remainder: Binary = binary("remainder", {
  compute: "number",
  accuracy: "exact",
  partials: [one, partial(["x", "y", "out"], (t, a, b, rest) => t.mul(rest.div(b).sub(a.div(b)).round()))],
});

const clampRow = ternary("clamp", {
  compute: "number",
  accuracy: "exact",
  partials: [
    partialOfNumbers(["x", "y", "z"], (t, x, low, high) => within(x as Tensor, low, high).where(t, 0)),
    partialOfNumbers(["x", "y", "z"], (t, x, low, high) => lifted(x as Tensor, low, high).where(t, 0)),
    partialOfNumbers(["x", "y", "z"], (t, x, low, high) => (x as Tensor).maximum(low).gt(high).where(t, 0)),
  ],
});
const within = (x: Tensor, low: Operand, high: Operand): Tensor => x.ge(low).logicalAnd(x.le(high));
const lifted = (x: Tensor, low: Operand, high: Operand): Tensor => x.lt(low).logicalAnd(x.maximum(low).le(high));

export interface ClampOptions {
  /** The lower bound; default none. */
  readonly min?: Operand | undefined;
  /** The upper bound; default none. */
  readonly max?: Operand | undefined;
}

/**
 * x clamped to [min, max]. The bounds are numbers or tensors, and one of them may be left out. Where min > max, the
 * result is max. NaN stays NaN. For an integer x, a bound that some element could be clamped to must fit the dtype.
 * @shape x and the bounds broadcast. @dtype promoted; bool becomes int64.
 * @gradient within the bounds, inclusive, 1 for x; outside, 0 for x and 1 for the bound.
 * @throws ERR_ARGUMENT if both bounds are left out; ERR_DTYPE for a number that does not fit an integer dtype.
 * @example tensor([-2, 0.5, 3]).clamp({ min: 0, max: 1 }).toArray(); // [0, 0.5, 1]
 */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  needTensor("clamp", x);
  const { min, max } = checkOptions<ClampOptions>("clamp", options, ["min", "max"]);
  for (const bound of [min, max]) {
    if (bound !== undefined) needOperand("clamp", bound);
    if (Number.isNaN(bound)) fail("ERR_ARGUMENT", "clamp", "a bound is not valid", "a number", "NaN");
  }
  if (min === undefined && max === undefined)
    fail("ERR_ARGUMENT", "clamp", "no bound is given", "min, max or both", "neither");
  const bounds = [min, max].filter((bound) => bound !== undefined);
  const type = computeType("number", commonType([x, ...bounds]));
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  if (type.kind === "float") return clampRow(x, low, high);
  return named("clamp", () => clampIntegers(x.to(type.name), low, high));
}

/** Drops a bound that no integer exceeds, and a lower bound that is never below the upper one. */
function clampIntegers(x: Tensor, low: Operand, high: Operand): Tensor {
  const crossed = typeof low === "number" && (typeof high === "number" ? low > high : isHighest(low, x.type));
  const lower = crossed ? high : low;
  if (isLowest(lower, x.type)) return x.minimum(high);
  if (isHighest(high, x.type)) return x.maximum(lower);
  return clampRow(x, lower, high);
}

export interface NanToNumOptions {
  /** The replacement for NaN; default 0. */
  readonly nan?: number | undefined;
  /** The replacement for infinity; default the largest finite number of the dtype. */
  readonly posinf?: number | undefined;
  /** The replacement for -infinity; default the lowest finite number of the dtype. */
  readonly neginf?: number | undefined;
}

const nanToNumRow: Row<undefined> = defineRow<undefined>({
  name: "nanToNum",
  family: "unary",
  kernel: "nanToNum",
  inputs: 4,
  accuracy: "exact",
  rule: { kind: "elementwise", partials: [partial(["x"], (t, x) => x.isfinite().where(t, 0)), null, null, null] },
  replay: (operands) => {
    const { type } = operands[0] as Tensor;
    return applyElementwise(nanToNumRow, operands, type, type);
  },
});

const largest: Readonly<Record<string, number>> = {
  bfloat16: 2 ** 127 * (2 - 2 ** -7),
  float16: 2 ** 15 * (2 - 2 ** -10),
  float32: 2 ** 127 * (2 - 2 ** -23),
  float64: Number.MAX_VALUE,
};

/**
 * x with NaN and infinities replaced by finite numbers. Integers are copied.
 * @shape that of x. @dtype that of x.
 * @gradient 1 where x is finite, else 0.
 * @example tensor([NaN, 1, Infinity]).nanToNum({ posinf: 9 }).toArray(); // [0, 1, 9]
 */
export function nanToNum(x: Tensor, options?: NanToNumOptions): Tensor {
  const op = "nanToNum";
  const given = checkOptions<NanToNumOptions>(op, options, ["nan", "posinf", "neginf"]);
  if (needTensor(op, x).type.kind !== "float") return x.clone();
  const limit = largest[x.dtype]!;
  const { nan = 0, posinf = limit, neginf = -limit } = given;
  for (const [name, value] of Object.entries({ nan, posinf, neginf })) needNumber(op, name, value);
  return nanToNumRow.replay([x, nan, posinf, neginf], undefined);
}
