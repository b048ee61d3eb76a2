/** Casts: the dtype of the result is an argument, so that each is a sample. */
import * as nb from "nabla";
import { type Arr, map } from "../../reference/array.js";
import type { Case, Sample } from "./case.js";
import { everyDtype } from "./elementwise.js";

const limits: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint8: [0, 255],
};

export function castTo(x: Arr, to: nb.DType, from: nb.DType): Arr {
  if (to === "bool") return map((v) => Number(v !== 0), x);
  const range = limits[to];
  // Between integers the low bits stay; the law for values wraps.
  if (range === undefined || !from.startsWith("float")) return x;
  return map((v) => (Number.isNaN(v) ? 0 : Math.min(Math.max(Math.trunc(v), range[0]), range[1])), x);
}

const sample = (to: nb.DType, shape: readonly number[]): Sample => ({
  label: `[${shape.join()}]`,
  shapes: [shape],
  call: ([x]) => nb.to(x!, to),
  reference: ([x], from) => castTo(x!, to, from),
});

/** One case per target dtype; the first bears the op's name. */
export const castCase = (to: nb.DType): Case => ({
  inputs: [{ name: "x", domain: to.startsWith("float") ? [-3, 3] : [-300, 300] }],
  dtypes: everyDtype,
  result: () => to,
  row: "to",
  derivative: 1e-2,
  samples: [[], [0], [1], [257], [2, 3], [2, 0]].map((shape) => sample(to, shape)),
  large: sample(to, [3, 30011]),
  specials: [[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 0.9, -0.9, 255.9, 256, 3e9, -3e9]],
  errors: [
    {
      what: "an unknown dtype",
      call: () => nb.to(nb.ones([1]), "float" as never),
      code: "ERR_DTYPE",
      says: /; expected .*float32.*, got "float"/,
    },
    { what: "no dtype", call: () => nb.to(nb.ones([1]), undefined as never), code: "ERR_DTYPE" },
  ],
  exempt: {
    ...(to === "float32" ? {} : { errors: "those of the first cast" }),
    numbers: "a cast takes a tensor",
    decomposition: "one kernel and one formula: the value law says it",
    ...(to.startsWith("float")
      ? {}
      : { gradient: "not to a float dtype", "second order": "not to a float dtype", duality: "not to a float dtype" }),
  },
});

export const castCases = {
  to: castCase("float32"),
  "to float64": castCase("float64"),
  "to int32": castCase("int32"),
  "to int64": castCase("int64"),
  "to uint8": castCase("uint8"),
  "to bool": castCase("bool"),
};
