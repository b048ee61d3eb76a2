/** Cases of ops that put elements in order. */
import * as nb from "nabla";
import { mapAlong } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { everyDtype, results } from "./elementwise.js";
import { wrongDims } from "./reduce.js";

const x = nb.ones([2, 3]);
/** Few values, so that equal ones occur. */
const ties: Input = { name: "x", domain: [-3, 3], lattice: [1, 0] };
const distinct: Input = { name: "x", domain: [-3, 3], distinct: true };
const specials = [[2, Number.NaN, -0, 0, Number.NEGATIVE_INFINITY, 1, 3, Number.POSITIVE_INFINITY, Number.NaN, -1]];

const before = (a: number, b: number): boolean => (Number.isNaN(b) ? !Number.isNaN(a) : a < b);
/** The places of the values in order, equal ones as they stood. */
export function places(values: readonly number[], descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  return values
    .map((_, i) => i)
    .sort((i, j) => {
      const [a, b] = [values[i]!, values[j]!];
      return before(a, b) ? -sign : before(b, a) ? sign : i - j;
    });
}

interface Call {
  readonly shape: readonly number[];
  readonly dim?: number;
  readonly descending?: boolean;
  readonly k?: number;
}

function ordering(
  input: Input,
  call: (x: nb.Tensor, c: Call) => nb.Tensor,
  pick: (values: readonly number[], order: readonly number[]) => readonly number[],
  samples: readonly Call[],
  more: Pick<Case, "errors" | "result"> & Partial<Case>,
): Case {
  const made = samples.map(
    (c): Sample => ({
      label: JSON.stringify(c),
      shapes: [c.shape],
      call: ([v]) => call(v!, c),
      reference: ([v]) =>
        mapAlong(v!, c.dim ?? -1, (values) => pick(values, places(values, c.descending === true).slice(0, c.k))),
    }),
  );
  return {
    inputs: [input],
    dtypes: everyDtype,
    samples: made.slice(0, -1),
    large: made.at(-1)!,
    accuracy: "exact",
    specials,
    ...more,
    exempt: {
      numbers: "it goes along a dimension of a tensor",
      decomposition: "it moves elements: the value law says it",
      ...more.exempt,
    },
  };
}

const sorts: readonly Call[] = [
  { shape: [7] },
  { shape: [] },
  { shape: [1] },
  { shape: [2, 3], dim: 0 },
  { shape: [2, 3], descending: true },
  { shape: [2, 5, 3], dim: 1, descending: true },
  { shape: [0, 3], dim: 0 },
  { shape: [2, 0] },
  { shape: [3, 257] },
  { shape: [300, 2], dim: 0, descending: true },
  { shape: [3, 30011] },
];
const tops: readonly Call[] = [
  { shape: [10], k: 3, descending: true },
  { shape: [], k: 1, descending: true },
  { shape: [4], k: 4 },
  { shape: [2, 3], k: 0 },
  { shape: [2, 9], k: 2 },
  { shape: [12, 2], dim: 0, k: 2, descending: true },
  { shape: [2, 257], k: 50, descending: true },
  { shape: [3, 300], k: 70 },
  { shape: [3, 30011], k: 100, descending: true },
];
const sortCall = ({ dim, descending }: Call): nb.SortOptions => ({ dim, descending });
const topCall = ({ dim, descending }: Call): nb.TopkOptions => ({ dim, largest: descending === true });
const unknown = (call: (options: never) => unknown, name: string, guess: string): Wrong => ({
  what: "an unknown option",
  call: () => call({ [name]: true } as never),
  code: "ERR_ARGUMENT",
  says: new RegExp(`did you mean "${guess}"`),
});
const valuesAt = (values: readonly number[], order: readonly number[]): number[] => order.map((i) => values[i]!);
const sortErrors = (call: (x: nb.Tensor, dim?: never, options?: never) => unknown): Wrong[] => [
  ...wrongDims((dim) => call(x, dim)),
  unknown((options) => call(x, options), "decending", "descending"),
  { what: "options that are none", call: () => call(x, 0 as never, 1 as never), code: "ERR_ARGUMENT" },
];

export const sortCases = {
  argsort: ordering(
    ties,
    (v, c) => nb.argsort(v, sortCall(c)),
    (_, order) => order,
    sorts,
    { result: () => "int32", errors: sortErrors(nb.argsort) },
  ),
  sort: ordering(distinct, (v, c) => nb.sort(v, sortCall(c)).values, valuesAt, sorts, {
    result: results.same,
    errors: sortErrors(nb.sort),
  }),
  topk: ordering(distinct, (v, c) => nb.topk(v, c.k!, topCall(c)).values, valuesAt, tops, {
    result: results.same,
    errors: [
      ...wrongDims((dim) => nb.topk(x, 1, dim)),
      unknown((options) => nb.topk(x, 1, options), "larges", "largest"),
      {
        what: "more than there are",
        call: () => nb.topk(x, 4),
        code: "ERR_ARGUMENT",
        says: /; expected 0 to 3, got 4/,
      },
      { what: "fewer than none", call: () => nb.topk(x, -1), code: "ERR_ARGUMENT" },
      { what: "no k", call: () => nb.topk(x, undefined as never), code: "ERR_ARGUMENT" },
      { what: "NaN as k", call: () => nb.topk(x, Number.NaN), code: "ERR_ARGUMENT" },
    ],
  }),
  "topk, indices": ordering(
    ties,
    (v, c) => nb.topk(v, c.k!, c.dim ?? -1, { largest: c.descending === true }).indices,
    (_, order) => order,
    tops,
    { result: () => "int32", errors: [], exempt: { errors: "topk's own" } },
  ),
};
