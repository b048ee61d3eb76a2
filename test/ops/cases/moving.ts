/** What the cases of ops that move elements share. */
import * as nb from "nabla";
import { type Arr, arr, permute, range } from "../../reference/array.js";
import type { Case, Sample, Wrong } from "./case.js";
import { everyDtype, results } from "./elementwise.js";

export type Of = readonly [
  shapes: readonly (readonly number[])[],
  call: (xs: readonly nb.Tensor[]) => nb.Tensor,
  reference: (xs: readonly Arr[]) => Arr,
];

/** A case of an op that moves elements: exact in every dtype. Each sample: shapes, call and reference; the last is large. */
export function moving(
  samples: readonly Of[],
  errors: readonly Wrong[],
  exempt: Case["exempt"] = {},
  rowName?: string,
): Case {
  const inputs = samples[0]![0].map((_, i) => ({ name: "xyz"[i]!, domain: [-3, 3] as const }));
  const made = samples.map(
    ([shapes, call, reference], i): Sample => ({
      label: `${i}: ${shapes.map((shape) => `[${shape.join()}]`).join(" ")}`,
      shapes,
      call,
      reference,
    }),
  );
  return {
    inputs,
    dtypes: everyDtype,
    result: results.same,
    samples: made.slice(0, -1),
    large: made.at(-1)!,
    accuracy: "exact",
    errors,
    anyTensor: errors.length === 0,
    ...(rowName === undefined ? {} : { row: rowName }),
    exempt: {
      numbers: "it moves the elements of a tensor",
      decomposition: "it moves elements: the value law says it",
      ...exempt,
    },
  };
}
export const one = (shape: readonly number[], call: (x: nb.Tensor) => nb.Tensor, reference: (x: Arr) => Arr): Of => [
  [shape],
  ([x]) => call(x!),
  ([x]) => reference(x!),
];
export const same =
  (shape: readonly number[]) =>
  (x: Arr): Arr =>
    arr(shape, x.data);
export const swap =
  (order: readonly number[]) =>
  (x: Arr): Arr =>
    permute(x, order);
export const turn =
  (...dims: number[]) =>
  (x: Arr): Arr =>
    dims.reduce((y, d) => range(y, d, y.shape[d]! - 1, y.shape[d]!, -1), x);
export const x = nb.ones([2, 3]);
export const badShape = (call: (shape: never) => unknown): Wrong[] => [
  { what: "no shape", call: () => call(undefined as never), code: "ERR_ARGUMENT" },
  { what: "a number as shape", call: () => call(6 as never), code: "ERR_ARGUMENT" },
  { what: "NaN as a size", call: () => call([Number.NaN, 3] as never), code: "ERR_ARGUMENT" },
  { what: "a fraction as a size", call: () => call([1.5, 4] as never), code: "ERR_ARGUMENT" },
];
export const otherCount = (call: (shape: number[]) => unknown): Wrong => ({
  what: "another number of elements",
  call: () => call([4, 2]),
  code: "ERR_SHAPE",
  says: /; expected 6 elements, got \[4, 2\]/,
});
