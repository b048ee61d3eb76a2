import * as nb from "nabla";
import { type Arr, arr, dimsOf, map, reduce, total } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { everyDtype, floats, results } from "./elementwise.js";
import { notPublic, row } from "./row.js";

type Dims = number | readonly number[] | undefined;
type Call = (x: nb.Tensor, dim?: Dims, options?: { keepdim?: boolean }) => nb.Tensor;
interface Spec {
  readonly f: (values: number[]) => number;
  readonly result: (dtype: nb.DType) => nb.DType;
  readonly dtypes?: readonly nb.DType[];
  readonly input?: Partial<Input>;
  readonly specials?: readonly number[];
  /** Of the values of one group: what the error is relative to. */
  readonly scale?: (values: number[]) => number;
  readonly accuracy?: Case["accuracy"];
  readonly floor?: number;
  readonly double?: number;
  /** Whether a reduction over nothing is an error. */
  readonly needsElements?: boolean;
  readonly decomposition?: (x: nb.Tensor, dim: Dims, keepdim: boolean) => nb.Tensor;
  readonly exempt?: Case["exempt"];
}
export const wide = (dtype: nb.DType): nb.DType => (dtype.startsWith("float") ? dtype : "int64");
const float = results.float;

/** The refusals that every op with a `dim` shares. */
export const wrongDims = (call: (dim: never) => unknown): Wrong[] => [
  { what: "a dim out of range", call: () => call(2 as never), code: "ERR_AXIS", says: /; expected -2 to 1.*, got 2/ },
  { what: "NaN as dim", call: () => call(Number.NaN as never), code: "ERR_ARGUMENT" },
  { what: "a fraction as dim", call: () => call(0.5 as never), code: "ERR_ARGUMENT" },
  { what: "text as dim", call: () => call("0" as never), code: "ERR_ARGUMENT" },
  { what: "null as dim", call: () => call(null as never), code: "ERR_ARGUMENT" },
];

const shapes: readonly (readonly [readonly number[], Dims, boolean])[] = [
  [[], undefined, false],
  [[1], 0, false],
  [[5], undefined, true],
  [[2, 3], 0, false],
  [[2, 3], -1, true],
  [[2, 3, 4], 1, false],
  [[2, 3, 4], [0, 2], false],
  [[2, 3, 4], [-1, 0], true],
  [[3, 257], 1, false],
  [[257, 3], 0, false],
  [[2, 1, 3], [1], false],
  [[2, 0], 0, false],
  [[3, 2], [], false],
];
const empty: readonly (readonly [readonly number[], Dims, boolean])[] = [
  [[0], undefined, false],
  [[0, 3], 0, false],
  [[2, 0], 1, true],
];

export function reduction(call: Call, spec: Spec): Case {
  const sample = (shape: readonly number[], dim: Dims, keepdim: boolean): Sample => ({
    label: `[${shape.join()}] dim ${JSON.stringify(dim) ?? "all"}${keepdim ? " kept" : ""}`,
    shapes: [shape],
    call: ([x]) => (keepdim ? call(x!, dim, { keepdim }) : call(x!, dim)),
    reference: ([x]) => reduce(x!, spec.f, dim, keepdim),
    ...(spec.scale === undefined ? {} : { scale: ([x]: readonly Arr[]) => reduce(x!, spec.scale!, dim, keepdim) }),
    terms: shape.reduce((n, size, d) => (dimsOf({ shape, data: [] }, dim).includes(d) ? n * size : n), 1),
    ...(spec.decomposition === undefined
      ? {}
      : { decomposition: ([x]: readonly nb.Tensor[]) => spec.decomposition!(x!, dim, keepdim) }),
  });
  const x = nb.ones([2, 3]);
  const all = spec.needsElements === true ? shapes : [...shapes, ...empty];
  return {
    inputs: [{ name: "x", domain: [-3, 3], ...spec.input }],
    dtypes: spec.dtypes ?? everyDtype,
    result: spec.result,
    samples: all.map((args) => sample(...args)),
    large: sample([3, 30011], 1, false),
    ...(spec.accuracy === undefined ? {} : { accuracy: spec.accuracy }),
    ...(spec.floor === undefined ? {} : { floor: spec.floor }),
    ...(spec.double === undefined ? {} : { double: spec.double }),
    errors: [
      ...wrongDims((dim) => call(x, dim)),
      { what: "a dim given twice", call: () => call(x, [0, -2]), code: "ERR_AXIS" },
      {
        what: "an unknown option",
        call: () => call(x, 0, { keepdims: true } as never),
        code: "ERR_ARGUMENT",
        says: /did you mean "keepdim"/,
      },
      { what: "options that are none", call: () => call(x, 0, 1 as never), code: "ERR_ARGUMENT" },
      ...(spec.needsElements === true
        ? [{ what: "nothing to reduce", call: () => call(nb.zeros([0, 3]), 0), code: "ERR_SHAPE" as const }]
        : []),
    ],
    exempt: {
      numbers: "it reduces a tensor",
      ...(spec.decomposition === undefined
        ? { decomposition: "one kernel and one formula: the value law says it" }
        : {}),
      ...spec.exempt,
    },
  };
}

const distinct = { domain: [-3, 3], distinct: true } as const;
const sumOfSquares = (values: number[]): number => total(values.map((v) => (v - total(values) / values.length) ** 2));
const fold =
  (f: (a: number, b: number) => number) =>
  (values: number[]): number =>
    values.reduce(f);
const nanMax = fold((a, b) => (Number.isNaN(a) || a >= b ? a : b));
const nanMin = fold((a, b) => (Number.isNaN(a) || a <= b ? a : b));
export const sizeOf = (values: number[]): number => total(values.map(Math.abs));

function argReduction(
  call: (x: nb.Tensor, dim?: number, options?: { keepdim?: boolean }) => nb.Tensor,
  better: (a: number, b: number) => boolean,
): Case {
  const best = (values: number[]): number => values.reduce((at, v, i) => (better(v, values[at]!) ? i : at), 0);
  const sample = (shape: readonly number[], dim: number | undefined, keepdim: boolean): Sample => ({
    label: `[${shape.join()}] dim ${dim ?? "all"}${keepdim ? " kept" : ""}`,
    shapes: [shape],
    call: ([x]) => (keepdim ? call(x!, dim, { keepdim }) : call(x!, dim)),
    reference: ([x]) => (dim === undefined ? arr([], [best([...x!.data])]) : reduce(x!, best, dim, keepdim)),
  });
  const x = nb.ones([2, 3]);
  return {
    // Few values, so that equal ones occur.
    inputs: [{ name: "x", domain: [-3, 3], lattice: [1, 0] }],
    dtypes: everyDtype,
    result: () => "int32",
    samples: [
      sample([], undefined, false),
      sample([5], undefined, false),
      sample([2, 3], 0, false),
      sample([2, 3], -1, true),
      sample([2, 3, 4], 1, false),
      sample([3, 257], 1, false),
      sample([257, 3], 0, false),
      sample([2, 3], undefined, false),
      sample([2, 0], 0, false),
    ],
    large: sample([3, 30011], 1, false),
    errors: [
      ...wrongDims((dim) => call(x, dim)),
      { what: "nothing to reduce", call: () => call(nb.zeros([0, 3]), 0), code: "ERR_SHAPE" },
      {
        what: "an unknown option",
        call: () => call(x, 0, { keep_dim: true } as never),
        code: "ERR_ARGUMENT",
        says: /did you mean "keepdim"/,
      },
    ],
    exempt: { numbers: "it reduces a tensor", decomposition: "one kernel and one formula: the value law says it" },
  };
}

function meanSquareCase(): Case {
  const call: Call = (x, dim, options) =>
    row("meanSquare").replay([x], {
      dims: dimsOf({ shape: x.shape, data: [] }, dim),
      keepdim: options?.keepdim === true,
    });
  const { errors: _, ...rest } = reduction(call, {
    f: (values) => total(values.map((v) => v * v)) / values.length,
    result: float,
    dtypes: floats,
    accuracy: "tree",
    decomposition: (x, dim, keepdim) => x.square().mean(dim, { keepdim }),
  });
  return {
    ...rest,
    errors: [],
    others: "it is internal: no op calls it on integers",
    exempt: { numbers: "it reduces a tensor", errors: notPublic },
  };
}

const widths = (values: number[]): number => Math.sqrt(sumOfSquares(values) / (values.length - 1));
const atLeastTwo = { accuracy: "tree", floor: 1, double: 64 } as const;

export const reduceCases = {
  sum: reduction(nb.sum as Call, { f: total, result: wide, scale: sizeOf, accuracy: "tree" }),
  amax: reduction(nb.amax as Call, { f: nanMax, result: results.same, input: distinct, needsElements: true }),
  amin: reduction(nb.amin as Call, { f: nanMin, result: results.same, input: distinct, needsElements: true }),
  prod: reduction(nb.prod as Call, {
    f: (values) => values.reduce((a, b) => a * b, 1),
    result: wide,
    scale: (values) => Math.abs(values.reduce((a, b) => a * b, 1)),
    accuracy: "tree",
  }),
  all: reduction(nb.all as Call, {
    f: (v) => Number(v.every((x) => x !== 0)),
    result: results.truth,
    input: { lattice: [1, 0] },
  }),
  any: reduction(nb.any as Call, {
    f: (v) => Number(v.some((x) => x !== 0)),
    result: results.truth,
    input: { lattice: [1, 0] },
  }),
  argmax: argReduction(nb.argmax, (a, b) => a > b || (Number.isNaN(a) && !Number.isNaN(b))),
  argmin: argReduction(nb.argmin, (a, b) => a < b || (Number.isNaN(a) && !Number.isNaN(b))),
  mean: reduction(nb.mean as Call, {
    f: (v) => total(v) / v.length,
    result: float,
    scale: (v) => sizeOf(v) / v.length,
    accuracy: "tree",
    decomposition: (x, dim, keepdim) => {
      const n = x.numel / Math.max(x.sum(dim, { keepdim }).numel, 1);
      return x.sum(dim, { keepdim }).div(n);
    },
  }),
  variance: reduction(nb.variance as Call, {
    f: (v) =>
      v.length < 2
        ? v.length === 0 || v.every(Number.isFinite)
          ? Number.NaN
          : Number.NaN
        : sumOfSquares(v) / (v.length - 1),
    result: float,
    scale: (v) => total(v.map((x) => x * x)) / Math.max(v.length - 1, 1),
    ...atLeastTwo,
  }),
  meanSquare: meanSquareCase(),
  std: reduction(nb.std as Call, {
    f: (v) => (v.length < 2 ? Number.NaN : widths(v)),
    result: float,
    scale: (v) => 4 * Math.max(...v.map(Math.abs), 0),
    ...atLeastTwo,
  }),
  logsumexp: reduction(nb.logsumexp as Call, {
    f: (v) =>
      v.length === 0 ? Number.NEGATIVE_INFINITY : nanMax(v) + Math.log(total(v.map((x) => Math.exp(x - nanMax(v))))),
    result: float,
    scale: (v) => 4 + Math.max(...v.map(Math.abs), 0),
    accuracy: "tree",
    decomposition: (x, dim, keepdim) => x.exp().sum(dim, { keepdim }).log(),
  }),
};

const target = (shape: readonly number[], to: readonly number[]): Sample => ({
  label: `[${shape.join()}] to [${to.join()}]`,
  shapes: [shape],
  call: ([x]) => nb.sumToSize(x!, to),
  reference: ([x]) => sumToSize(x!, to),
  scale: ([x]) => sumToSize(map(Math.abs, x!), to),
  terms: shape.reduce((a, b) => a * b, 1),
});
function sumToSize(x: Arr, to: readonly number[]): Arr {
  const extra = x.shape.length - to.length;
  const gone = x.shape.map((_, d) => d).filter((d) => d < extra || (to[d - extra] === 1 && x.shape[d] !== 1));
  return arr(to, reduce(x, total, gone).data);
}

export const sumToCases = {
  sumToSize: {
    inputs: [{ name: "x", domain: [-3, 3] }],
    dtypes: floats,
    others: "it calls sum, whose row has the other dtypes",
    result: results.same,
    samples: [
      target([2, 3], [3]),
      target([2, 3], [2, 1]),
      target([2, 3], []),
      target([4, 2, 3], [1, 3]),
      target([2, 3], [2, 3]),
      target([0, 3], [1, 3]),
    ],
    large: target([30011, 3], [1, 3]),
    accuracy: "tree",
    errors: [
      {
        what: "a shape that does not broadcast",
        call: () => nb.sumToSize(nb.ones([2, 3]), [2]),
        code: "ERR_SHAPE",
        says: /; expected .*, got/,
      },
      { what: "a shape of a higher rank", call: () => nb.sumToSize(nb.ones([3]), [2, 3]), code: "ERR_SHAPE" },
      { what: "no shape", call: () => nb.sumToSize(nb.ones([3]), undefined as never), code: "ERR_ARGUMENT" },
    ],
    exempt: { numbers: "it reduces a tensor", decomposition: "it is made of sum and reshape" },
  } satisfies Case,
};
