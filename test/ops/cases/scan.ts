/** Cases of ops that carry a value along a dimension. */
import * as nb from "nabla";
import { type Arr, mapAlong, total } from "../../reference/array.js";
import type { Case, Sample } from "./case.js";
import { everyDtype, floats, results } from "./elementwise.js";
import { wide, wrongDims } from "./reduce.js";
import { notPublic, row } from "./row.js";

type Rows = (values: number[]) => number[];
const prefixes = (values: number[]): number[][] => values.map((_, i) => values.slice(0, i + 1));
const shapes: readonly (readonly [readonly number[], number])[] = [
  [[5], 0],
  [[], 0],
  [[1], -1],
  [[2, 3], 0],
  [[2, 3], -1],
  [[2, 3, 4], 1],
  [[0, 3], 0],
  [[2, 0], 0],
  [[257, 3], 0],
  [[3, 70], 0],
  [[3, 257], 1],
];

interface Spec {
  readonly call: (x: nb.Tensor, dim: number) => nb.Tensor;
  readonly f: Rows;
  readonly size: Rows;
  readonly part: (x: nb.Tensor, dim: number) => nb.Tensor;
  readonly domain: readonly [number, number];
}

function scan({ call, f, size, part, domain }: Spec): Case {
  const sample = (shape: readonly number[], dim: number, values?: readonly number[]): Sample => ({
    label: `[${shape.join()}] dim ${dim}${values === undefined ? "" : `: ${values.join()}`}`,
    shapes: [shape],
    ...(values === undefined ? {} : { values: { 0: values } }),
    call: ([x]) => call(x!, dim),
    reference: ([x], dtype) => mapAlong(x!, dim, dtype === "bool" ? (list) => f(list.map((v) => Number(v !== 0))) : f),
    scale: ([x]) => mapAlong(x!, dim, size),
    terms: shape[dim < 0 ? dim + shape.length : dim] ?? 1,
    decomposition: ([x]) => {
      const n = x!.shape.at(dim) ?? 0;
      const parts = Array.from({ length: n }, (_, i) => part(x!.narrow(dim, 0, i + 1), dim));
      return n === 0 || x!.ndim === 0 ? x!.mul(1) : nb.cat(parts, dim);
    },
  });
  return {
    inputs: [{ name: "x", domain }],
    dtypes: everyDtype,
    result: wide,
    samples: [
      ...shapes.map(([shape, dim]) => sample(shape, dim)),
      sample([4], 0, [2, 0, 3, 1]),
      sample([2, 4], 1, [0, 1, 0, 1, 1, 1, 1, 0]),
      sample([3], 0, [0, 0, 0]),
    ],
    large: sample([3, 30011], 1),
    specials: [[2, 0.5, -1, 0, Number.POSITIVE_INFINITY, 1, Number.NaN, 3]],
    errors: [
      ...wrongDims((dim) => call(nb.ones([2, 3]), dim)),
      { what: "no dim", call: () => call(nb.ones([2, 3]), undefined as never), code: "ERR_ARGUMENT" },
    ],
    exempt: { numbers: "it goes along a dimension of a tensor" },
  };
}

const product = (values: number[]): number => values.reduce((a, b) => a * b, 1);
const sizes = (values: number[]): number[] => values.map(Math.abs);

const linear = (shape: readonly number[], dim: number): Sample => ({
  label: `[${shape.join()}] dim ${dim}`,
  shapes: [shape, shape],
  call: (xs) => row("linearScan").replay(xs, { dim }),
  reference: ([a, b]) => recurrence(a!, b!, dim),
  scale: ([a, b]) => {
    const positive = (x: Arr): Arr => mapAlong(x, dim, sizes);
    return recurrence(positive(a!), positive(b!), dim);
  },
  terms: shape[dim]!,
});
function recurrence(a: Arr, b: Arr, dim: number): Arr {
  const coefficients: number[][] = [];
  mapAlong(a, dim, (values) => {
    coefficients.push(values);
    return values;
  });
  // mapAlong asks once for the length, of both.
  let next = 0;
  return mapAlong(b, dim, (values) => {
    const each = coefficients[next++]!;
    let y = 0;
    return values.map((value, j) => {
      y = j === 0 ? value : each[j]! * y + value;
      return y;
    });
  });
}

export const scanCases = {
  cumsum: scan({
    call: nb.cumsum,
    f: (values) => prefixes(values).map(total),
    size: (values) => prefixes(sizes(values)).map(total),
    part: (x, dim) => x.sum(dim, { keepdim: true }),
    domain: [-3, 3],
  }),
  cumprod: scan({
    call: nb.cumprod,
    f: (values) => prefixes(values).map(product),
    size: (values) => prefixes(sizes(values)).map(product),
    part: (x, dim) => x.prod(dim, { keepdim: true }),
    domain: [-1.5, 1.5],
  }),
  linearScan: {
    inputs: [
      { name: "a", domain: [-1.2, 1.2] },
      { name: "b", domain: [-3, 3] },
    ],
    dtypes: floats,
    result: results.same,
    samples: [
      linear([5], 0),
      linear([1], 0),
      linear([2, 3], 0),
      linear([2, 3, 2], 1),
      linear([0], 0),
      linear([9, 70], 0),
    ],
    large: linear([3, 30011], 1),
    errors: [],
    exempt: {
      numbers: "it goes along a dimension of a tensor",
      decomposition: "one kernel and one formula: the value law says it",
      errors: notPublic,
    },
  } satisfies Case,
};
