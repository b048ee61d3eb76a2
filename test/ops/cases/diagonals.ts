/** Cases of triangles and diagonals. */
import * as nb from "nabla";
import { type Arr, arr, build, pick, total } from "../../reference/array.js";
import type { Case, Sample, Wrong } from "./case.js";
import { everyDtype } from "./elementwise.js";
import { moving, type Of, one, x } from "./moving.js";
import { wide } from "./reduce.js";

const unknown = (call: (options: never) => unknown, name: string, guess: string): Wrong => ({
  what: "an unknown option",
  call: () => call({ [name]: 1 } as never),
  code: "ERR_ARGUMENT",
  says: new RegExp(`did you mean "${guess}"`),
});

const triangles = (
  call: (x: nb.Tensor, options?: nb.TriangleOptions) => nb.Tensor,
  kept: (above: number, diagonal: number) => boolean,
): Case => {
  const of = (shape: readonly number[], diagonal: number): Of =>
    one(
      shape,
      (v) => (diagonal === 0 ? call(v) : call(v, { diagonal })),
      (v) => build(v.shape, (index) => (kept(index.at(-1)! - index.at(-2)!, diagonal) ? pick(v, index) : 0)),
    );
  return moving(
    [
      of([3, 3], 0),
      of([2, 4], 1),
      of([4, 2], -2),
      of([2, 3, 3], -1),
      of([2, 3], 1e12),
      of([2, 3], -1e12),
      of([0, 3], 0),
      of([3, 170, 170], 5),
    ],
    [
      {
        what: "a list",
        call: () => call(nb.ones([3])),
        code: "ERR_SHAPE",
        says: /; expected rank 2 or more, got \[3\]/,
      },
      unknown((options) => call(x, options), "diagnal", "diagonal"),
      { what: "NaN as diagonal", call: () => call(x, { diagonal: Number.NaN }), code: "ERR_ARGUMENT" },
      { what: "a fraction as diagonal", call: () => call(x, { diagonal: 0.5 }), code: "ERR_ARGUMENT" },
    ],
  );
};

/** The diagonal of two dimensions, behind the others. */
function diagonalOf(v: Arr, offset: number, dim1: number, dim2: number): Arr {
  const length = Math.max(Math.min(v.shape[dim1]! + Math.min(offset, 0), v.shape[dim2]! - Math.max(offset, 0)), 0);
  return build([...v.shape.filter((_, d) => d !== dim1 && d !== dim2), length], (index) => {
    const rest = index.slice(0, -1);
    const i = index.at(-1)!;
    const full = v.shape.map((_, d) =>
      d === dim1 ? i - Math.min(offset, 0) : d === dim2 ? i + Math.max(offset, 0) : rest.shift()!,
    );
    return pick(v, full);
  });
}
const trace = (shape: readonly number[]): Sample => ({
  label: `[${shape.join()}]`,
  shapes: [shape],
  call: ([v]) => nb.trace(v!),
  reference: ([v]) => arr([], [total(diagonalOf(v!, 0, 0, 1).data)]),
  scale: ([v]) => arr([], [total(diagonalOf(v!, 0, 0, 1).data.map(Math.abs))]),
  terms: Math.min(...shape),
});

export const diagonalCases = {
  tril: triangles(nb.tril, (above, diagonal) => above <= diagonal),
  triu: triangles(nb.triu, (above, diagonal) => above >= diagonal),
  diagonal: moving(
    [
      one(
        [3, 3],
        (v) => nb.diagonal(v),
        (v) => diagonalOf(v, 0, 0, 1),
      ),
      one(
        [2, 4],
        (v) => nb.diagonal(v, { offset: 2 }),
        (v) => diagonalOf(v, 2, 0, 1),
      ),
      one(
        [4, 2],
        (v) => nb.diagonal(v, { offset: -1 }),
        (v) => diagonalOf(v, -1, 0, 1),
      ),
      one(
        [2, 3, 4],
        (v) => nb.diagonal(v, { dim1: 1, dim2: -1 }),
        (v) => diagonalOf(v, 0, 1, 2),
      ),
      one(
        [2, 3, 4],
        (v) => nb.diagonal(v, { offset: 1, dim1: 2, dim2: 0 }),
        (v) => diagonalOf(v, 1, 2, 0),
      ),
      one(
        [2, 3],
        (v) => nb.diagonal(v, { offset: 9 }),
        (v) => diagonalOf(v, 9, 0, 1),
      ),
      one(
        [0, 3],
        (v) => nb.diagonal(v),
        (v) => diagonalOf(v, 0, 0, 1),
      ),
      one(
        [300, 301],
        (v) => nb.diagonal(v, { offset: 1 }),
        (v) => diagonalOf(v, 1, 0, 1),
      ),
    ],
    [
      { what: "a list", call: () => nb.diagonal(nb.ones([3])), code: "ERR_SHAPE" },
      { what: "one dim twice", call: () => nb.diagonal(x, { dim1: 1, dim2: -1 }), code: "ERR_AXIS" },
      {
        what: "a dim out of range",
        call: () => nb.diagonal(x, { dim2: 2 }),
        code: "ERR_AXIS",
        says: /; expected -2 to 1/,
      },
      { what: "NaN as offset", call: () => nb.diagonal(x, { offset: Number.NaN }), code: "ERR_ARGUMENT" },
      unknown((options) => nb.diagonal(x, options), "ofset", "offset"),
    ],
  ),
  diag: moving(
    [
      one(
        [3],
        (v) => nb.diag(v),
        (v) => build([3, 3], ([i, j]) => (i === j ? v.data[i!]! : 0)),
      ),
      one(
        [2],
        (v) => nb.diag(v, { diagonal: 1 }),
        (v) => build([3, 3], ([i, j]) => (j! - i! === 1 ? v.data[i!]! : 0)),
      ),
      one(
        [2],
        (v) => nb.diag(v, { diagonal: -2 }),
        (v) => build([4, 4], ([i, j]) => (j! - i! === -2 ? v.data[j!]! : 0)),
      ),
      one(
        [0],
        (v) => nb.diag(v),
        () => arr([0, 0], []),
      ),
      one(
        [3, 2],
        (v) => nb.diag(v, { diagonal: -1 }),
        (v) => diagonalOf(v, -1, 0, 1),
      ),
      one(
        [300],
        (v) => nb.diag(v),
        (v) => build([300, 300], ([i, j]) => (i === j ? v.data[i!]! : 0)),
      ),
    ],
    [
      {
        what: "rank 3",
        call: () => nb.diag(nb.ones([1, 1, 1])),
        code: "ERR_SHAPE",
        says: /; expected rank 1 or 2, got/,
      },
      { what: "rank 0", call: () => nb.diag(nb.scalar(1)), code: "ERR_SHAPE" },
      { what: "NaN as diagonal", call: () => nb.diag(x, { diagonal: Number.NaN }), code: "ERR_ARGUMENT" },
      {
        what: "a diagonal out of the world",
        call: () => nb.diag(nb.ones([1]), { diagonal: 2 ** 40 }),
        code: "ERR_MEMORY",
      },
      unknown((options) => nb.diag(x, options), "diagnal", "diagonal"),
    ],
  ),
  trace: {
    inputs: [{ name: "x", domain: [-3, 3] }],
    dtypes: everyDtype,
    result: wide,
    samples: [trace([3, 3]), trace([2, 4]), trace([1, 1]), trace([0, 3])],
    large: trace([300, 301]),
    accuracy: "tree",
    errors: [
      { what: "a list", call: () => nb.trace(nb.ones([3])), code: "ERR_SHAPE", says: /; expected rank 2, got \[3\]/ },
      { what: "rank 3", call: () => nb.trace(nb.ones([1, 2, 2])), code: "ERR_SHAPE" },
    ],
    exempt: { numbers: "it reduces a tensor", decomposition: "it is made of diagonal and sum" },
  } satisfies Case,
};
