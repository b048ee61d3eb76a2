import * as nb from "nabla";
import { tensor } from "nabla";
import { activationBackward } from "nabla/internal";
import * as f from "../../reference/functions.js";
import type { Elementwise } from "./elementwise.js";
import { elementwise, floats, results, unary } from "./elementwise.js";
import { notPublic, row } from "./row.js";

const special = { double: 2 ** 14 };
/** The derivative changes its sign where its two terms, of this size, cancel. */
const cancels = { double: 2 ** 14, floor: 1 };
const unknownOption = (op: string, call: () => unknown, meant: string) => ({
  what: `an unknown option of ${op}`,
  call,
  code: "ERR_ARGUMENT" as const,
  says: new RegExp(`did you mean "${meant}"`),
});
const geluTanhOf = (x: number): number => {
  const u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  return Number.isFinite(x) ? x * f.sigmoid(2 * u) : Math.max(x, 0);
};
/** t times a derivative: two operands; the second has `domain` and `kinks`. */
const backward = (
  call: (t: nb.Tensor | number, x: nb.Tensor | number) => nb.Tensor,
  slope: (x: number) => number,
  more: Partial<Elementwise> & { readonly domain?: readonly [number, number]; readonly kinks?: readonly number[] } = {},
) =>
  elementwise({
    call: call as Elementwise["call"],
    f: (t, x) => t! * slope(x!),
    inputs: [{ domain: [-2, 2] }, { domain: more.domain ?? [-3, 3], kinks: more.kinks ?? [] }],
    result: results.float,
    specials: [Number.NaN, 0, 1, -1, 0.5, 2, -2.5, 3],
    ...more,
  });

export const activationCases = {
  sigmoid: unary(nb.sigmoid, f.sigmoid, [-4, 4], { decomposition: (x) => x.neg().exp().add(1).reciprocal() }),
  logSigmoid: unary(nb.logSigmoid, (x) => -f.softplus(-x), [-4, 4], { decomposition: (x) => x.sigmoid().log() }),
  relu: unary(nb.relu, (x) => f.maximum(x, 0), [-3, 3], { result: results.number, kinks: [0] }),
  leakyRelu: elementwise({
    call: (x, slope) => nb.leakyRelu(x!, slope),
    f: (x, slope) => (x! > 0 ? x! : slope! * x!),
    inputs: [{ domain: [-3, 3], kinks: [0] }, { domain: [0.1, 2] }],
    result: results.float,
    decomposition: (x, slope) => x.relu().sub(x.neg().relu().mul(slope)),
  }),
  elu: unary(
    (x) => nb.elu(x, { alpha: 1.5 }),
    (x) => (x > 0 ? x : 1.5 * Math.expm1(x)),
    [-3, 3],
    {
      kinks: [0],
      decomposition: (x) => x.gt(0).where(x, x.exp().sub(1).mul(1.5)),
      errors: [
        unknownOption("elu", () => nb.elu(tensor([1]), { alhpa: 1 } as never), "alpha"),
        { what: "NaN for alpha", call: () => nb.elu(tensor([1]), { alpha: Number.NaN }), code: "ERR_ARGUMENT" },
      ],
    },
  ),
  gelu: unary(nb.gelu, (x) => (Number.isFinite(x) ? x * f.normalCdf(x) : Math.max(x, 0)), [-3, 3], {
    ...special,
    decomposition: (x) => x.mul(x.mul(Math.SQRT1_2).erf().add(1)).mul(0.5),
    errors: [
      unknownOption("gelu", () => nb.gelu(tensor([1]), { aproximate: "tanh" } as never), "approximate"),
      {
        what: "an unknown approximation",
        call: () => nb.gelu(tensor([1]), { approximate: "sigmoid" as never }),
        code: "ERR_ARGUMENT",
      },
    ],
  }),
  geluTanh: unary((x) => nb.gelu(x, { approximate: "tanh" }), geluTanhOf, [-3, 3], {
    ...special,
    decomposition: (x) =>
      x
        .mul(
          x
            .add(x.mul(x).mul(x).mul(0.044715))
            .mul(Math.sqrt(2 / Math.PI))
            .tanh()
            .add(1),
        )
        .mul(0.5),
  }),
  silu: unary(nb.silu, (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * f.sigmoid(x)), [-4, 4], {
    decomposition: (x) => x.mul(x.sigmoid()),
  }),
  softplus: unary(nb.softplus, f.softplus, [-4, 4], {
    decomposition: (x) => x.exp().add(1).log(),
    errors: [
      unknownOption("softplus", () => nb.softplus(tensor([1]), { betta: 1 } as never), "beta"),
      { what: "beta 0", call: () => nb.softplus(tensor([1]), { beta: 0 }), code: "ERR_ARGUMENT" },
      { what: "NaN for beta", call: () => nb.softplus(tensor([1]), { beta: Number.NaN }), code: "ERR_ARGUMENT" },
    ],
  }),
  softplusBeta: unary(
    (x) => nb.softplus(x, { beta: 2 }),
    (x) => f.softplus(2 * x) / 2,
    [-2, 2],
    { decomposition: (x) => x.mul(2).exp().add(1).log().div(2) },
  ),
  mish: unary(nb.mish, (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * Math.tanh(f.softplus(x))), [-4, 4], {
    decomposition: (x) => x.mul(x.exp().add(1).log().tanh()),
  }),
  sigmoidBackward: backward(activationBackward.sigmoidBackward, (y) => y * (1 - y), {
    domain: [0.05, 0.95],
    decomposition: (t, y) => t.mul(y).mul(y.neg().add(1)),
  }),
  tanhBackward: backward(activationBackward.tanhBackward, (y) => (1 - y) * (1 + y), {
    domain: [-0.9, 0.9],
    decomposition: (t, y) => t.sub(t.mul(y).mul(y)),
  }),
  reluBackward: backward(activationBackward.reluBackward, (y) => (y > 0 ? 1 : 0), {
    f: (t, y) => (y! > 0 ? t! : 0),
    kinks: [0],
    decomposition: (t, y) => y.gt(0).where(t, 0),
  }),
  geluBackward: backward(activationBackward.geluBackward, (x) => f.normalCdf(x) + x * f.normalDensity(x), {
    ...cancels,
    decomposition: (t, x) => {
      const density = x
        .mul(x)
        .mul(-0.5)
        .exp()
        .mul(1 / Math.sqrt(2 * Math.PI));
      return t.mul(x.mul(Math.SQRT1_2).erf().add(1).mul(0.5).add(x.mul(density)));
    },
  }),
  siluBackward: backward(activationBackward.siluBackward, (x) => f.sigmoid(x) * (1 + x * f.sigmoid(-x)), {
    ...cancels,
    decomposition: (t, x) => t.mul(x.sigmoid()).mul(x.mul(x.neg().sigmoid()).add(1)),
  }),
  softplusBackward: backward(activationBackward.softplusBackward, f.sigmoid, {
    decomposition: (t, x) => t.mul(x.sigmoid()),
  }),
  /** With alpha as a tensor, which the function takes as a number only. */
  "elu by alpha": elementwise({
    call: (x, alpha) => row("elu").replay([x!, alpha!], undefined as never),
    f: (x, alpha) => (x! > 0 ? x! : alpha! * Math.expm1(x!)),
    inputs: [{ domain: [-3, 3], kinks: [0] }, { domain: [0.5, 2] }],
    result: results.float,
    dtypes: floats,
    row: "elu",
    exempt: { errors: notPublic },
  }),
};
