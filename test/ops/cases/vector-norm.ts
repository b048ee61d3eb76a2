/** Cases of the p-norm, one for each way it is computed. */
import * as nb from "nabla";
import { total } from "../../reference/array.js";
import type { Case } from "./case.js";
import { results } from "./elementwise.js";
import { reduction } from "./reduce.js";

const { norm } = nb;
type Options = { keepdim?: boolean };
const sizes = (values: number[]): number[] => values.map(Math.abs);

function ofOrder(
  ord: number,
  f: (sizes: number[]) => number,
  more: Partial<Parameters<typeof reduction>[1]> = {},
): Case {
  return reduction(
    (x, dim, options: Options = {}) =>
      // Options that are none go through as they are, to be refused.
      typeof options === "object" ? norm(x, dim, { ord, ...options }) : norm(x, [], options),
    {
      f: (values) => f(sizes(values)),
      result: results.float,
      input: { kinks: [0] },
      scale: (values) => f(sizes(values)),
      accuracy: "tree",
      ...more,
    },
  );
}
const own = { errors: "norm's own" } as const;
const p = (ord: number) => (values: number[]) => total(values.map((v) => v ** ord)) ** (1 / ord);

export const vectorNormCases = {
  norm: {
    ...ofOrder(2, p(2)),
    exempt: {
      numbers: "it reduces a tensor",
      decomposition: "the root of 0 has no derivative: the value law and points.test.ts say it",
    },
  },
  "norm, 1": ofOrder(1, total, { exempt: own }),
  "norm, 3": ofOrder(3, p(3), { exempt: own, accuracy: 16 }),
  "norm, 0.5": ofOrder(0.5, p(0.5), { exempt: own, accuracy: 32, double: 64 }),
  "norm, infinity": ofOrder(Number.POSITIVE_INFINITY, (v) => Math.max(...v), {
    exempt: own,
    accuracy: "exact",
    needsElements: true,
    input: { domain: [0.2, 3], distinct: true },
  }),
  "norm, -infinity": ofOrder(Number.NEGATIVE_INFINITY, (v) => Math.min(...v), {
    exempt: own,
    accuracy: "exact",
    needsElements: true,
    input: { domain: [0.2, 3], distinct: true },
  }),
  "norm, 0": ofOrder(0, (v) => v.filter((x) => x !== 0).length, { exempt: own, accuracy: "exact" }),
};
