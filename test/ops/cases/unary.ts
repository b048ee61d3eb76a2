import * as nb from "nabla";
import { tensor } from "nabla";
import * as f from "../../reference/functions.js";
import { elementwise, results, unary } from "./elementwise.js";

const { number, same } = results;
/** Functions whose float64 reference is a sum of many terms. */
const special = { double: 2 ** 14 };
const flat = (call: (x: nb.Tensor | number) => nb.Tensor, of: (x: number) => number, kinks: number[]) =>
  unary(call, of, [-3, 3], { result: number, kinks });

export const unaryCases = {
  clone: unary(nb.clone, (x) => x, [-3, 3], { result: same }),
  neg: unary(nb.neg, (x) => -x, [-3, 3], { result: number }),
  abs: unary(nb.abs, Math.abs, [-3, 3], { result: number, kinks: [0] }),
  sign: flat(nb.sign, (x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : x), [0]),
  square: unary(nb.square, (x) => x * x, [-3, 3], { result: number }),
  sqrt: unary(nb.sqrt, Math.sqrt, [0.3, 4]),
  rsqrt: unary(nb.rsqrt, (x) => 1 / Math.sqrt(x), [0.4, 4]),
  reciprocal: unary(nb.reciprocal, (x) => 1 / x, [-3, 3], { kinks: [0] }),
  exp: unary(nb.exp, Math.exp, [-3, 3]),
  expm1: unary(nb.expm1, Math.expm1, [-2, 2]),
  log: unary(nb.log, Math.log, [0.3, 4]),
  log1p: unary(nb.log1p, Math.log1p, [-0.6, 3]),
  log2: unary(nb.log2, Math.log2, [0.3, 4]),
  log10: unary(nb.log10, Math.log10, [0.3, 4]),
  sin: unary(nb.sin, Math.sin, [-6, 6]),
  cos: unary(nb.cos, Math.cos, [-6, 6]),
  tan: unary(nb.tan, Math.tan, [-1.2, 1.2]),
  asin: unary(nb.asin, Math.asin, [-0.9, 0.9]),
  acos: unary(nb.acos, Math.acos, [-0.9, 0.9]),
  atan: unary(nb.atan, Math.atan, [-3, 3]),
  sinh: unary(nb.sinh, Math.sinh, [-3, 3]),
  cosh: unary(nb.cosh, Math.cosh, [-3, 3]),
  tanh: unary(nb.tanh, Math.tanh, [-3, 3]),
  asinh: unary(nb.asinh, Math.asinh, [-3, 3]),
  acosh: unary(nb.acosh, Math.acosh, [1.3, 4]),
  atanh: unary(nb.atanh, Math.atanh, [-0.8, 0.8]),
  erf: unary(nb.erf, f.erf, [-3, 3], special),
  erfinv: unary(nb.erfinv, f.erfinv, [-0.8, 0.8], special),
  lgamma: unary(nb.lgamma, f.lgamma, [-2.8, 5], { double: 2 ** 17, kinks: [-2, -1, 0] }),
  digamma: unary(nb.digamma, f.digamma, [-2.8, 5], { ...special, kinks: [-2, -1, 0] }),
  floor: flat(nb.floor, Math.floor, [-3, -2, -1, 0, 1, 2, 3]),
  ceil: flat(nb.ceil, Math.ceil, [-3, -2, -1, 0, 1, 2, 3]),
  round: flat(nb.round, f.round, [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]),
  trunc: flat(nb.trunc, Math.trunc, [-3, -2, -1, 0, 1, 2, 3]),
  clamp: elementwise({
    call: (x, low, high) => nb.clamp(x as nb.Tensor, { min: low!, max: high! }),
    f: (x, low, high) => f.minimum(f.maximum(x!, low!), high!),
    // Far enough apart that no two meet.
    inputs: [
      { lattice: [0.5, 0] },
      { domain: [-2, 1], lattice: [0.5, 0.15] },
      { domain: [-1, 2], lattice: [0.5, 0.3] },
    ],
    result: number,
    numbers: false,
    exempt: { numbers: "its bounds are options; nanToNum and lerp try numbers beside tensors" },
    errors: [
      {
        what: "a fraction beside integers",
        call: () => nb.clamp(nb.ones([1], { dtype: "int32" }), { min: 0.5 }),
        code: "ERR_DTYPE",
        says: /; expected .*, got 0\.5/,
      },
      { what: "no bound", call: () => nb.clamp(tensor([1]), {}), code: "ERR_ARGUMENT" },
      { what: "no options", call: () => nb.clamp(tensor([1]), undefined as never), code: "ERR_ARGUMENT" },
      {
        what: "an unknown option",
        call: () => nb.clamp(tensor([1]), { mim: 1 } as never),
        code: "ERR_ARGUMENT",
        says: /did you mean "min"/,
      },
      { what: "NaN as a bound", call: () => nb.clamp(tensor([1]), { min: Number.NaN }), code: "ERR_ARGUMENT" },
      { what: "text as a bound", call: () => nb.clamp(tensor([1]), { min: "0" as never }), code: "ERR_ARGUMENT" },
    ],
  }),
  nanToNum: elementwise({
    call: (x) => nb.nanToNum(x as nb.Tensor, { nan: 7, posinf: 8, neginf: -9 }),
    f: (x) => (Number.isNaN(x!) ? 7 : x === Number.POSITIVE_INFINITY ? 8 : x === Number.NEGATIVE_INFINITY ? -9 : x!),
    inputs: [{ domain: [-3, 3] }],
    result: same,
    numbers: false,
    errors: [
      {
        what: "an unknown option",
        call: () => nb.nanToNum(tensor([1]), { posInf: 1 } as never),
        code: "ERR_ARGUMENT",
        says: /did you mean "posinf"/,
      },
      { what: "NaN for NaN", call: () => nb.nanToNum(tensor([1]), { nan: Number.NaN }), code: "ERR_ARGUMENT" },
    ],
  }),
};
