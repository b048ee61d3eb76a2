import type * as nb from "nabla";
import type { Arr } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { floats, results } from "./elementwise.js";

type Shapes = readonly (readonly number[])[];

/** What a call with inputs of these shapes is to be. */
export interface Body {
  readonly call: (xs: readonly nb.Tensor[]) => nb.Tensor;
  readonly reference: (xs: readonly Arr[]) => Arr;
  readonly scale: (xs: readonly Arr[]) => Arr;
  readonly terms?: number;
  readonly decomposition?: (xs: readonly nb.Tensor[]) => nb.Tensor;
}

export const sampleOf = (shapes: Shapes, body: Body, label = ""): Sample => ({
  label: `${shapes.map((shape) => `[${shape.join()}]`).join(" ")}${label}`,
  shapes,
  ...body,
});

/** A case of an op on float tensors; the last sample is the large one. */
export function shaped(
  inputs: readonly Input[],
  samples: readonly Sample[],
  errors: readonly Wrong[],
  exempt: Case["exempt"] = {},
): Case {
  const plain = samples.some((sample) => sample.decomposition === undefined);
  return {
    inputs,
    dtypes: floats,
    result: results.same,
    samples: samples.slice(0, -1),
    large: samples.at(-1)!,
    accuracy: "tree",
    errors,
    exempt: {
      numbers: "it takes tensors",
      ...(plain ? { decomposition: "one formula: the value law says it" } : {}),
      ...exempt,
    },
  };
}
