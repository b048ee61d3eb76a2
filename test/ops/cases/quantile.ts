/** Cases of medians and quantiles. */
import * as nb from "nabla";
import { type Arr, arr, mapAlong } from "../../reference/array.js";
import type { Case, Sample } from "./case.js";
import { everyDtype, floats, results } from "./elementwise.js";
import { wrongDims } from "./reduce.js";
import { places } from "./sort.js";

const matrix = nb.ones([2, 3]);
const exempt = {
  numbers: "it reduces a tensor",
  decomposition: "it is made of sort and gather: the value law says it",
} as const;
const distinct = { name: "x", domain: [-3, 3], distinct: true } as const;
const specials = [[2, 0, Number.NEGATIVE_INFINITY, 1, Number.POSITIVE_INFINITY, -1]];

/** The place of the middle, or of the first NaN. */
function middle(values: readonly number[]): number {
  const nan = values.findIndex(Number.isNaN);
  return nan >= 0 ? nan : places(values, false)[Math.floor((values.length - 1) / 2)]!;
}
function middles(
  part: "values" | "indices",
  shape: readonly number[],
  dim: number | undefined,
  keepdim = false,
): Sample {
  return {
    label: `[${shape.join()}] dim ${dim ?? "all"}${keepdim ? " kept" : ""}`,
    shapes: [shape],
    call: ([x]) => (dim === undefined ? nb.median(x!) : nb.median(x!, dim, { keepdim })[part]),
    reference: ([x]) => {
      const whole = dim === undefined ? arr([x!.data.length], x!.data) : x!;
      const at = dim === undefined ? 0 : dim < 0 ? dim + shape.length : dim;
      const found = mapAlong(whole, at, (values) => [part === "values" ? values[middle(values)]! : middle(values)]);
      return keepdim
        ? found
        : arr(
            whole.shape.filter((_, d) => d !== at),
            found.data,
          );
    },
  };
}

interface Share {
  readonly shape: readonly number[];
  readonly q: number | readonly number[];
  readonly dim?: number;
  readonly keepdim?: boolean;
  readonly interpolation?: nb.Interpolation;
}
function quantileOf(values: readonly number[], q: number, interpolation: nb.Interpolation): number {
  if (values.some(Number.isNaN)) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const position = q * (values.length - 1);
  const [below, above] = [Math.floor(position), Math.ceil(position)];
  const [low, high] = [sorted[below]!, sorted[above]!];
  if (below === above) return low;
  const nearest = position - below === 0.5 ? (below % 2 === 0 ? low : high) : position - below < 0.5 ? low : high;
  const linear = low + (position - below) * (high - low);
  return { lower: low, higher: high, midpoint: (low + high) / 2, linear, nearest }[interpolation];
}
function share(s: Share): Sample {
  const { shape, q, dim, keepdim = false, interpolation = "linear" } = s;
  const shares = typeof q === "number" ? [q] : q;
  const at = dim === undefined ? 0 : dim < 0 ? dim + shape.length : dim;
  const by = (f: (values: number[], share: number) => number) => (x: Arr) => {
    const whole = dim === undefined ? arr([x.data.length], x.data) : x;
    const each = shares.map((one) => mapAlong(whole, at, (values) => [f(values, one)]));
    const kept = dim === undefined ? shape.map(() => 1) : each[0]!.shape;
    const rest = keepdim ? kept : dim === undefined ? [] : kept.filter((_, d) => d !== at);
    return arr(
      typeof q === "number" ? rest : [q.length, ...rest],
      each.flatMap((one) => one.data),
    );
  };
  return {
    label: JSON.stringify(s),
    shapes: [shape],
    call: ([x]) =>
      nb.quantile(
        x!,
        q,
        dim === undefined ? { keepdim, interpolation } : dim,
        dim === undefined ? undefined : { keepdim, interpolation },
      ),
    reference: ([x]) => by((values, one) => quantileOf(values, one, interpolation))(x!),
    scale: ([x]) => by((values) => Math.max(...values.map(Math.abs)))(x!),
  };
}

const tests: readonly (readonly [readonly number[], number | undefined, boolean?])[] = [
  [[6], 0],
  [[2, 3], 0],
  [[2, 5], -1, true],
  [[2, 4, 3], 1],
  [[1], 0],
  [[], 0],
  [[2, 0], 0],
  [[3, 257], 1],
];
const median = (part: "values" | "indices", more: Partial<Case> & Pick<Case, "result" | "inputs">): Case => ({
  dtypes: everyDtype,
  samples: tests.map(([shape, dim, keepdim]) => middles(part, shape, dim, keepdim)),
  large: middles(part, [3, 30011], 1),
  accuracy: "exact",
  specials: [[2, 0, Number.NEGATIVE_INFINITY, Number.NaN, 1, Number.NaN]],
  errors: [],
  ...more,
  exempt: { ...exempt, ...more.exempt },
});

export const quantileCases = {
  median: median("values", {
    inputs: [distinct],
    result: results.same,
    errors: [
      ...wrongDims((dim) => nb.median(matrix, dim)),
      { what: "nothing", call: () => nb.median(nb.zeros([0, 3]), 0), code: "ERR_SHAPE" },
      { what: "nothing at all", call: () => nb.median(nb.zeros([0])), code: "ERR_SHAPE" },
      { what: "an unknown option", call: () => nb.median(matrix, 0, { keep: true } as never), code: "ERR_ARGUMENT" },
    ],
  }),
  "median, indices": median("indices", {
    inputs: [{ name: "x", domain: [-3, 3], lattice: [1, 0] }],
    result: () => "int32",
    exempt: { errors: "median's own" },
  }),
  "median, all": median("values", {
    inputs: [distinct],
    result: results.same,
    samples: [
      middles("values", [6], undefined),
      middles("values", [3, 3], undefined),
      middles("values", [], undefined),
    ],
    large: middles("values", [3, 30011], undefined),
    exempt: { errors: "median's own" },
  }),
  quantile: {
    inputs: [distinct],
    dtypes: floats,
    result: results.same,
    samples: [
      share({ shape: [6], q: [0, 0.25, 0.4, 1] }),
      share({ shape: [2, 3], q: 0.4 }),
      share({ shape: [2, 3], q: 0.75, dim: 0, keepdim: true }),
      share({ shape: [2, 5], q: [0.1, 0.9], dim: -1 }),
      share({ shape: [2, 4, 3], q: [0.3], dim: 1, keepdim: true }),
      share({ shape: [4], q: [0.1, 0.5, 0.9], interpolation: "lower" }),
      share({ shape: [4], q: [0.1, 0.5, 0.9], interpolation: "higher" }),
      share({ shape: [4], q: [0.1, 0.5, 0.9], interpolation: "nearest" }),
      share({ shape: [4], q: [0.1, 0.5, 0.9], interpolation: "midpoint" }),
      share({ shape: [], q: 0.3, dim: 0 }),
      share({ shape: [3, 257], q: 0.3, dim: 1 }),
    ],
    large: share({ shape: [3, 30011], q: [0.3, 0.5], dim: 1 }),
    accuracy: "tree",
    specials,
    errors: [
      ...wrongDims((dim) => nb.quantile(matrix, 0.5, dim)),
      {
        what: "a share above 1",
        call: () => nb.quantile(matrix, 1.5),
        code: "ERR_ARGUMENT",
        says: /; expected a number from 0 to 1, got 1\.5/,
      },
      { what: "NaN as share", call: () => nb.quantile(matrix, Number.NaN), code: "ERR_ARGUMENT" },
      { what: "no share", call: () => nb.quantile(matrix, undefined as never), code: "ERR_ARGUMENT" },
      { what: "a share that is none", call: () => nb.quantile(matrix, nb.tensor([0.5, -1])), code: "ERR_ARGUMENT" },
      { what: "integers", call: () => nb.quantile(matrix.to("int32"), 0.5), code: "ERR_DTYPE" },
      { what: "nothing", call: () => nb.quantile(nb.zeros([0, 3]), 0.5, 0), code: "ERR_SHAPE" },
      {
        what: "an unknown way",
        call: () => nb.quantile(matrix, 0.5, { interpolation: "middle" as never }),
        code: "ERR_ARGUMENT",
      },
      {
        what: "an unknown option",
        call: () => nb.quantile(matrix, 0.5, { keepdims: true } as never),
        code: "ERR_ARGUMENT",
      },
    ],
    exempt,
  } satisfies Case,
};
