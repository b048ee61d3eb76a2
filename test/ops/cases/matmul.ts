import * as nb from "nabla";
import { type Arr, arr, map, matmul } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { results } from "./elementwise.js";

type Of = readonly (readonly number[])[];
const dtypes: readonly nb.DType[] = ["float32", "float64", "int32", "int64"];
const absolute = (xs: readonly Arr[]): Arr[] => xs.map((x) => map(Math.abs, x));

function product(
  names: readonly string[],
  call: (xs: readonly nb.Tensor[]) => nb.Tensor,
  reference: (xs: readonly Arr[]) => Arr,
  shapes: readonly Of[],
  errors: readonly Wrong[],
  decomposition?: (xs: readonly nb.Tensor[]) => nb.Tensor,
): Case {
  const samples = shapes.map(
    (of): Sample => ({
      label: of.map((shape) => `[${shape.join()}]`).join(" "),
      shapes: of,
      call,
      reference,
      scale: (xs) => reference(absolute(xs)),
      terms: (of[0]!.at(-1) ?? 1) + 1,
      ...(decomposition === undefined ? {} : { decomposition }),
    }),
  );
  return {
    inputs: names.map((name): Input => ({ name, domain: [-2, 2] })),
    dtypes,
    result: results.same,
    samples: samples.slice(0, -1),
    large: samples.at(-1)!,
    accuracy: "tree",
    errors,
    exempt: {
      numbers: "it takes tensors",
      ...(decomposition === undefined ? { decomposition: "one kernel and one formula: the value law says it" } : {}),
    },
  };
}
const ones = nb.ones;
const affine = ([x, w, b]: readonly Arr[]): Arr => {
  const y = matmul(
    x!,
    arr(
      [w!.shape[1]!, w!.shape[0]!],
      Array.from({ length: w!.data.length }, (_, i) => {
        const [out, size] = w!.shape as [number, number];
        return w!.data[(i % out) * size + Math.floor(i / out)]!;
      }),
    ),
  );
  return b === undefined ? y : map((p, q) => p + q, y, b);
};
const truth: Wrong = {
  what: "truth values",
  call: () => nb.matmul(ones([2, 2], { dtype: "bool" }), ones([2, 2], { dtype: "bool" })),
  code: "ERR_DTYPE",
  says: /; expected .*, got bool/,
};

export const matmulCases = {
  matmul: product(
    ["a", "b"],
    ([a, b]) => nb.matmul(a!, b!),
    ([a, b]) => matmul(a!, b!),
    [
      [
        [2, 3],
        [3, 4],
      ],
      [[3], [3]],
      [[3], [3, 2]],
      [[2, 3], [3]],
      [
        [2, 2, 3],
        [3, 4],
      ],
      [
        [2, 1, 2, 3],
        [4, 3, 2],
      ],
      [[3, 1, 4], [4]],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [0, 3],
        [3, 2],
      ],
      [
        [2, 0],
        [0, 3],
      ],
      [
        [0, 2, 3],
        [3, 2],
      ],
      [
        [7, 19],
        [19, 17],
      ],
      [
        [13, 300],
        [300, 9],
      ],
      [
        [150, 130],
        [130, 140],
      ],
    ],
    [
      {
        what: "inner sizes that differ",
        call: () => nb.matmul(ones([2, 3]), ones([4, 5])),
        code: "ERR_SHAPE",
        says: /^matmul: inner sizes differ; expected a \[\.\., 3\] with b \[3, \.\.\], got \[2, 3\] and \[4, 5\]$/,
      },
      { what: "rank 0", call: () => nb.matmul(nb.scalar(1), ones([2])), code: "ERR_SHAPE" },
      {
        what: "batches that do not broadcast",
        call: () => nb.matmul(ones([2, 2, 3]), ones([3, 3, 2])),
        code: "ERR_SHAPE",
      },
      truth,
    ],
    ([a, b]) => {
      const left = a!.ndim === 1 ? a!.unsqueeze(0) : a!;
      const right = b!.ndim === 1 ? b!.unsqueeze(1) : b!;
      const sum = left.unsqueeze(-1).mul(right.unsqueeze(-3)).sum(-2);
      const kept = b!.ndim === 1 ? sum.squeeze(-1) : sum;
      return a!.ndim === 1 ? kept.squeeze(b!.ndim === 1 ? -1 : -2) : kept;
    },
  ),
  addmm: product(
    ["x", "a", "b"],
    ([x, a, b]) => nb.addmm(x!, a!, b!),
    ([x, a, b]) => map((p, q) => p + q, x!, matmul(a!, b!)),
    [
      [
        [2, 4],
        [2, 3],
        [3, 4],
      ],
      [[4], [2, 3], [3, 4]],
      [
        [2, 1],
        [2, 3],
        [3, 4],
      ],
      [[], [2, 3], [3, 4]],
      [
        [2, 4],
        [2, 2, 3],
        [3, 4],
      ],
      [
        [2, 2, 4],
        [2, 3],
        [2, 3, 4],
      ],
      [
        [2, 4],
        [2, 0],
        [0, 4],
      ],
      [
        [0, 4],
        [0, 3],
        [3, 4],
      ],
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      [
        [7, 17],
        [7, 300],
        [300, 17],
      ],
      [
        [150, 140],
        [150, 130],
        [130, 140],
      ],
    ],
    [
      {
        what: "inner sizes that differ",
        call: () => nb.addmm(ones([2, 2]), ones([2, 3]), ones([4, 2])),
        code: "ERR_SHAPE",
        says: /; expected \[\.\., m, k\] and \[\.\., k, n\], got \[2, 3\] and \[4, 2\]$/,
      },
      { what: "a vector", call: () => nb.addmm(ones([2]), ones([2, 3]), ones([3])), code: "ERR_SHAPE" },
      {
        what: "an addend that does not broadcast",
        call: () => nb.addmm(ones([3, 2]), ones([2, 3]), ones([3, 2])),
        code: "ERR_SHAPE",
        says: /^addmm: /,
      },
      {
        what: "an addend that would make the result larger",
        call: () => nb.addmm(ones([2, 2, 2]), ones([2, 3]), ones([3, 2])),
        code: "ERR_SHAPE",
      },
    ],
    ([x, a, b]) => a!.matmul(b!).add(x!),
  ),
  bmm: product(
    ["a", "b"],
    ([a, b]) => nb.bmm(a!, b!),
    ([a, b]) => matmul(a!, b!),
    [
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
      [
        [0, 2, 3],
        [0, 3, 2],
      ],
      [
        [7, 50, 30],
        [7, 30, 60],
      ],
    ],
    [
      {
        what: "another rank",
        call: () => nb.bmm(ones([2, 3]), ones([3, 2])),
        code: "ERR_SHAPE",
        says: /; expected \[b, m, k\].*, got/,
      },
      { what: "other batch sizes", call: () => nb.bmm(ones([2, 2, 3]), ones([1, 3, 2])), code: "ERR_SHAPE" },
      { what: "inner sizes that differ", call: () => nb.bmm(ones([2, 2, 3]), ones([2, 2, 3])), code: "ERR_SHAPE" },
    ],
  ),
  dot: product(
    ["a", "b"],
    ([a, b]) => nb.dot(a!, b!),
    ([a, b]) => matmul(a!, b!),
    [
      [[3], [3]],
      [[1], [1]],
      [[0], [0]],
      [[257], [257]],
      [[90001], [90001]],
    ],
    [
      { what: "other lengths", call: () => nb.dot(ones([2]), ones([3])), code: "ERR_SHAPE" },
      { what: "a matrix", call: () => nb.dot(ones([2, 2]), ones([2, 2])), code: "ERR_SHAPE" },
    ],
  ),
  outer: {
    ...product(
      ["a", "b"],
      ([a, b]) => nb.outer(a!, b!),
      ([a, b]) => matmul(arr([a!.data.length, 1], a!.data), arr([1, b!.data.length], b!.data)),
      [
        [[3], [2]],
        [[1], [1]],
        [[0], [2]],
        [[300], [301]],
      ],
      [{ what: "a matrix", call: () => nb.outer(ones([2, 2]), ones([2])), code: "ERR_SHAPE" }],
    ),
    others: "it calls mul, whose row has the other dtypes",
  },
  linear: product(
    ["x", "weight", "bias"],
    ([x, w, b]) => nb.linear(x!, w!, b),
    affine,
    [
      [[2, 3], [4, 3], [4]],
      [[3], [2, 3], [2]],
      [[2, 2, 3], [2, 3], [2]],
      [[0, 3], [2, 3], [2]],
      [[1, 1], [1, 1], [1]],
      [[13, 40], [35, 40], [35]],
      [[130, 140], [150, 140], [150]],
    ],
    [
      {
        what: "an input that does not fit",
        call: () => nb.linear(ones([2, 3]), ones([4, 2])),
        code: "ERR_SHAPE",
        says: /; expected x \[\.\., in\] and weight \[out, in\], got/,
      },
      {
        what: "a bias that does not fit",
        call: () => nb.linear(ones([2, 3]), ones([4, 3]), ones([3])),
        code: "ERR_SHAPE",
        says: /; expected \[4\], got \[3\]/,
      },
      { what: "a number as bias", call: () => nb.linear(ones([2, 3]), ones([4, 3]), 1 as never), code: "ERR_ARGUMENT" },
      { what: "rank 0", call: () => nb.linear(nb.scalar(1), ones([4, 3])), code: "ERR_SHAPE" },
    ],
    ([x, w, b]) => x!.matmul(w!.t()).add(b!),
  ),
  linearRelu: product(
    ["x", "weight", "bias"],
    ([x, w, b]) => nb.linear(x!, w!, b, { activation: "relu" }),
    (xs) => map((v) => (v < 0 ? 0 : v), affine(xs)),
    [
      [[2, 3], [4, 3], [4]],
      [[3], [2, 3], [2]],
      [[2, 2, 3], [2, 3], [2]],
      [[0, 3], [2, 3], [2]],
      [[1, 1], [1, 1], [1]],
      [[13, 300], [35, 300], [35]],
      [[130, 140], [150, 140], [150]],
    ],
    [
      {
        what: "an input that does not fit",
        call: () => nb.linear(ones([2, 3]), ones([4, 2]), null, { activation: "relu" }),
        code: "ERR_SHAPE",
      },
    ],
    ([x, w, b]) => x!.matmul(w!.t()).add(b!).relu(),
  ),
};
