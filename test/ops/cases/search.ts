/** Cases of ops that look for values. */
import * as nb from "nabla";
import { arr, build, pick } from "../../reference/array.js";
import type { Case, Input, Sample } from "./case.js";
import { everyDtype, results } from "./elementwise.js";

const exempt = {
  numbers: "the first operand is a tensor",
  decomposition: "one kernel and one formula: the value law says it",
} as const;

interface Find {
  readonly rows: readonly number[];
  readonly sorted: readonly number[];
  readonly shape: readonly number[];
  readonly right?: boolean;
}
const find = ({ rows, sorted, shape, right = false }: Find): Sample => ({
  label: `[${shape.join()}] in [${rows.join()}]${right ? " right" : ""}`,
  shapes: [rows, shape],
  values: { 0: sorted },
  call: ([s, v]) => nb.searchsorted(s!, v!, { right }),
  reference: ([s, v]) =>
    build(shape, (place) => {
      const value = pick(v!, place);
      const n = rows.at(-1)!;
      const row = rows.length === 1 ? 0 : place.slice(0, -1).reduce((sum, i, d) => sum * rows[d]! + i, 0);
      return s!.data.slice(row * n, (row + 1) * n).filter((each) => (right ? each <= value : each < value)).length;
    }),
});

const lattice: Input = { name: "x", domain: [-3, 3], lattice: [1, 0] };
function different(part: keyof nb.Unique, inputs: readonly Input[], more: Partial<Case> & Pick<Case, "result">): Case {
  const sample = (shape: readonly number[]): Sample => ({
    label: `[${shape.join()}]`,
    shapes: [shape],
    call: ([x]) => nb.unique(x!)[part],
    reference: ([x]) => {
      const values = [...new Set(x!.data)].sort((a, b) => a - b);
      if (part === "values") return arr([values.length], values);
      if (part === "inverse")
        return arr(
          shape,
          x!.data.map((value) => values.indexOf(value)),
        );
      return arr(
        [values.length],
        values.map((value) => x!.data.filter((each) => each === value).length),
      );
    },
  });
  return {
    inputs,
    dtypes: everyDtype,
    samples: [sample([12]), sample([1]), sample([2, 3]), sample([]), sample([0]), sample([3, 70])],
    large: sample([3, 30011]),
    accuracy: "exact",
    errors: [],
    anyTensor: true,
    ...more,
    exempt: { ...exempt, vmap: "the shapes depend on values", ...more.exempt },
  };
}

const below = (value: number): Sample => ({
  label: `${value}`,
  shapes: [[5]],
  values: { 0: [0, 2, 2, 3, 6] },
  call: ([sorted]) => nb.searchsorted(sorted!, value),
  reference: ([sorted]) => arr([], [sorted!.data.filter((each) => each < value).length]),
});

export const searchCases = {
  searchsorted: {
    inputs: [
      { name: "sorted", domain: [0, 6], lattice: [1, 0] },
      { name: "values", domain: [-1, 7], lattice: [1, 0], orNumber: true },
    ],
    dtypes: everyDtype.filter((dtype) => dtype !== "bool"),
    others: "bools are accepted, as the numbers 0 and 1",
    result: () => "int32",
    samples: [
      find({ rows: [5], sorted: [0, 2, 2, 3, 6], shape: [9] }),
      find({ rows: [5], sorted: [0, 2, 2, 3, 6], shape: [2, 4], right: true }),
      find({ rows: [2, 3], sorted: [0, 1, 5, 2, 2, 3], shape: [2, 4] }),
      find({ rows: [5], sorted: [0, 2, 2, 3, 6], shape: [] }),
      find({ rows: [0], sorted: [], shape: [3] }),
      find({ rows: [3], sorted: [1, 2, 3], shape: [0] }),
    ],
    large: find({ rows: [5], sorted: [0, 2, 2, 3, 6], shape: [3, 30011] }),
    accuracy: "exact",
    errors: [
      { what: "no row", call: () => nb.searchsorted(nb.scalar(1), nb.ones([2])), code: "ERR_SHAPE" },
      {
        what: "rows that do not fit",
        call: () => nb.searchsorted(nb.ones([2, 3]), nb.ones([3, 1])),
        code: "ERR_SHAPE",
      },
      { what: "rows for a number", call: () => nb.searchsorted(nb.ones([2, 3]), 1), code: "ERR_SHAPE" },
      {
        what: "an unknown option",
        call: () => nb.searchsorted(nb.ones([2]), 1, { rigth: true } as never),
        code: "ERR_ARGUMENT",
      },
    ],
    exempt,
  } satisfies Case,
  // Also one that the dtype of the row cannot hold.
  "searchsorted, a number": {
    inputs: [{ name: "sorted", domain: [0, 6] }],
    dtypes: everyDtype.filter((dtype) => dtype !== "bool"),
    others: "bools are accepted, as the numbers 0 and 1",
    result: () => "int32",
    samples: [-1, 2, 300, 2 ** 40].map(below),
    large: below(2),
    accuracy: "exact",
    errors: [],
    exempt: { ...exempt, errors: "searchsorted's own" },
  } satisfies Case,
  unique: different("values", [{ name: "x", domain: [-3, 3], distinct: true }], {
    result: results.same,
    exempt,
  }),
  "unique, equals": different("values", [lattice], {
    result: results.same,
    exempt: {
      ...exempt,
      errors: "unique's own",
      gradient: "equal elements part when they move",
      "second order": "as gradient",
      duality: "as gradient",
    },
  }),
  "unique, inverse": different("inverse", [lattice], {
    result: () => "int32",
    dtypes: everyDtype.filter((dtype) => !dtype.startsWith("float")),
    others: "those of the values",
    exempt: { ...exempt, errors: "unique's own" },
  }),
  "unique, counts": different("counts", [lattice], {
    result: () => "int64",
    dtypes: everyDtype.filter((dtype) => !dtype.startsWith("float")),
    others: "those of the values",
    exempt: { ...exempt, errors: "unique's own" },
  }),
};
