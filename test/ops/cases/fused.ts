import * as nb from "nabla";
import { type Arr, build, dimsOf, get, map, reduce, total } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { floats, results } from "./elementwise.js";
import { wrongDims } from "./reduce.js";
import { notPublic, row } from "./row.js";

type Tensors = readonly nb.Tensor[];
type Arrs = readonly Arr[];

/** Sums and products along one dimension, broadcast back by {@link map}. */
const along = (x: Arr, dim: number, f: (values: number[]) => number): Arr => reduce(x, f, dimsOf(x, dim), true);
function softmaxOf(x: Arr, dim: number): Arr {
  const top = along(x, dim, (v) => Math.max(...v));
  const parts = map((v, high) => Math.exp(v - high), x, top);
  return x.shape.length === 0 ? map(() => 1, x) : map((v, sum) => v / sum, parts, along(parts, dim, total));
}
function logSoftmaxOf(x: Arr, dim: number): Arr {
  if (x.shape.length === 0) return map(() => 0, x);
  const top = along(x, dim, (v) => Math.max(...v));
  const sums = along(
    map((v, high) => Math.exp(v - high), x, top),
    dim,
    total,
  );
  return map((v, high, sum) => v - high - Math.log(sum), x, top, sums);
}

interface Spec {
  readonly inputs: readonly Input[];
  readonly shapes: readonly (readonly (readonly number[])[])[];
  readonly dim?: readonly number[];
  readonly call: (xs: Tensors, dim: number) => nb.Tensor;
  readonly reference: (xs: Arrs, dim: number) => Arr;
  readonly scale: (xs: Arrs, dim: number) => Arr;
  readonly decomposition: (xs: Tensors, dim: number) => nb.Tensor;
  readonly values?: readonly (Sample["values"] | undefined)[];
  readonly errors?: readonly Wrong[];
  readonly exempt?: Case["exempt"];
}
/** The last of the shapes is the large one; `dim` is -1 unless listed beside them. */
export function fused(spec: Spec): Case {
  const samples = spec.shapes.map((shapes, i): Sample => {
    const dim = spec.dim?.[i] ?? -1;
    return {
      label: `${shapes.map((shape) => `[${shape.join()}]`).join(" ")} dim ${dim}`,
      shapes,
      call: (xs) => spec.call(xs, dim),
      reference: (xs) => spec.reference(xs, dim),
      scale: (xs) => spec.scale(xs, dim),
      terms: (shapes[0]![shapes[0]!.length + dim] ?? 1) + 4,
      decomposition: (xs) => spec.decomposition(xs, dim),
      ...(spec.values?.[i] === undefined ? {} : { values: spec.values[i] }),
    };
  });
  return {
    inputs: spec.inputs,
    dtypes: floats,
    result: results.same,
    samples: samples.slice(0, -1),
    large: samples.at(-1)!,
    accuracy: "tree",
    errors: spec.errors ?? [],
    exempt: { numbers: "it takes tensors", ...spec.exempt },
  };
}

const x: Input = { name: "x", domain: [-3, 3] };
const g: Input = { name: "g", domain: [-2, 2] };
const probability: Input = { name: "y", domain: [0.05, 0.4] };
const logits: Input = { name: "y", domain: [-3, -0.5] };
const shapes = [[[5]], [[2, 3]], [[2, 3]], [[2, 3, 4]], [[]], [[1]], [[0, 3]], [[2, 300]], [[300, 301]]];
const dim = [0, -1, 0, 1, 0, 0, 1, 1, 1];
const pairs = [
  [[5], [5]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [0, 3],
    [0, 3],
  ],
  [
    [2, 300],
    [2, 300],
  ],
  [
    [300, 301],
    [300, 301],
  ],
];
const oneMore = (y: Arr): Arr => map((v) => Math.abs(v) + 4, y);
const integers: Wrong[] = [
  {
    what: "integers",
    call: () => nb.softmax(nb.ones([2], { dtype: "int32" }), 0),
    code: "ERR_DTYPE",
    says: /; expected a float dtype, got int32/,
  },
];
const softmaxDims = (call: typeof nb.softmax): Wrong[] => [
  ...wrongDims((d) => call(nb.ones([2, 3]), d)),
  { what: "no dim", call: () => call(nb.ones([2, 3]), undefined as never), code: "ERR_ARGUMENT" },
];
const sum = (t: nb.Tensor, d = -1): nb.Tensor => t.sum(d, { keepdim: true });

export const softmaxCases = {
  softmax: fused({
    inputs: [x],
    shapes,
    dim,
    call: ([v], d) => nb.softmax(v!, d),
    reference: ([v], d) => softmaxOf(v!, d),
    // An error of x - max is one of e^(x - max), relative to it.
    scale: ([v], d) => map((y) => 4 * y, softmaxOf(v!, d)),
    decomposition: ([v], d) => (v!.ndim === 0 ? v!.mul(0).add(1) : v!.exp().div(sum(v!.exp(), d))),
    errors: [...integers, ...softmaxDims(nb.softmax)],
  }),
  logSoftmax: fused({
    inputs: [x],
    shapes,
    dim,
    call: ([v], d) => nb.logSoftmax(v!, d),
    reference: ([v], d) => logSoftmaxOf(v!, d),
    scale: ([v], d) => oneMore(logSoftmaxOf(v!, d)),
    decomposition: ([v], d) => (v!.ndim === 0 ? v!.mul(0) : v!.sub(sum(v!.exp(), d).log())),
    errors: softmaxDims(nb.logSoftmax),
  }),
  softmaxBackward: fused({
    inputs: [g, probability],
    shapes: pairs,
    call: (xs) => row("softmaxBackward").replay(xs, undefined),
    reference: ([t, y]) =>
      map(
        (a, p, s) => p * (a - s),
        t!,
        y!,
        along(
          map((a, p) => a * p, t!, y!),
          -1,
          total,
        ),
      ),
    scale: ([t, y]) =>
      map(
        (a, p, s) => p * (Math.abs(a) + s),
        t!,
        y!,
        along(
          map((a, p) => Math.abs(a * p), t!, y!),
          -1,
          total,
        ),
      ),
    decomposition: ([t, y]) => y!.mul(t!.sub(sum(t!.mul(y!)))),
    exempt: { errors: notPublic },
  }),
  logSoftmaxBackward: fused({
    inputs: [g, logits],
    shapes: pairs,
    call: (xs) => row("logSoftmaxBackward").replay(xs, undefined),
    reference: ([t, y]) => map((a, l, s) => a - Math.exp(l) * s, t!, y!, along(t!, -1, total)),
    scale: ([t, y]) => map((a, l, s) => Math.abs(a) + Math.exp(l) * s, t!, y!, along(map(Math.abs, t!), -1, total)),
    decomposition: ([t, y]) => t!.sub(y!.exp().mul(sum(t!))),
    exempt: { errors: notPublic },
  }),
};

const target: Input = { name: "target", domain: [0, 2], dtype: "int32" };
const ignored = 1;
/** 1 at the target's class, all 0 where the target does not count. */
const oneHot = (t: Arr, classes: number): Arr =>
  build([...t.shape, classes], (at) => Number(get(t, at.slice(0, -1)) === at.at(-1) && at.at(-1) !== ignored));
const counts = (t: Arr): Arr => map((v) => Number(v !== ignored), t);
const column = (v: Arr): Arr => ({ shape: [...v.shape, 1], data: v.data });
const hot = (t: nb.Tensor, like: nb.Tensor): nb.Tensor => {
  const classes = nb.arange(like.shape[1]!, { dtype: "int32" });
  return t.unsqueeze(1).eq(classes).logicalAnd(t.unsqueeze(1).ne(ignored)).to(like.dtype);
};
const picked = (v: Arr, t: Arr): Arr =>
  reduce(
    map((a, h) => (h === 0 ? 0 : a), v, oneHot(t, v.shape[1]!)),
    total,
    [1],
  );
const crossOf = ([v, t]: Arrs): Arr => map((y) => -y, picked(logSoftmaxOf(v!, 1), t!));
const classes = nb.tensor([0, 1], { dtype: "int32" });

export const crossEntropyCases = {
  crossEntropy: fused({
    inputs: [x, target],
    shapes: [
      [[4, 3], [4]],
      [[1, 3], [1]],
      [[2, 300], [2]],
      [[300, 301], [300]],
    ],
    dim: [1, 1, 1, 1],
    call: ([v, t]) => nb.crossEntropy(v!, t!, { reduction: "none", ignoreIndex: ignored }),
    reference: crossOf,
    scale: (xs) => oneMore(crossOf(xs)),
    decomposition: ([v, t]) => v!.logSoftmax(1).mul(hot(t!, v!)).sum(1).neg(),
    errors: [
      {
        what: "float targets",
        call: () => nb.crossEntropy(nb.ones([2, 3]), nb.ones([2])),
        code: "ERR_DTYPE",
        says: /^crossEntropy: target must hold class indices; expected an integer dtype, got float32$/,
      },
      {
        what: "a target that is no class",
        call: () => nb.crossEntropy(nb.ones([2, 3]), nb.tensor([0, 3], { dtype: "int32" })),
        code: "ERR_INDEX",
      },
      {
        what: "a negative target",
        call: () => nb.crossEntropy(nb.ones([2, 3]), nb.tensor([0, -1], { dtype: "int32" })),
        code: "ERR_INDEX",
      },
      {
        what: "other rows",
        call: () => nb.crossEntropy(nb.ones([3, 3]), classes),
        code: "ERR_SHAPE",
        says: /; expected .*, got \[3, 3\] and \[2\]/,
      },
      {
        what: "integer logits",
        call: () => nb.crossEntropy(nb.ones([2, 3], { dtype: "int32" }), classes),
        code: "ERR_DTYPE",
      },
      {
        what: "an unknown option",
        call: () => nb.crossEntropy(nb.ones([2, 3]), classes, { labelSmoothin: 0 } as never),
        code: "ERR_ARGUMENT",
        says: /did you mean "labelSmoothing"/,
      },
      {
        what: "an unknown reduction",
        call: () => nb.crossEntropy(nb.ones([2, 3]), classes, { reduction: "max" as never }),
        code: "ERR_ARGUMENT",
      },
      {
        what: "NaN as ignoreIndex",
        call: () => nb.crossEntropy(nb.ones([2, 3]), classes, { ignoreIndex: Number.NaN }),
        code: "ERR_ARGUMENT",
      },
      {
        what: "NaN smoothing",
        call: () => nb.crossEntropy(nb.ones([2, 3]), classes, { labelSmoothing: Number.NaN }),
        code: "ERR_ARGUMENT",
      },
    ],
  }),
  "crossEntropy, mean and smoothed": {
    parts: true,
    ...fused({
      inputs: [x, target],
      shapes: [
        [[4, 3], [4]],
        [
          [2, 3, 2],
          [2, 2],
        ],
        [[3], []],
        [[300, 301], [300]],
      ],
      dim: [1, 1, -1, 1],
      values: [undefined, undefined, { 1: [2] }],
      call: ([v, t]) => nb.crossEntropy(v!, t!, { ignoreIndex: ignored, labelSmoothing: 0.2 }),
      reference: ([v, t]) => smoothed(v!, t!),
      scale: ([v, t]) => oneMore(smoothed(v!, t!)),
      decomposition: ([v, t]) => {
        const logp = v!
          .logSoftmax(v!.ndim === 1 ? 0 : 1)
          .movedim(v!.ndim === 1 ? 0 : 1, -1)
          .reshape([-1, v!.shape[v!.ndim === 1 ? 0 : 1]!]);
        const flat = t!.reshape([-1]);
        const counted = flat.ne(ignored).to(v!.dtype);
        const losses = logp.mul(hot(flat, logp)).sum(1).mul(0.8).add(logp.mean(1).mul(counted).mul(0.2)).neg();
        return losses.sum().div(counted.sum());
      },
      exempt: { errors: "crossEntropy's own" },
    }),
    row: "crossEntropy",
  },
  crossEntropyBackward: fused({
    inputs: [g, x, target],
    shapes: [
      [[4], [4, 3], [4]],
      [[2], [2, 300], [2]],
      [[300], [300, 301], [300]],
    ],
    dim: [-1, -1, -1],
    call: (xs) => row("crossEntropyBackward").replay(xs, { ignored }),
    reference: ([t, v, c]) =>
      map((a, p, h, n) => a * (p - h) * n, column(t!), softmaxOf(v!, 1), oneHot(c!, v!.shape[1]!), column(counts(c!))),
    scale: ([t, v, c]) =>
      map((a, p, h) => 400 * Math.abs(a) * (p + h), column(t!), softmaxOf(v!, 1), oneHot(c!, v!.shape[1]!)),
    decomposition: ([t, v, c]) => {
      const rows = t!.mul(c!.ne(ignored).to(v!.dtype)).unsqueeze(1);
      return v!.softmax(1).sub(hot(c!, v!)).mul(rows);
    },
    exempt: { errors: notPublic, layout: "crossEntropy hands over what it has made contiguous" },
  }),
};

/** The mean over the rows that count, a fifth of the target spread evenly. */
function smoothed(v: Arr, t: Arr): Arr {
  const classDim = v.shape.length === 1 ? 0 : 1;
  const n = v.shape[classDim]!;
  const logp = logSoftmaxOf(v, classDim);
  const losses: number[] = [];
  build(t.shape, (at) => {
    const of = (c: number) => get(logp, [...at.slice(0, classDim), c, ...at.slice(classDim)]);
    const label = get(t, at);
    if (label !== ignored)
      losses.push(-0.8 * of(label) - (0.2 * total(Array.from({ length: n }, (_, c) => of(c)))) / n);
    return 0;
  });
  return { shape: [], data: [total(losses) / losses.length] };
}
