/** Cases of the rows that copy and check: ops call them on inputs of their own. */
import type * as nb from "nabla";
import { dtypes } from "nabla/internal";
import { type Arr, map } from "../../reference/array.js";
import type { Case, Input } from "./case.js";
import { floats, results } from "./elementwise.js";
import { notPublic, row } from "./row.js";

interface Spec {
  readonly input: Input;
  readonly dtypes: readonly nb.DType[];
  readonly result: Case["result"];
  readonly call: (x: nb.Tensor) => nb.Tensor;
  readonly reference?: (v: number) => number;
  readonly shapes?: readonly (readonly number[])[];
  readonly others?: string;
  readonly exempt?: Case["exempt"];
}
function checked({ input, call, reference = (v) => v, shapes, exempt, ...rest }: Spec): Case {
  const sample = (shape: readonly number[]) => ({
    label: `[${shape.join()}]`,
    shapes: [shape],
    call: ([x]: readonly nb.Tensor[]) => call(x!),
    reference: ([x]: readonly Arr[]) => map(reference, x!),
  });
  return {
    inputs: [input],
    ...rest,
    samples: (shapes ?? [[], [0], [1], [257], [2, 3], [2, 0]]).map(sample),
    large: sample([3, 30011]),
    accuracy: "exact",
    errors: [],
    exempt: {
      numbers: "it takes a tensor",
      decomposition: "a copy: the value law says it",
      errors: `${notPublic}; names.test.ts has the values that each refuses`,
      ...exempt,
    },
  };
}

const drawn = "it is internal: its result is used only to draw indices, which have no derivative";

export const checkedCases = {
  exactly: checked({
    input: { name: "x", domain: [0, 1] },
    dtypes: ["int32", "int64", "uint8", "bool"],
    others: "floats are accepted if each is an integer of the range; module.test.ts has them",
    result: () => "uint8",
    call: (x) => row("exactly").replay([x], { type: dtypes.uint8, what: "the value" }),
  }),
  within: checked({
    input: { name: "x", domain: [0.1, 0.9] },
    dtypes: floats,
    result: results.same,
    call: (x) => row("within").replay([x], { low: 0, high: 1, fact: "no probability", expected: "0 to 1" }),
  }),
  places: checked({
    input: { name: "index", domain: [-5, 4] },
    dtypes: ["int32", "int64"],
    others: "it is internal: its callers pass integers; uint8, which has no negative elements, is not tried",
    result: () => "int64",
    call: (x) => row("places").replay([x], 5),
    reference: (v) => (v < 0 ? v + 5 : v),
  }),
  weights: checked({
    input: { name: "weights", domain: [0.1, 3] },
    dtypes: floats,
    result: () => "float64",
    shapes: [[5], [1], [3, 4], [0, 2]],
    call: (x) => row("weights").replay([x], 1),
    exempt: { gradient: drawn, "second order": drawn, duality: drawn },
  }),
};
