import * as nb from "nabla";
import { type Arr, arr, build, get, indices, pick } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { everyDtype, results } from "./elementwise.js";
import { wrongDims } from "./reduce.js";

const index: Input = { name: "index", domain: [0, 0], dtype: "int32" };
const x: Input = { name: "x", domain: [-3, 3] };
const source: Input = { name: "source", domain: [-3, 3] };
const ints = (...values: number[]): nb.Tensor => nb.tensor(Int32Array.from(values));
const fold = (i: number, size: number): number => (i < 0 ? i + size : i);

/** A sample: shapes of the inputs, the indices, and the dimension. The index is input 1. */
type Of = readonly [shapes: readonly (readonly number[])[], index: readonly number[], dim: number];
type Call = (xs: readonly nb.Tensor[], dim: number) => nb.Tensor;

function indexing(
  inputs: readonly Input[],
  call: Call,
  reference: (xs: readonly Arr[], dim: number) => Arr,
  samples: readonly Of[],
  errors: readonly Wrong[],
): Case {
  const made = samples.map(
    ([shapes, values, dim], i): Sample => ({
      label: `${i}: ${shapes.map((shape) => `[${shape.join()}]`).join(" ")} dim ${dim}`,
      shapes,
      values: { 1: values },
      call: (xs) => call(xs, dim),
      reference: (xs) => reference(xs, dim < 0 ? dim + xs[0]!.shape.length : dim),
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
    exempt: { numbers: "it takes tensors", decomposition: "one kernel and one formula: the value law says it" },
  };
}

const matrix = nb.ones([2, 3]);
/** What all of them refuse; `call` is given the index and the dim. */
const refused = (call: (at: nb.Tensor, dim: number) => unknown, fits: nb.Tensor): Wrong[] => [
  ...wrongDims((dim) => call(fits, dim)),
  { what: "an index out of range", call: () => call(fits.mul(0).add(3), 1), code: "ERR_INDEX" },
  { what: "an index below the range", call: () => call(fits.mul(0).sub(4), 1), code: "ERR_INDEX" },
  {
    what: "a float index",
    call: () => call(fits.to("float32"), 1),
    code: "ERR_DTYPE",
    says: /; expected .*int32.*, got float32/,
  },
  { what: "a mask for an index", call: () => call(fits.to("bool"), 1), code: "ERR_DTYPE" },
  { what: "a list for an index", call: () => call([0] as never, 1), code: "ERR_ARGUMENT" },
];
const many = (n: number, size: number): number[] => Array.from({ length: n }, (_, i) => (i * 7919) % size);

/** f(index into source, its place in x) for each element of source. */
function eachAlong(
  at: Arr,
  from: Arr,
  shape: readonly number[],
  dim: number,
  f: (value: number, place: readonly number[]) => void,
): void {
  for (const place of indices(at.shape))
    f(
      pick(from, place),
      place.map((i, d) => (d === dim ? fold(pick(at, place), shape[dim]!) : i)),
    );
}
function written(base: Arr, write: (put: (place: readonly number[], f: (old: number) => number) => void) => void): Arr {
  const data = [...base.data];
  const offset = (place: readonly number[]) => base.shape.reduce((sum, size, d) => sum * size + place[d]!, 0);
  write((place, f) => {
    data[offset(place)] = f(data[offset(place)]!);
  });
  return arr(base.shape, data);
}

const truth = (dtype: nb.DType) => dtype !== "bool";

export const indexCases = {
  indexSelect: indexing(
    [x, index],
    ([v, at], dim) => nb.indexSelect(v!, dim, at!),
    ([v, at], dim) => {
      const shape = v!.shape.map((size, d) => (d === dim ? at!.data.length : size));
      return build(shape, (place) =>
        pick(
          v!,
          place.map((i, d) => (d === dim ? fold(at!.data[i]!, v!.shape[dim]!) : i)),
        ),
      );
    },
    [
      [[[4], [3]], [2, 0, 2], 0],
      [[[2, 3], [4]], [-1, 0, 0, 1], 1],
      [[[2, 3, 2], [2]], [1, 1], -2],
      [[[2, 3], [0]], [], 0],
      [[[3, 30011], [30000]], many(30000, 30011), 1],
    ],
    [
      ...refused((at, dim) => nb.indexSelect(matrix, dim, at), ints(0, 1)),
      {
        what: "an index of rank 2",
        call: () => nb.indexSelect(matrix, 0, nb.tensor([[0]], { dtype: "int32" })),
        code: "ERR_SHAPE",
      },
    ],
  ),
  indexAdd: {
    ...indexing(
      [x, index, source],
      ([v, at, s], dim) => nb.indexAdd(v!, dim, at!, s!),
      ([v, at, s], dim) =>
        written(v!, (put) => {
          for (const place of indices(s!.shape))
            put(
              place.map((i, d) => (d === dim ? fold(at!.data[i]!, v!.shape[dim]!) : i)),
              (old) => old + pick(s!, place),
            );
        }),
      [
        [[[4], [3], [3]], [2, 0, 2], 0],
        [[[2, 3], [4], [2, 4]], [-1, 0, 0, 1], 1],
        [[[2, 3, 2], [2], [2, 2, 2]], [1, 1], -2],
        [[[2, 3], [0], [0, 3]], [], 0],
        [[[3, 30011], [30000], [3, 30000]], many(30000, 30011), 1],
      ],
      [
        ...refused((at, dim) => nb.indexAdd(matrix, dim, at, nb.ones([2, 2])), ints(0, 1)),
        {
          what: "a source that does not fit",
          call: () => nb.indexAdd(matrix, 1, ints(0), nb.ones([2, 2])),
          code: "ERR_SHAPE",
          says: /; expected \[2, 1\], got \[2, 2\]/,
        },
      ],
    ),
    accuracy: "tree" as const,
    dtypes: everyDtype.filter(truth),
    others: "bools are accepted, and combined by logicalOr",
  },
  gather: indexing(
    [x, index],
    ([v, at], dim) => nb.gather(v!, dim, at!),
    ([v, at], dim) =>
      build(at!.shape, (place) =>
        pick(
          v!,
          place.map((i, d) => (d === dim ? fold(get(at!, place), v!.shape[dim]!) : i)),
        ),
      ),
    [
      [[[4], [3]], [2, 0, 2], 0],
      [
        [
          [2, 3],
          [2, 4],
        ],
        [-1, 0, 0, 1, 2, 2, 1, 0],
        1,
      ],
      [
        [
          [3, 2],
          [1, 2],
        ],
        [2, 0],
        -2,
      ],
      [
        [
          [2, 3],
          [2, 0],
        ],
        [],
        1,
      ],
      [
        [
          [3, 30011],
          [3, 30000],
        ],
        many(90000, 30011),
        1,
      ],
    ],
    [
      ...refused((at, dim) => nb.gather(matrix, dim, at.reshape([1, 2])), ints(0, 1)).filter(
        (wrong) => wrong.what !== "a list for an index",
      ),
      { what: "an index of another rank", call: () => nb.gather(matrix, 1, ints(0)), code: "ERR_SHAPE" },
      {
        what: "an index that is too large",
        call: () => nb.gather(matrix, 1, nb.zeros([3, 1], { dtype: "int32" })),
        code: "ERR_SHAPE",
        says: /; expected .*, got \[3, 1\]/,
      },
    ],
  ),
  scatter: indexing(
    [x, index, source],
    ([v, at, s], dim) => nb.scatter(v!, dim, at!, s!),
    ([v, at, s], dim) =>
      written(v!, (put) => eachAlong(at!, s!, v!.shape, dim, (value, place) => put(place, () => value))),
    // No index repeats: there the gradient is exact.
    [
      [[[4], [3], [3]], [2, 0, 3], 0],
      [
        [
          [2, 3],
          [2, 2],
          [2, 2],
        ],
        [-1, 0, 1, 2],
        1,
      ],
      [
        [
          [3, 2],
          [1, 2],
          [1, 2],
        ],
        [2, 0],
        -2,
      ],
      [
        [
          [2, 3],
          [2, 0],
          [2, 0],
        ],
        [],
        1,
      ],
      [
        [
          [3, 30011],
          [3, 30000],
          [3, 30000],
        ],
        many(90000, 30011),
        1,
      ],
    ],
    [
      ...refused((at, dim) => nb.scatter(matrix, dim, at.reshape([1, 2]), nb.ones([1, 2])), ints(0, 1)).filter(
        (wrong) => wrong.what !== "a list for an index",
      ),
      {
        what: "a source of another shape",
        call: () => nb.scatter(matrix, 1, nb.zeros([2, 1], { dtype: "int32" }), nb.ones([2, 2])),
        code: "ERR_SHAPE",
        says: /; expected \[2, 1\], got \[2, 2\]/,
      },
    ],
  ),
  scatterAdd: {
    ...indexing(
      [x, index, source],
      ([v, at, s], dim) => nb.scatterAdd(v!, dim, at!, s!),
      ([v, at, s], dim) =>
        written(v!, (put) => eachAlong(at!, s!, v!.shape, dim, (value, place) => put(place, (old) => old + value))),
      [
        [[[4], [3], [3]], [2, 0, 2], 0],
        [
          [
            [2, 3],
            [2, 2],
            [2, 2],
          ],
          [-1, 2, 1, 1],
          1,
        ],
        [
          [
            [3, 2],
            [1, 2],
            [1, 2],
          ],
          [2, 0],
          -2,
        ],
        [
          [
            [3, 30011],
            [3, 30000],
            [3, 30000],
          ],
          many(90000, 30011),
          1,
        ],
      ],
      refused((at, dim) => nb.scatterAdd(matrix, dim, at.reshape([1, 2]), nb.ones([1, 2])), ints(0, 1)).filter(
        (wrong) => wrong.what !== "a list for an index",
      ),
    ),
    accuracy: "tree" as const,
    row: "scatter",
    dtypes: everyDtype.filter(truth),
    others: "bools are accepted, and combined by logicalOr",
  },
};
