import * as nb from "nabla";
import { type Arr, arr, count, map } from "../../reference/array.js";
import * as philox from "../../reference/random.js";
import { type Case, type Input, inParts, type Sample, type Wrong } from "./case.js";
import { floats, results } from "./elementwise.js";

const seed = 20260;
export const generator = (): nb.RandomGenerator => new nb.RandomGenerator(seed);
/** What the first call on a generator with that seed draws from: known to the library and the reference alike. */
export const key = (): philox.Key => (generator() as unknown as { next(): philox.Key }).next();
const single = (dtype: nb.DType): boolean => dtype === "float32";

interface Spec {
  readonly inputs?: readonly Input[];
  readonly dtypes?: readonly nb.DType[];
  readonly call: (xs: readonly nb.Tensor[], shape: readonly number[]) => nb.Tensor;
  readonly reference: (xs: readonly Arr[], shape: readonly number[], dtype: nb.DType) => readonly number[];
  readonly result?: Case["result"];
  readonly shapes?: readonly (readonly number[])[];
  readonly large?: readonly number[];
  readonly accuracy?: Case["accuracy"];
  readonly floor?: number;
  readonly double?: number;
  readonly errors: readonly Wrong[];
  readonly exempt?: Case["exempt"];
  readonly row?: string;
}
export function random(spec: Spec): Case {
  const inputs = spec.inputs ?? [];
  const sample = (shape: readonly number[]): Sample => ({
    label: `[${shape.join()}]`,
    shapes: inputs.map(() => shape),
    call: (xs) => spec.call(xs, shape),
    reference: (xs, dtype) => arr(shape, spec.reference(xs, shape, dtype)),
    scale: (xs) => map((v) => 8 + Math.abs(v), arr(shape, spec.reference(xs, shape, "float32"))),
  });
  return {
    inputs,
    dtypes: spec.dtypes ?? floats,
    result: spec.result ?? results.same,
    samples: (spec.shapes ?? [[], [0], [1], [5], [3, 50], [2, 0]]).map(sample),
    large: sample(spec.large ?? [3, 30011]),
    ...(spec.accuracy === undefined ? {} : { accuracy: spec.accuracy }),
    ...(spec.floor === undefined ? {} : { floor: spec.floor }),
    ...(spec.double === undefined ? {} : { double: spec.double }),
    errors: spec.errors,
    ...(spec.row === undefined ? {} : { row: spec.row }),
    exempt: {
      numbers: "it takes a shape or a tensor",
      decomposition: "one kernel and one formula: the value law says it",
      ...(inputs.length === 0 ? { layout: "it takes no tensor" } : {}),
      ...spec.exempt,
    },
  };
}
export const badOptions = (call: (options: never) => unknown): Wrong[] => [
  {
    what: "an unknown option",
    call: () => call({ generatr: generator() } as never),
    code: "ERR_ARGUMENT",
    says: /did you mean "generator"/,
  },
  { what: "a seed for a generator", call: () => call({ generator: 1 } as never), code: "ERR_ARGUMENT" },
];
const badShape = (call: (shape: never) => unknown): Wrong[] => [
  { what: "no shape", call: () => call(undefined as never), code: "ERR_ARGUMENT" },
  { what: "NaN as a size", call: () => call([Number.NaN] as never), code: "ERR_ARGUMENT" },
  { what: "a negative size", call: () => call([-1] as never), code: "ERR_ARGUMENT" },
];
const badDtype = (call: (options: nb.RandomOptions) => unknown): Wrong => ({
  what: "an integer dtype",
  call: () => call({ dtype: "int32" }),
  code: "ERR_DTYPE",
});

/** One dtype a case, as it is an option. The angle and the logarithm of float32 each lose a little. */
const normalError = { accuracy: "tree", floor: 8, double: 32 } as const;
const x: Input = { name: "x", domain: [-3, 3] };
const float32 = { dtypes: ["float32"] } as const;
const twos = (v: readonly number[]) => v.map((u) => 5 + 2 * u);

export const randomCases = {
  rand: random({
    ...float32,
    call: (_, shape) => nb.rand(shape, { generator: generator() }),
    reference: (_, shape) => philox.uniform(key(), count(shape), true),
    errors: [...badOptions((o) => nb.rand([1], o)), ...badShape((s) => nb.rand(s)), badDtype((o) => nb.rand([1], o))],
  }),
  "rand, float64": random({
    dtypes: ["float64"],
    call: (_, shape) => nb.rand(shape, { generator: generator(), dtype: "float64" }),
    reference: (_, shape) => philox.uniform(key(), count(shape), false),
    errors: [],
    row: "rand",
    exempt: { errors: "rand's own" },
  }),
  randn: random({
    ...float32,
    ...normalError,
    call: (_, shape) => nb.randn(shape, { generator: generator() }),
    reference: (_, shape) => philox.normal(key(), count(shape), true),
    errors: [
      ...badOptions((o) => nb.randn([1], o)),
      ...badShape((s) => nb.randn(s)),
      badDtype((o) => nb.randn([1], o)),
    ],
  }),
  "randn, float64": random({
    ...normalError,
    dtypes: ["float64"],
    call: (_, shape) => nb.randn(shape, { generator: generator(), dtype: "float64" }),
    reference: (_, shape) => philox.normal(key(), count(shape), false),
    errors: [],
    row: "randn",
    exempt: { errors: "randn's own" },
  }),
  // Cut to the digits of a half: rounded, some would be 1.
  randLike: inParts(
    random({
      inputs: [x],
      call: ([v]) => nb.randLike(v!, { generator: generator() }),
      reference: (_, shape, dtype) => philox.uniform(key(), count(shape), single(dtype)),
      accuracy: "exact",
      errors: badOptions((o) => nb.randLike(nb.ones([1]), o)),
    }),
  ),
  randnLike: random({
    ...normalError,
    inputs: [x],
    call: ([v]) => nb.randnLike(v!, { generator: generator() }),
    reference: (_, shape, dtype) => philox.normal(key(), count(shape), single(dtype)),
    errors: badOptions((o) => nb.randnLike(nb.ones([1]), o)),
  }),
  normal: random({
    ...float32,
    ...normalError,
    call: (_, shape) => nb.normal(5, 2, shape, { generator: generator() }),
    reference: (_, shape) => twos(philox.normal(key(), count(shape), true)),
    errors: [
      ...badOptions((o) => nb.normal(0, 1, [1], o)),
      ...badShape((s) => nb.normal(0, 1, s)),
      badDtype((o) => nb.normal(0, 1, [1], o)),
      { what: "a negative deviation", call: () => nb.normal(0, -1, [1]), code: "ERR_ARGUMENT" },
      { what: "NaN as mean", call: () => nb.normal(Number.NaN, 1, [1]), code: "ERR_ARGUMENT" },
    ],
  }),
  randint: random({
    dtypes: ["int32"],
    call: (_, shape) => nb.randint(-3, 14, shape, { generator: generator() }),
    reference: (_, shape) => philox.integers(key(), count(shape), -3, 17),
    errors: [
      ...badOptions((o) => nb.randint(0, 2, [1], o)),
      ...badShape((s) => nb.randint(0, 2, s)),
      { what: "an empty range", call: () => nb.randint(2, 2, [1]), code: "ERR_ARGUMENT" },
      { what: "NaN as a bound", call: () => nb.randint(Number.NaN, 2, [1]), code: "ERR_ARGUMENT" },
      { what: "a range beyond the dtype", call: () => nb.randint(0, 2 ** 40, [1]), code: "ERR_DTYPE" },
    ],
  }),
  randperm: random({
    dtypes: ["int32"],
    shapes: [[0], [1], [7], [100]],
    large: [90033],
    call: (_, [n]) => nb.randperm(n!, { generator: generator() }),
    reference: (_, [n]) => {
      const picks = philox.uniform(key(), n!, false);
      const order = Array.from({ length: n! }, (_, i) => i);
      for (let i = n! - 1; i > 0; i--) {
        const j = Math.floor(picks[i]! * (i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
    accuracy: "exact",
    errors: [
      ...badOptions((o) => nb.randperm(1, o)),
      { what: "NaN", call: () => nb.randperm(Number.NaN), code: "ERR_ARGUMENT" },
      { what: "a negative number", call: () => nb.randperm(-1), code: "ERR_ARGUMENT" },
      { what: "a dtype that is too small", call: () => nb.randperm(257, { dtype: "uint8" }), code: "ERR_DTYPE" },
      { what: "an unknown dtype", call: () => nb.randperm(3, { dtype: "int" as never }), code: "ERR_DTYPE" },
      { what: "nothing", call: () => nb.randperm(undefined as never), code: "ERR_ARGUMENT" },
    ],
  }),
  bernoulli: random({
    inputs: [{ name: "p", domain: [0, 1] }],
    call: ([p]) => nb.bernoulli(p!, { generator: generator() }),
    reference: ([p], shape, dtype) =>
      philox.uniform(key(), count(shape), single(dtype)).map((u, i) => Number(u < p!.data[i]!)),
    accuracy: "exact",
    errors: [
      ...badOptions((o) => nb.bernoulli(nb.ones([1]), o)),
      { what: "integers", call: () => nb.bernoulli(nb.ones([1], { dtype: "int32" })), code: "ERR_DTYPE" },
      {
        what: "what is no probability",
        call: () => nb.bernoulli(nb.tensor([0, 1.5])),
        code: "ERR_ARGUMENT",
        says: /; expected 0 to 1, got 1\.5$/,
      },
    ],
  }),
  dropout: random({
    inputs: [x],
    call: ([v]) => nb.dropout(v!, 0.25, { generator: generator() }),
    reference: ([v], shape, dtype) => {
      const scale = single(dtype) ? Math.fround(4 / 3) : 1 / (1 - 0.25);
      return philox.uniform(key(), count(shape), single(dtype)).map((u, i) => (u >= 0.25 ? v!.data[i]! * scale : 0));
    },
    errors: [
      ...badOptions((o) => nb.dropout(nb.ones([1]), 0.5, o)),
      {
        what: "a share above 1",
        call: () => nb.dropout(nb.ones([1]), 1.5),
        code: "ERR_ARGUMENT",
        says: /; expected a number from 0 to 1, got 1\.5/,
      },
      { what: "NaN as share", call: () => nb.dropout(nb.ones([1]), Number.NaN), code: "ERR_ARGUMENT" },
      { what: "integers", call: () => nb.dropout(nb.ones([1], { dtype: "int32" })), code: "ERR_DTYPE" },
    ],
  }),
};
