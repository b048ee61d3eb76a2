import * as nb from "nabla";
import { expand } from "../../reference/array.js";
import type { Case, Sample } from "./case.js";
import { everyDtype, results } from "./elementwise.js";

const sample = (shape: readonly number[], value: readonly number[]): Sample => ({
  label: `[${shape.join()}] of [${value.join()}]`,
  shapes: [shape, value],
  // Into a copy: the laws hold that inputs do not change.
  call: ([x, v]) => nb.assign(nb.isTensor(x) ? x.detach().clone() : x!, v!),
  reference: ([, v]) => expand(v!, shape),
});

export const inPlaceCases = {
  assign: {
    inputs: [
      { name: "x", domain: [-3, 3] },
      { name: "value", domain: [-3, 3], orNumber: true },
    ],
    dtypes: everyDtype,
    result: results.same,
    samples: [
      sample([2, 3], [2, 3]),
      sample([2, 3], [3]),
      sample([2, 3], []),
      sample([], []),
      sample([0], [1]),
      sample([257], [257]),
    ],
    large: sample([3, 30011], [30011]),
    accuracy: "exact",
    errors: [
      {
        what: "a value that does not broadcast",
        call: () => nb.assign(nb.ones([2, 3]), nb.ones([2])),
        code: "ERR_SHAPE",
        says: /; expected \[2, 3\], got \[2\]/,
      },
      { what: "an expanded target", call: () => nb.assign(nb.ones([1]).expand([3]), 1), code: "ERR_ARGUMENT" },
      {
        what: "a fraction for integers",
        call: () => nb.assign(nb.ones([1], { dtype: "int32" }), 0.5),
        code: "ERR_DTYPE",
      },
      { what: "no value", call: () => nb.assign(nb.ones([1]), undefined as never), code: "ERR_ARGUMENT" },
      {
        what: "a target that requires grad",
        call: () => nb.assign(nb.ones([1], { requiresGrad: true }), 1),
        code: "ERR_GRADIENT",
      },
    ],
    exempt: {
      vmap: "vmap refuses writes to a batched tensor",
      numbers: "the first operand is a tensor",
      decomposition: "it moves elements: the value law says it",
      gradient: "it is not recorded, and refuses a tensor that requires grad",
      "second order": "it is not recorded",
      duality: "it is not recorded",
    },
  } satisfies Case,
};
