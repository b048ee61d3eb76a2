/** Cases of ops that pick elements by a mask. */
import * as nb from "nabla";
import { arr, expand, indices, map } from "../../reference/array.js";
import type { Case, Input, Sample } from "./case.js";
import { everyDtype, results } from "./elementwise.js";

const x = nb.ones([2, 3]);
const mask: Input = { name: "mask", domain: [0, 1], dtype: "bool" };
const sized = "the shapes depend on values";
const exempt = {
  numbers: "the first operand is a tensor",
  decomposition: "it moves elements: the value law says it",
} as const;

const filled = (shape: readonly number[], maskShape: readonly number[], number?: number): Sample => ({
  label: `[${shape.join()}] by [${maskShape.join()}]${number === undefined ? "" : ` with ${number}`}`,
  shapes: [shape, maskShape, []],
  call: ([v, m, value]) => nb.maskedFill(v!, m!, number ?? value!),
  reference: ([v, m, value], dtype) =>
    map(
      (a, b, c) => (b === 0 ? a : number === undefined ? c : dtype === "bool" ? Number(number !== 0) : number),
      v!,
      m!,
      value!,
    ),
});

const selected = (shape: readonly number[], maskShape: readonly number[], truths: readonly number[]): Sample => ({
  label: `[${shape.join()}] by [${maskShape.join()}]`,
  shapes: [shape, maskShape],
  values: { 1: truths },
  call: ([v, m]) => nb.maskedSelect(v!, m!),
  reference: ([v, m]) => {
    const shapeOfBoth = map((a) => a, v!, m!).shape;
    const whole = expand(v!, shapeOfBoth);
    const chosen = whole.data.filter((_, i) => expand(m!, shapeOfBoth).data[i] !== 0);
    return arr([chosen.length], chosen);
  },
});
const alternating = (n: number): number[] => Array.from({ length: n }, (_, i) => Number(i % 3 !== 1));

const found = (shape: readonly number[]): Sample => ({
  label: `[${shape.join()}]`,
  shapes: [shape],
  call: ([v]) => nb.nonzero(v!),
  reference: ([v]) => {
    const places = indices(v!.shape).filter((_, i) => v!.data[i] !== 0);
    return arr([places.length, v!.shape.length], places.flat());
  },
});

export const maskCases = {
  maskedFill: {
    inputs: [{ name: "x", domain: [-3, 3] }, mask, { name: "value", domain: [-3, 3], orNumber: true }],
    dtypes: everyDtype,
    result: results.same,
    samples: [filled([2, 3], [2, 3]), filled([2, 3], [3]), filled([3], [2, 1]), filled([], []), filled([0, 3], [3])],
    large: filled([3, 30011], [30011]),
    accuracy: "exact",
    errors: [
      { what: "no mask", call: () => nb.maskedFill(x, x, 1), code: "ERR_DTYPE", says: /; expected bool, got float32/ },
      { what: "several values", call: () => nb.maskedFill(x, x.gt(0), nb.ones([3])), code: "ERR_SHAPE" },
      { what: "a mask that does not fit", call: () => nb.maskedFill(x, nb.ones([2]).gt(0), 1), code: "ERR_SHAPE" },
      {
        what: "a fraction for integers",
        call: () => nb.maskedFill(nb.ones([1], { dtype: "int32" }), nb.ones([1]).gt(0), 0.5),
        code: "ERR_DTYPE",
      },
    ],
    exempt,
  } satisfies Case,
  "maskedFill, a number": {
    inputs: [{ name: "x", domain: [-3, 3] }, mask, { name: "none", domain: [0, 0], dtype: "int32" }],
    dtypes: everyDtype,
    result: results.same,
    samples: [filled([2, 3], [2, 3], 7), filled([2, 3], [3], 0), filled([0], [0], 1)],
    large: filled([3, 30011], [30011], 7),
    accuracy: "exact",
    errors: [],
    exempt: { ...exempt, errors: "maskedFill's own" },
  } satisfies Case,
  maskedSelect: {
    inputs: [{ name: "x", domain: [-3, 3] }, mask],
    dtypes: everyDtype,
    result: results.same,
    samples: [
      selected([4], [4], [1, 0, 0, 1]),
      selected([2, 3], [2, 3], alternating(6)),
      selected([2, 3], [3], [0, 1, 1]),
      selected([3], [2, 1], [1, 1]),
      selected([], [], [1]),
      selected([3], [3], [0, 0, 0]),
      selected([0], [0], []),
    ],
    large: selected([3, 30011], [30011], alternating(30011)),
    accuracy: "exact",
    errors: [
      { what: "no mask", call: () => nb.maskedSelect(x, x), code: "ERR_DTYPE", says: /; expected bool, got float32/ },
      { what: "a mask that does not fit", call: () => nb.maskedSelect(x, nb.ones([2]).gt(0)), code: "ERR_SHAPE" },
    ],
    exempt: { ...exempt, vmap: sized },
  } satisfies Case,
  nonzero: {
    inputs: [{ name: "x", domain: [-2, 2], lattice: [1, 0] }],
    dtypes: everyDtype.filter((dtype) => !dtype.startsWith("float")),
    others: "floats are tried by themselves",
    result: () => "int32",
    samples: [found([5]), found([2, 3]), found([2, 2, 3]), found([]), found([0, 2])],
    large: found([3, 30011]),
    accuracy: "exact",
    errors: [],
    anyTensor: true,
    exempt: { ...exempt, vmap: sized },
  } satisfies Case,
  "nonzero, floats": {
    inputs: [{ name: "x", domain: [-2, 2] }],
    dtypes: ["float32", "float64"],
    others: "those of nonzero",
    result: () => "int32",
    samples: [found([5]), found([2, 3])],
    large: found([3, 30011]),
    accuracy: "exact",
    specials: [[0, -0, Number.NaN, 1e-40, Number.NEGATIVE_INFINITY, 0, 2]],
    errors: [],
    exempt: { ...exempt, vmap: sized, errors: "nonzero's own" },
  } satisfies Case,
};
