import * as nb from "nabla";
import { hypot, scaledDiv } from "nabla/internal";
import * as f from "../../reference/functions.js";
import type { Input } from "./case.js";
import type { Elementwise } from "./elementwise.js";
import { elementwise, everyDtype, results } from "./elementwise.js";

const { number, float, same, truth } = results;
type Two = (a: nb.Tensor | number, b: nb.Tensor | number) => nb.Tensor;
const binary = (call: Two, of: (a: number, b: number) => number, more: Partial<Elementwise> = {}) =>
  elementwise({
    call: call as Elementwise["call"],
    f: of as Elementwise["f"],
    inputs: [{}, {}],
    result: number,
    strict: true,
    ...more,
  });

/** Two operands that never come within 1/5 of each other. */
const apart: readonly Partial<Input>[] = [{ lattice: [0.5, 0] }, { lattice: [0.5, 0.25] }];
const wholeQuotient = (a: number, b: number): number => (b === 0 ? 0 : f.remainder(a, b));
const base: Partial<Input> = { domain: [0.4, 3] };

export const binaryCases = {
  add: binary(nb.add, (a, b) => a + b),
  sub: binary(nb.sub, (a, b) => a - b),
  mul: binary(nb.mul, (a, b) => a * b),
  div: binary(nb.div, (a, b) => a / b, { inputs: [{}, { kinks: [0] }], result: float, strict: false }),
  pow: binary(nb.pow, f.power, { whole: f.integerPower, inputs: [base, { domain: [-2, 3], kinks: [0] }] }),
  remainder: binary(nb.remainder, f.remainder, {
    whole: wholeQuotient,
    inputs: [{ lattice: [1, 0.5] }, { domain: [-2.2, 2.2], lattice: [1, 0], kinks: [0] }],
  }),
  maximum: binary(nb.maximum, f.maximum, { inputs: apart, result: same }),
  minimum: binary(nb.minimum, f.minimum, { inputs: apart, result: same }),
  atan2: binary(nb.atan2, Math.atan2, { inputs: [{ kinks: [0] }, { kinks: [0] }], result: float, strict: false }),
  hypot: binary(hypot, (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.hypot(a, b)), {
    inputs: [{ kinks: [0] }, { kinks: [0] }],
    result: float,
    strict: false,
    decomposition: (x, y) => x.square().add(y.square()).sqrt(),
  }),
  scaledDiv: elementwise({
    call: (x, y, z) => scaledDiv(x!, y!, z!),
    f: (x, y, z) => (x! / y!) * z!,
    specials: [Number.NaN, 0, 1, -1, 0.5, 2, -2.5, 3],
    inputs: [{}, { kinks: [0] }, {}],
    result: float,
    decomposition: (x, y, z) => x.div(y).mul(z),
  }),
  logaddexp: binary(nb.logaddexp, f.logaddexp, {
    result: float,
    strict: false,
    floor: 1,
    decomposition: (a, b) => a.exp().add(b.exp()).log(),
  }),
  where: elementwise({
    call: (condition, a, b) => nb.where(condition!, a!, b!),
    f: (condition, a, b) => (condition !== 0 ? a! : b!),
    inputs: [{ dtype: "bool", domain: [0, 1] }, {}, {}],
    result: same,
    strict: true,
    errors: [
      {
        what: "a condition that is not bool",
        call: () => nb.where(nb.ones([2]), 1, 2),
        code: "ERR_DTYPE",
        says: /expected bool, got float32/,
      },
      { what: "a number as condition", call: () => nb.where(1, nb.ones([2]), 2), code: "ERR_DTYPE" },
    ],
  }),
  lerp: elementwise({
    call: (a, b, weight) => nb.lerp(a!, b!, weight!),
    f: (a, b, w) => (Math.abs(w!) < 0.5 ? a! + w! * (b! - a!) : b! - (b! - a!) * (1 - w!)),
    inputs: [{}, {}, { domain: [-0.2, 1.2] }],
    result: float,
    specials: [Number.NaN, 0, -0, 1, -1, 0.5, 2, -2.5, 3],
    // Where the ends have opposite signs the result may be near 0, and the rounding of b - a with it.
    floor: 4,
    decomposition: (a, b, weight) => a.add(weight.mul(b.sub(a))),
  }),
};

const compared = (call: Two, of: (a: number, b: number) => boolean) =>
  binary(call, (a, b) => Number(of(a, b)), {
    result: truth,
    dtypes: everyDtype,
    strict: false,
    inputs: [
      { domain: [-2, 2], lattice: [0.5, 0] },
      { domain: [-2, 2], lattice: [0.5, 0] },
    ],
  });
const predicate = (call: (x: nb.Tensor | number) => nb.Tensor, of: (x: number) => boolean) =>
  elementwise({
    call: call as Elementwise["call"],
    f: (x) => Number(of(x!)),
    inputs: [{ lattice: [1, 0] }],
    result: truth,
  });

export const compareCases = {
  eq: compared(nb.eq, (a, b) => a === b),
  ne: compared(nb.ne, (a, b) => a !== b),
  lt: compared(nb.lt, (a, b) => a < b),
  le: compared(nb.le, (a, b) => a <= b),
  gt: compared(nb.gt, (a, b) => a > b),
  ge: compared(nb.ge, (a, b) => a >= b),
  logicalAnd: compared(nb.logicalAnd, (a, b) => a !== 0 && b !== 0),
  logicalOr: compared(nb.logicalOr, (a, b) => a !== 0 || b !== 0),
  logicalNot: predicate(nb.logicalNot, (x) => x === 0),
  isnan: predicate(nb.isnan, Number.isNaN),
  isfinite: predicate(nb.isfinite, Number.isFinite),
  isinf: predicate(nb.isinf, (x) => Math.abs(x) === Number.POSITIVE_INFINITY),
};
