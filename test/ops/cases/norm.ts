import * as nb from "nabla";
import { type Arr, arr, count, dimsOf, map, reduce, total } from "../../reference/array.js";
import type { Case, Input, Wrong } from "./case.js";
import { notPublic, row } from "./row.js";
import { sampleOf, shaped } from "./shaped.js";

type Shapes = readonly (readonly number[])[];
const eps = 0.1;
const average = (v: number[]): number => total(v) / v.length;
const along = (x: Arr, dims: number | readonly number[], f = average): Arr => reduce(x, f, dimsOf(x, dims), true);

/** Off the mean, and the reciprocal of the root of the mean square, over some dimensions. */
function moments(x: Arr, centred: boolean, dims: number | readonly number[] = -1): { centre: Arr; rate: Arr } {
  const centre = centred ? map((v, m) => v - m, x, along(x, dims)) : x;
  const rate = map(
    (v) => 1 / Math.sqrt(v + eps),
    along(
      map((v) => v * v, centre),
      dims,
    ),
  );
  return { centre, rate };
}
const standard = (x: Arr, centred: boolean, dims: number | readonly number[] = -1): Arr => {
  const { centre, rate } = moments(x, centred, dims);
  return map((v, r) => v * r, centre, rate);
};
/** Errors of x and of its mean square, as they arrive in the result; inputs are at most 3. */
const spread = (x: Arr, centred: boolean, dims: number | readonly number[] = -1): Arr => {
  const { centre, rate } = moments(x, centred, dims);
  return map((v, r) => 24 * r * (1 + Math.abs(v * r)), centre, rate);
};
const affine = (y: Arr, w?: Arr, b?: Arr): Arr => {
  const scaled = w ? map((p, q) => p * q, y, w) : y;
  return b ? map((p, q) => p + q, scaled, b) : scaled;
};
const size = (y: Arr, w?: Arr, b?: Arr): Arr => affine(y, w && map(Math.abs, w), b && map(Math.abs, b));

const plain = (x: nb.Tensor, centred: boolean, dims: number | number[] = -1): nb.Tensor => {
  const keepdim = true;
  const c = centred ? x.sub(x.mean(dims, { keepdim })) : x;
  return c.div(c.mul(c).mean(dims, { keepdim }).add(eps).sqrt());
};

const x: Input = { name: "x", domain: [-3, 3] };
const g: Input = { name: "g", domain: [-2, 2] };
const weight: Input = { name: "weight", domain: [-2, 2] };
const bias: Input = { name: "bias", domain: [-1, 1] };
const ones = nb.ones;
const integer = { dtype: "int32" } as const;

/** Rows of the dimensions that the weight has, joined. */
function overLast(centred: boolean): (shapes: Shapes) => ReturnType<typeof sampleOf> {
  return (shapes) => {
    const sizes = shapes[1]!;
    const n = count(sizes);
    const rows = (v: Arr): Arr => arr([v.data.length / Math.max(n, 1), n], v.data);
    const flat = (v?: Arr): Arr | undefined => v && arr([n], v.data);
    const back = (v: Arr): Arr => arr(shapes[0]!, v.data);
    return sampleOf(shapes, {
      call: ([v, w, b]) =>
        centred ? nb.layerNorm(v!, sizes, { weight: w, bias: b, eps }) : nb.rmsNorm(v!, sizes, { weight: w, eps }),
      reference: ([v, w, b]) => back(affine(standard(rows(v!), centred), flat(w), flat(b))),
      scale: ([v, w, b]) => back(size(spread(rows(v!), centred), flat(w), flat(b))),
      terms: n,
      decomposition: ([v, w, b]) => {
        const lead = v!.shape.slice(0, v!.ndim - sizes.length);
        const y = plain(v!.reshape([...lead, n]), centred)
          .reshape(v!.shape)
          .mul(w!);
        return b ? y.add(b) : y;
      },
    });
  };
}
const sizesOf = [
  [[5], [5]],
  [[2, 3], [3]],
  [
    [2, 2, 3],
    [2, 3],
  ],
  [[2, 1], [1]],
  [[0, 3], [3]],
  [[2, 300], [300]],
  [[2, 1100], [1100]],
  [[300, 301], [301]],
];

const wrongRows = (call: typeof nb.layerNorm): Wrong[] => [
  {
    what: "another last size",
    call: () => call(ones([2, 3]), 4),
    code: "ERR_SHAPE",
    says: /; expected \[4\], got \[2, 3\]/,
  },
  { what: "more dimensions than there are", call: () => call(ones([3]), [2, 3]), code: "ERR_SHAPE" },
  { what: "no dimension", call: () => call(ones([3]), []), code: "ERR_SHAPE" },
  { what: "a shape that is none", call: () => call(ones([3]), "3" as never), code: "ERR_ARGUMENT" },
  { what: "a weight of another shape", call: () => call(ones([2, 3]), 3, { weight: ones([2]) }), code: "ERR_SHAPE" },
  { what: "a negative eps", call: () => call(ones([2, 3]), 3, { eps: -1 }), code: "ERR_ARGUMENT" },
  { what: "integers", call: () => call(ones([2, 3], integer), 3), code: "ERR_DTYPE" },
  {
    what: "an unknown option",
    call: () => call(ones([2, 3]), 3, { epsilon: 1 } as never),
    code: "ERR_ARGUMENT",
    says: /unknown option "epsilon"/,
  },
];

/** The rows without weight and bias, and their derivative. */
function rowCases(centred: boolean): { forward: Case; backward: Case } {
  const params = { eps, centred };
  const shapes = [[5], [2, 3], [2, 1], [0, 3], [2, 1100], [300, 301]];
  const backward = ([t, v]: readonly Arr[], scaled: boolean): Arr => {
    const y = standard(v!, centred);
    const { rate } = moments(v!, centred);
    const mean = along(t!, -1);
    const product = along(
      map((a, b) => a * b, t!, y),
      -1,
    );
    if (!scaled) return map((a, m, p, q, r) => (a - (centred ? m : 0) - p * q) * r, t!, mean, y, product, rate);
    return map((p, r) => 32 * r * (1 + 3 * r) * (1 + Math.abs(p)) ** 2, y, rate);
  };
  return {
    forward: shaped(
      [x],
      shapes.map((of) =>
        sampleOf([of], {
          call: (xs) => row("standardize").replay(xs, params),
          reference: ([v]) => standard(v!, centred),
          scale: ([v]) => spread(v!, centred),
          terms: of.at(-1)!,
          decomposition: ([v]) => plain(v!, centred),
        }),
      ),
      [],
      { errors: notPublic },
    ),
    backward: shaped(
      [g, x],
      shapes.map((of) =>
        sampleOf([of, of], {
          call: (xs) => row("standardizeBackward").replay(xs, params),
          reference: (xs) => backward(xs, false),
          scale: (xs) => backward(xs, true),
          terms: of.at(-1)!,
          decomposition: ([t, v]) => {
            const y = plain(v!, centred);
            const c = centred ? v!.sub(v!.mean(-1, { keepdim: true })) : v!;
            const root = c.mul(c).mean(-1, { keepdim: true }).add(eps).sqrt();
            const less = t!.sub(y.mul(t!.mul(y).mean(-1, { keepdim: true })));
            return (centred ? less.sub(t!.mean(-1, { keepdim: true })) : less).div(root);
          },
        }),
      ),
      [],
      { errors: notPublic },
    ),
  };
}
const centred = rowCases(true);
const uncentred = rowCases(false);

/** [channels] as it lies beside [n, channels, ..]. */
const beside = (v: Arr | undefined, rank: number): Arr | undefined =>
  v && arr([v.data.length, ...Array.from({ length: rank - 2 }, () => 1)], v.data);
const channelsOf = [
  [2, 4],
  [2, 4, 3],
  [1, 2, 2, 2],
  [0, 4],
  [3, 6, 5, 7],
  [16, 32, 16, 15],
];

function grouped(shape: readonly number[], groups: number): ReturnType<typeof sampleOf> {
  const rank = shape.length;
  const rows = (v: Arr): Arr => arr([shape[0]!, groups, count(shape.slice(1)) / groups], v.data);
  const back = (v: Arr): Arr => arr(shape, v.data);
  return sampleOf([shape, [shape[1]!], [shape[1]!]], {
    call: ([v, w, b]) => nb.groupNorm(v!, groups, { weight: w, bias: b, eps }),
    reference: ([v, w, b]) => affine(back(standard(rows(v!), true)), beside(w, rank), beside(b, rank)),
    scale: ([v, w, b]) => size(back(spread(rows(v!), true)), beside(w, rank), beside(b, rank)),
    terms: count(shape.slice(1)),
    decomposition: ([v, w, b]) => {
      const one = [-1, ...shape.slice(2).map(() => 1)];
      const y = plain(v!.reshape([shape[0]!, groups, count(shape.slice(1)) / groups]), true).reshape(v!.shape);
      return y.mul(w!.reshape(one)).add(b!.reshape(one));
    },
  });
}

function batched(shape: readonly number[]): ReturnType<typeof sampleOf> {
  const rank = shape.length;
  const dims = shape.map((_, d) => d).filter((d) => d !== 1);
  return sampleOf([shape, [shape[1]!], [shape[1]!]], {
    call: ([v, w, b]) => nb.batchNorm(v!, null, null, { weight: w, bias: b, training: true, eps }),
    reference: ([v, w, b]) => affine(standard(v!, true, dims), beside(w, rank), beside(b, rank)),
    scale: ([v, w, b]) => size(spread(v!, true, dims), beside(w, rank), beside(b, rank)),
    terms: count(shape) / Math.max(shape[1]!, 1),
    decomposition: ([v, w, b]) => {
      const one = [-1, ...shape.slice(2).map(() => 1)];
      return (count(shape) === 0 ? v! : plain(v!, true, dims)).mul(w!.reshape(one)).add(b!.reshape(one));
    },
  });
}

function running(shape: readonly number[]): ReturnType<typeof sampleOf> {
  const rank = shape.length;
  const channel = [shape[1]!];
  const formula = (xs: readonly Arr[], of: (v: number, m: number, s: number, w: number, b: number) => number): Arr =>
    map(of, xs[0]!, ...xs.slice(1).map((one) => beside(one, rank)!));
  return sampleOf([shape, channel, channel, channel, channel], {
    call: ([v, m, s, w, b]) => nb.batchNorm(v!, m!, s!, { weight: w, bias: b, eps }),
    reference: (xs) => formula(xs, (v, m, s, w, b) => ((v - m) / Math.sqrt(s + eps)) * w + b),
    scale: (xs) =>
      formula(xs, (v, m, s, w, b) => ((Math.abs(v) + Math.abs(m)) / Math.sqrt(s + eps)) * Math.abs(w) + Math.abs(b)),
    decomposition: ([v, ...others]) => {
      const one = [-1, ...shape.slice(2).map(() => 1)];
      const [m, s, w, b] = others.map((t) => t.reshape(one));
      return v!.sub(m!).div(s!.add(eps).sqrt()).mul(w!).add(b!);
    },
  });
}

/** By moments [2, channels] that are given. */
function given(shape: readonly number[]): ReturnType<typeof sampleOf> {
  const rank = shape.length;
  const channels = shape[1]!;
  const parts = ([v, w, b, m]: readonly Arr[]): readonly Arr[] => [
    v!,
    ...[0, 1].map((i) => beside(arr([channels], m!.data.slice(i * channels, (i + 1) * channels)), rank)!),
    beside(w, rank)!,
    beside(b, rank)!,
  ];
  const formula = (xs: readonly Arr[], of: (v: number, m: number, s: number, w: number, b: number) => number): Arr =>
    map(of, ...(parts(xs) as [Arr]));
  return sampleOf([shape, [channels], [channels], [2, channels]], {
    call: (xs) => row("channelNorm").replay(xs, { eps }),
    reference: (xs) => formula(xs, (v, m, s, w, b) => ((v - m) / Math.sqrt(s + eps)) * w + b),
    scale: (xs) =>
      formula(xs, (v, m, s, w, b) => ((Math.abs(v) + Math.abs(m)) / Math.sqrt(s + eps)) * Math.abs(w) + Math.abs(b)),
    decomposition: ([v, w, b, m]) => {
      const one = [-1, ...shape.slice(2).map(() => 1)];
      const [mean, variance] = [0, 1].map((i) => m!.narrow(0, i, 1).reshape(one));
      return v!.sub(mean!).div(variance!.add(eps).sqrt()).mul(w!.reshape(one)).add(b!.reshape(one));
    },
  });
}

const withBias = (shapes: Shapes): Shapes => [...shapes, shapes[1]!];
export const normCases = {
  layerNorm: shaped(
    [x, weight, bias],
    sizesOf.map((of) => overLast(true)(withBias(of))),
    [
      ...wrongRows(nb.layerNorm),
      {
        what: "a bias of another shape",
        call: () => nb.layerNorm(ones([2, 3]), 3, { bias: ones([1]) }),
        code: "ERR_SHAPE",
      },
    ],
  ),
  rmsNorm: shaped([x, weight], sizesOf.map(overLast(false)), wrongRows(nb.rmsNorm)),
  standardize: centred.forward,
  "standardize, not centred": { ...uncentred.forward, row: "standardize" },
  standardizeBackward: centred.backward,
  "standardizeBackward, not centred": { ...uncentred.backward, row: "standardizeBackward" },
  groupNorm: shaped(
    [x, weight, bias],
    channelsOf.map((shape) => grouped(shape, 2)),
    [
      { what: "groups that do not divide", call: () => nb.groupNorm(ones([2, 3]), 2), code: "ERR_ARGUMENT" },
      { what: "half a group", call: () => nb.groupNorm(ones([2, 3]), 0.5), code: "ERR_ARGUMENT" },
      { what: "no channels", call: () => nb.groupNorm(ones([2]), 1), code: "ERR_SHAPE" },
      {
        what: "a weight of another size",
        call: () => nb.groupNorm(ones([2, 4]), 2, { weight: ones([2]) }),
        code: "ERR_SHAPE",
      },
      { what: "integers", call: () => nb.groupNorm(ones([2, 4], integer), 2), code: "ERR_DTYPE" },
    ],
  ),
  batchNorm: shaped(
    [x, { name: "running mean", domain: [-1, 1] }, { name: "running variance", domain: [0.5, 2] }, weight, bias],
    channelsOf.map(running),
    [
      { what: "no running values", call: () => nb.batchNorm(ones([2, 3]), null, null), code: "ERR_ARGUMENT" },
      {
        what: "one element a channel",
        call: () => nb.batchNorm(ones([1, 3]), null, null, { training: true }),
        code: "ERR_SHAPE",
      },
      { what: "no channels", call: () => nb.batchNorm(ones([3]), ones([3]), ones([3])), code: "ERR_SHAPE" },
      {
        what: "a mean of another size",
        call: () => nb.batchNorm(ones([2, 3]), ones([2]), ones([3])),
        code: "ERR_SHAPE",
        says: /the running mean does not fit the input; expected \[3\], got \[2\]/,
      },
      { what: "integers", call: () => nb.batchNorm(ones([2, 3], integer), ones([3]), ones([3])), code: "ERR_DTYPE" },
    ],
  ),
  "batchNorm, training": shaped([x, weight, bias], channelsOf.map(batched), [], {
    errors: "batchNorm's own",
  }),
  channelNorm: shaped([x, weight, bias, { name: "moments", domain: [0.5, 2] }], channelsOf.map(given), [], {
    errors: notPublic,
  }),
};
