/** Cases of ops that look up and put by index, and count. */
import * as nb from "nabla";
import { type Arr, arr, build, expand, get, map, pick } from "../../reference/array.js";
import type { Case, Input, Sample } from "./case.js";
import { everyDtype, results } from "./elementwise.js";

const ints = (...values: number[]): nb.Tensor => nb.tensor(Int32Array.from(values));
const fold = (i: number, size: number): number => (i < 0 ? i + size : i);
const many = (n: number, size: number): number[] => Array.from({ length: n }, (_, i) => (i * 7919) % size);
const index: Input = { name: "index", domain: [0, 0], dtype: "int32" };
const x: Input = { name: "x", domain: [-3, 3] };
const matrix = nb.ones([2, 3]);
const sized = "the shapes depend on values";
const exempt = {
  numbers: "it takes tensors",
  decomposition: "it is made of indexSelect, indexAdd and scatter: the value law says it",
} as const;

const embedded = (
  shape: readonly number[],
  weight: readonly [number, number],
  at: readonly number[],
  paddingIdx?: number,
): Sample => ({
  label: `[${shape.join()}] of [${weight.join()}]${paddingIdx === undefined ? "" : ` without ${paddingIdx}`}`,
  shapes: [shape, weight],
  values: { 0: at },
  call: ([i, w]) => nb.embedding(i!, w!, { paddingIdx }),
  reference: ([i, w]) =>
    build([...i!.shape, weight[1]], (place) => pick(w!, [pick(i!, place.slice(0, -1)), place.at(-1)!])),
});
const encoded = (shape: readonly number[], numClasses?: number): Sample => ({
  label: `[${shape.join()}] ${numClasses ?? "open"}`,
  shapes: [shape],
  call: ([i]) => nb.oneHot(i!, { numClasses }),
  reference: ([i]) =>
    build([...i!.shape, numClasses ?? Math.max(...i!.data) + 1], (place) =>
      Number(pick(i!, place.slice(0, -1)) === place.at(-1)!),
    ),
});
const taken = (shape: readonly number[], at: readonly number[], values: readonly number[]): Sample => ({
  label: `[${shape.join()}] at [${at.join()}]`,
  shapes: [shape, at],
  values: { 1: values },
  call: ([v, i]) => nb.take(v!, i!),
  reference: ([v, i]) =>
    arr(
      i!.shape,
      i!.data.map((k) => v!.data[fold(k, v!.data.length)]!),
    ),
});

interface Put {
  readonly shape: readonly number[];
  readonly at: readonly number[];
  /** The indices into the first dimension, and into the second where there are some. */
  readonly lists: readonly (readonly number[])[];
  readonly value: readonly number[];
}
function put({ shape, at, lists, value }: Put, accumulate: boolean): Sample {
  const rest = shape.slice(lists.length);
  const others = lists.slice(1).map((list) => ints(...list));
  const to = (flat: number, place: readonly number[]): number =>
    [...lists.map((list, d) => fold(list[flat]!, shape[d]!)), ...place.slice(at.length)].reduce(
      (sum, i, d) => sum * shape[d]! + i,
      0,
    );
  const into = (v: Arr, values: Arr, f: (old: number, value: number) => number): Arr => {
    const data = [...v.data];
    const source = expand(values, [...at, ...rest]);
    const places: number[][] = [];
    build(source.shape, (place) => places.push([...place]));
    for (const place of places) {
      const flat = place.slice(0, at.length).reduce((sum, i, d) => sum * at[d]! + i, 0);
      const target = to(flat, place);
      data[target] = f(data[target]!, get(source, place));
    }
    return arr(v.shape, data);
  };
  return {
    label: JSON.stringify({ shape, at, value, accumulate }),
    shapes: [shape, at, value],
    values: { 1: lists[0]! },
    call: ([v, i, s]) => nb.indexPut(v!, [i!, ...others.map((other) => other.reshape(at))], s!, { accumulate }),
    reference: ([v, , s]) => into(v!, s!, accumulate ? (old, value) => old + value : (_, value) => value),
    scale: ([v, , s]) => into(map(Math.abs, v!), map(Math.abs, s!), (old, value) => old + value),
  };
}
const puts: readonly Put[] = [
  { shape: [4], at: [2], lists: [[2, -4]], value: [2] },
  { shape: [3, 2], at: [2], lists: [[2, 0]], value: [2, 2] },
  { shape: [3, 2], at: [2], lists: [[2, 0]], value: [] },
  {
    shape: [3, 4],
    at: [3],
    lists: [
      [0, 1, 2],
      [3, -1, 0],
    ],
    value: [3],
  },
  {
    shape: [3, 4, 2],
    at: [2, 1],
    lists: [
      [0, 2],
      [1, 3],
    ],
    value: [2],
  },
  { shape: [3, 2], at: [0], lists: [[]], value: [1, 2] },
  { shape: [30011, 3], at: [30000], lists: [many(30000, 30011)], value: [30000, 3] },
];
const repeats: readonly Put[] = [
  { shape: [4], at: [3], lists: [[2, 2, 0]], value: [3] },
  {
    shape: [3, 4],
    at: [3],
    lists: [
      [1, 1, 1],
      [2, -2, 2],
    ],
    value: [3],
  },
];
const indexPut = (samples: readonly Put[], accumulate: boolean, more: Partial<Case>): Case => {
  const made = samples.map((each) => put(each, accumulate));
  return {
    inputs: [x, index, { name: "value", domain: [-3, 3], orNumber: true }],
    dtypes: everyDtype.filter((dtype) => !accumulate || dtype !== "bool"),
    ...(accumulate ? { others: "bools are accepted, and combined by logicalOr" } : {}),
    result: results.same,
    samples: made.filter((_, i) => i !== puts.length - 1),
    large: made[puts.length - 1]!,
    accuracy: accumulate ? "tree" : "exact",
    errors: [],
    ...more,
    exempt: { ...exempt, ...more.exempt },
  };
};

const counted = (shape: readonly [number], minlength?: number): Sample => ({
  label: `[${shape.join()}] at least ${minlength}`,
  shapes: [shape],
  call: ([v]) => nb.bincount(v!, { minlength }),
  reference: ([v]) =>
    tally(
      v!.data,
      v!.data.map(() => 1),
      minlength ?? 0,
    ),
});
const countedIn = (shape: readonly [number], length: number): Sample => ({
  label: `[${shape.join()}] in ${length}`,
  shapes: [shape],
  call: ([v]) => nb.bincount(v!, { length }),
  reference: ([v]) =>
    tally(
      v!.data,
      v!.data.map(() => 1),
      length,
    ),
});
const weighed = (values: readonly number[]): Sample => ({
  label: `${values.length}`,
  shapes: [[values.length], [values.length]],
  values: { 0: values },
  call: ([v, weights]) => nb.bincount(v!, { weights }),
  reference: ([v, w]) => tally(v!.data, w!.data, 0),
  scale: ([v, w]) => tally(v!.data, w!.data.map(Math.abs), 0),
});
function tally(values: readonly number[], weights: readonly number[], least: number): Arr {
  const out = new Array<number>(Math.max(least, ...values.map((value) => value + 1))).fill(0);
  values.forEach((value, i) => {
    out[value]! += weights[i]!;
  });
  return arr([out.length], out);
}

const masked = (
  shape: readonly number[],
  mask: readonly number[],
  truths: readonly number[],
  value: readonly number[],
): Sample => ({
  label: `[${shape.join()}] by [${mask.join()}]`,
  shapes: [shape, mask, value],
  values: { 1: truths },
  call: ([v, m, s]) => nb.indexPut(v!, [m!], s!),
  reference: ([v, m, s]) =>
    build(shape, (place) => (pick(m!, place.slice(0, mask.length)) === 0 ? pick(v!, place) : get(s!, place))),
});

export const lookupCases = {
  embedding: {
    inputs: [index, { name: "weight", domain: [-3, 3] }],
    dtypes: everyDtype,
    result: results.same,
    samples: [
      embedded([3], [4, 2], [2, 0, 2]),
      embedded([2, 2], [3, 2], [0, 1, 1, 2]),
      embedded([], [3, 2], [1]),
      embedded([0], [3, 2], []),
      embedded([2], [3, 0], [0, 2]),
    ],
    large: embedded([30000], [3011, 3], many(30000, 3011)),
    accuracy: "exact",
    errors: [
      {
        what: "an index out of range",
        call: () => nb.embedding(ints(2), matrix),
        code: "ERR_INDEX",
        says: /; expected 0 to 1, got 2/,
      },
      { what: "a negative index", call: () => nb.embedding(ints(-1), matrix), code: "ERR_INDEX" },
      { what: "a float index", call: () => nb.embedding(nb.ones([1]), matrix), code: "ERR_DTYPE" },
      { what: "a weight of rank 1", call: () => nb.embedding(ints(0), nb.ones([3])), code: "ERR_SHAPE" },
      { what: "no row", call: () => nb.embedding(ints(0), matrix, { paddingIdx: 2 }), code: "ERR_INDEX" },
      {
        what: "NaN as row",
        call: () => nb.embedding(ints(0), matrix, { paddingIdx: Number.NaN }),
        code: "ERR_ARGUMENT",
      },
      {
        what: "an unknown option",
        call: () => nb.embedding(ints(0), matrix, { paddingIndex: 1 } as never),
        code: "ERR_ARGUMENT",
      },
    ],
    exempt,
  } satisfies Case,
  "embedding, padding": {
    inputs: [index, { name: "weight", domain: [-3, 3] }],
    dtypes: ["float32", "float64"],
    others: "those of embedding",
    result: results.same,
    samples: [embedded([3], [4, 2], [2, 0, 2], 2), embedded([2, 2], [3, 2], [0, 1, 1, 2], -3)],
    large: embedded([30000], [3011, 3], many(30000, 3011), 5),
    accuracy: "exact",
    errors: [],
    exempt: {
      ...exempt,
      errors: "embedding's own",
      gradient: "it leaves part of the derivative out, on purpose: points.test.ts says which",
      "second order": "as gradient",
    },
  } satisfies Case,
  oneHot: {
    inputs: [{ name: "index", domain: [0, 5] }],
    dtypes: ["int32", "int64", "uint8"],
    result: () => "int64",
    samples: [encoded([4], 6), encoded([4]), encoded([2, 3], 7), encoded([], 6), encoded([0], 3)],
    large: encoded([30011], 6),
    accuracy: "exact",
    errors: [
      {
        what: "no class",
        call: () => nb.oneHot(ints(3), { numClasses: 3 }),
        code: "ERR_INDEX",
        says: /; expected 0 to 2, got 3/,
      },
      { what: "a negative index", call: () => nb.oneHot(ints(-1)), code: "ERR_INDEX" },
      { what: "floats", call: () => nb.oneHot(nb.ones([1])), code: "ERR_DTYPE" },
      { what: "nothing to count", call: () => nb.oneHot(ints()), code: "ERR_ARGUMENT" },
      { what: "NaN classes", call: () => nb.oneHot(ints(0), { numClasses: Number.NaN }), code: "ERR_ARGUMENT" },
      { what: "an unknown option", call: () => nb.oneHot(ints(0), { numClass: 1 } as never), code: "ERR_ARGUMENT" },
    ],
    exempt: { ...exempt, vmap: sized },
  } satisfies Case,
  take: {
    inputs: [x, index],
    dtypes: everyDtype,
    result: results.same,
    samples: [
      taken([4], [3], [2, 0, 2]),
      taken([2, 3], [2, 2], [-1, 0, 5, -6]),
      taken([], [2], [0, -1]),
      taken([3], [], [1]),
      taken([2, 3], [0], []),
      taken([0], [0], []),
    ],
    large: taken([3, 30011], [30000], many(30000, 90033)),
    accuracy: "exact",
    errors: [
      {
        what: "an index out of range",
        call: () => nb.take(matrix, ints(6)),
        code: "ERR_INDEX",
        says: /; expected -6 to 5, got 6/,
      },
      { what: "an index below the range", call: () => nb.take(matrix, ints(-7)), code: "ERR_INDEX" },
      { what: "a float index", call: () => nb.take(matrix, nb.ones([1])), code: "ERR_DTYPE" },
      { what: "a mask", call: () => nb.take(matrix, matrix.gt(0)), code: "ERR_DTYPE" },
      { what: "a list", call: () => nb.take(matrix, [0] as never), code: "ERR_ARGUMENT" },
    ],
    exempt,
  } satisfies Case,
  indexPut: indexPut(puts, false, {
    errors: [
      { what: "no index", call: () => nb.indexPut(matrix, [], 1), code: "ERR_ARGUMENT" },
      { what: "no list", call: () => nb.indexPut(matrix, ints(0) as never, 1), code: "ERR_ARGUMENT" },
      {
        what: "an index out of range",
        call: () => nb.indexPut(matrix, [ints(2)], 1),
        code: "ERR_INDEX",
        says: /; expected -2 to 1, got 2/,
      },
      {
        what: "an index out of range in dim 1",
        call: () => nb.indexPut(matrix, [ints(0), ints(-4)], 1),
        code: "ERR_INDEX",
      },
      { what: "too many indices", call: () => nb.indexPut(matrix, [ints(0), ints(0), ints(0)], 1), code: "ERR_INDEX" },
      { what: "a mask that does not fit", call: () => nb.indexPut(matrix, [nb.ones([3]).gt(0)], 1), code: "ERR_SHAPE" },
      { what: "floats", call: () => nb.indexPut(matrix, [nb.ones([1])], 1), code: "ERR_DTYPE" },
      {
        what: "indices that do not broadcast",
        call: () => nb.indexPut(matrix, [ints(0, 1), ints(0, 1, 2)], 1),
        code: "ERR_SHAPE",
      },
      {
        what: "a value that does not fit",
        call: () => nb.indexPut(matrix, [ints(0)], nb.ones([2])),
        code: "ERR_SHAPE",
      },
      { what: "a fraction for integers", call: () => nb.indexPut(ints(1), [ints(0)], 0.5), code: "ERR_DTYPE" },
      {
        what: "an unknown option",
        call: () => nb.indexPut(matrix, [ints(0)], 1, { acumulate: true } as never),
        code: "ERR_ARGUMENT",
      },
    ],
  }),
  "indexPut, accumulate": indexPut([...puts, ...repeats], true, { exempt: { errors: "indexPut's own" } }),
  "indexPut, a mask": {
    inputs: [x, { name: "mask", domain: [0, 1], dtype: "bool" }, { name: "value", domain: [-3, 3] }],
    dtypes: everyDtype,
    result: results.same,
    samples: [
      masked([2, 3], [2, 3], [1, 0, 1, 0, 0, 1], []),
      masked([3, 2], [3], [1, 0, 1], [2]),
      masked([2, 3], [2], [0, 0], []),
    ],
    large: masked([30011, 3], [30011], many(30011, 2), [3]),
    accuracy: "exact",
    errors: [],
    exempt: { ...exempt, vmap: sized, errors: "indexPut's own" },
  } satisfies Case,
  bincount: {
    inputs: [{ name: "x", domain: [0, 9] }],
    dtypes: ["int32", "int64", "uint8"],
    result: () => "int64",
    samples: [counted([20]), counted([1]), counted([5], 12), counted([0], 3), counted([0])],
    large: counted([30011]),
    accuracy: "exact",
    errors: [
      { what: "a negative number", call: () => nb.bincount(ints(1, -1)), code: "ERR_INDEX" },
      { what: "floats", call: () => nb.bincount(nb.ones([1])), code: "ERR_DTYPE" },
      {
        what: "a matrix",
        call: () => nb.bincount(matrix.to("int32")),
        code: "ERR_SHAPE",
        says: /; expected rank 1, got/,
      },
      {
        what: "weights that do not fit",
        call: () => nb.bincount(ints(1), { weights: nb.ones([2]) }),
        code: "ERR_SHAPE",
      },
      { what: "a list of weights", call: () => nb.bincount(ints(1), { weights: [1] as never }), code: "ERR_ARGUMENT" },
      {
        what: "NaN as least length",
        call: () => nb.bincount(ints(1), { minlength: Number.NaN }),
        code: "ERR_ARGUMENT",
      },
      { what: "NaN as length", call: () => nb.bincount(ints(1), { length: Number.NaN }), code: "ERR_ARGUMENT" },
      { what: "two lengths", call: () => nb.bincount(ints(1), { length: 2, minlength: 2 }), code: "ERR_ARGUMENT" },
      {
        what: "a number beyond the length",
        call: () => nb.bincount(ints(0, 2), { length: 2 }),
        code: "ERR_INDEX",
        says: /; expected 0 to 1, got 2$/,
      },
      { what: "a number out of the world", call: () => nb.bincount(nb.tensor([2n ** 52n])), code: "ERR_MEMORY" },
    ],
    exempt: { ...exempt, vmap: sized },
  } satisfies Case,
  "bincount, length": {
    inputs: [{ name: "x", domain: [0, 9] }],
    dtypes: ["int32", "int64", "uint8"],
    result: () => "int64",
    samples: [
      [20, 10],
      [5, 12],
      [0, 3],
      [0, 0],
    ].map(([n, length]) => countedIn([n!], length!)),
    large: countedIn([30011], 10),
    accuracy: "exact",
    errors: [],
    exempt: { ...exempt, errors: "bincount's own" },
  } satisfies Case,
  "bincount, weights": {
    inputs: [
      { ...index, name: "x" },
      { name: "weights", domain: [-3, 3] },
    ],
    dtypes: everyDtype.filter((dtype) => dtype !== "bool"),
    others: "bools are accepted, and combined by logicalOr",
    result: results.same,
    samples: [weighed([1, 1, 3]), weighed([0, 2, 0, 2, 5])],
    large: weighed(many(30000, 97)),
    accuracy: "tree",
    errors: [],
    exempt: { ...exempt, vmap: sized, errors: "bincount's own" },
  } satisfies Case,
};
