import * as nb from "nabla";
import { type Arr, build, map, pick, total } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { notPublic, row } from "./row.js";
import { sampleOf, shaped } from "./shaped.js";

type Two = readonly [number, number];
interface Pool {
  readonly stride?: Two;
  readonly padding?: Two;
  readonly dilation?: Two;
}
const input: Input = { name: "x", domain: [-3, 3] };
const ones = nb.ones;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** f of the places under each window, as flat indices into the plane. */
function pooled(x: Arr, window: Two, o: Pool, f: (values: number[], indices: number[]) => number): Arr {
  const lead = x.shape.slice(0, -2);
  const size = x.shape.slice(-2) as [number, number];
  const { stride = window, padding = [0, 0], dilation = [1, 1] } = o;
  const out = size.map(
    (n, d) => Math.floor((n + 2 * padding[d]! - dilation[d]! * (window[d]! - 1) - 1) / stride[d]!) + 1,
  );
  return build([...lead, ...out], (index) => {
    const [y, z] = index.slice(-2) as [number, number];
    const inside = range(window[0]).flatMap((i) =>
      range(window[1]).flatMap((j) => {
        const at = [y * stride[0] - padding[0] + i * dilation[0], z * stride[1] - padding[1] + j * dilation[1]];
        return at.every((p, d) => p >= 0 && p < size[d]!) ? [at] : [];
      }),
    );
    return f(
      inside.map((at) => pick(x, [...index.slice(0, -2), ...at])),
      inside.map(([i, j]) => i! * size[1] + j!),
    );
  });
}

const wrong = (call: (x: nb.Tensor, size: nb.Pair, o?: object) => nb.Tensor): Wrong[] => [
  {
    what: "a matrix",
    call: () => call(ones([4, 4]), 2),
    code: "ERR_SHAPE",
    says: /the input holds no images; expected/,
  },
  { what: "a window larger than the input", call: () => call(ones([1, 2, 2]), 3), code: "ERR_SHAPE" },
  { what: "a window of nothing", call: () => call(ones([1, 2, 2]), 0), code: "ERR_ARGUMENT" },
  { what: "no window", call: () => call(ones([1, 2, 2]), undefined as never), code: "ERR_ARGUMENT" },
  {
    what: "more padding than window",
    call: () => call(ones([1, 4, 4]), 2, { padding: 2 }),
    code: "ERR_ARGUMENT",
    says: /the padding is too large; expected at most half of \[2, 2\]/,
  },
  { what: "stride 0", call: () => call(ones([1, 4, 4]), 2, { stride: 0 }), code: "ERR_ARGUMENT" },
  { what: "an unknown option", call: () => call(ones([1, 4, 4]), 2, { strides: 1 }), code: "ERR_ARGUMENT" },
  { what: "integers", call: () => call(ones([1, 4, 4], { dtype: "int32" }), 2), code: "ERR_DTYPE" },
];

const shapes: readonly (readonly [readonly number[], Two, Pool])[] = [
  [[1, 2, 4, 4], [2, 2], {}],
  [[2, 5, 4], [3, 2], { stride: [1, 2], padding: [1, 1] }],
  [[1, 1, 6, 7], [2, 3], { dilation: [2, 1], stride: [1, 1] }],
  [[1, 1, 1, 1], [1, 1], {}],
  [[0, 2, 4, 4], [2, 2], {}],
  [[2, 3, 9, 31], [3, 3], { stride: [2, 2], padding: [1, 1] }],
  [[8, 16, 32, 33], [3, 3], { stride: [2, 2], padding: [1, 1] }],
];

function largest(values: number[], indices: number[]): number {
  const top = values.some(Number.isNaN) ? Number.NaN : Math.max(...values);
  return indices[values.findIndex((v) => Object.is(v, top) || v === top)]!;
}
const maxSample = ([shape, window, o]: (typeof shapes)[number]): Sample =>
  sampleOf([shape], {
    call: ([x]) => nb.maxPool2d(x!, window, o),
    reference: ([x]) => pooled(x!, window, o, (values) => Math.max(...values)),
    scale: ([x]) => pooled(x!, window, o, () => 0),
  });
const full = (o: Pool) => ({ stride: [2, 2], padding: [0, 0], dilation: [1, 1], ...o }) as Required<Pool>;
const indexCase: Case = {
  inputs: [input],
  dtypes: ["float32", "float64", "int32", "int64", "uint8"],
  result: () => "int32",
  samples: shapes.slice(0, -1).map(([shape, window, o]) =>
    sampleOf([shape], {
      call: (xs) => row("maxPool2dIndices").replay(xs, { window, ...full(o) }),
      reference: ([x]) => pooled(x!, window, full(o), largest),
      scale: ([x]) => x!,
    }),
  ),
  large: sampleOf([shapes.at(-1)![0]], {
    call: (xs) => row("maxPool2dIndices").replay(xs, { window: [3, 3], ...full({}) }),
    reference: ([x]) => pooled(x!, [3, 3], full({}), largest),
    scale: ([x]) => x!,
  }),
  accuracy: "exact",
  errors: [],
  exempt: { numbers: "it takes tensors", decomposition: "indices", errors: "its errors are those of maxPool2d" },
};

const average = (counted: boolean, [shape, window, o]: (typeof shapes)[number]): Sample => {
  const { dilation: _, ...given } = o;
  const of = (x: Arr): Arr =>
    pooled(x, window, given, (values) => total(values) / (counted ? window[0] * window[1] : values.length));
  return sampleOf([shape], {
    call: ([x]) => nb.avgPool2d(x!, window, { ...given, countIncludePad: counted }),
    reference: ([x]) => of(x!),
    scale: ([x]) => of(map(Math.abs, x!)),
    terms: window[0] * window[1],
  });
};

/** What each place adds to the elements that it sees, all from the definition. */
function spreadOf(g: Arr, image: Two, window: Two, stride: Two, padding: Two): Arr {
  return build([...g.shape.slice(0, -2), ...image], (index) => {
    const seenBy = (d: number): number[] =>
      range(g.shape.at(d - 2)!).filter((place) => {
        const tap = index.at(d - 2)! + padding[d]! - place * stride[d]!;
        return tap >= 0 && tap < window[d]!;
      });
    return total(seenBy(0).flatMap((y) => seenBy(1).map((z) => pick(g, [...index.slice(0, -2), y, z]))));
  });
}
const spreadSample = ([shape, window, o]: (typeof shapes)[number]): Sample => {
  const { stride = window, padding = [0, 0] } = o;
  const image = shape.slice(-2) as unknown as Two;
  const divisor = window[0] * window[1];
  const out = image.map((n, d) => Math.floor((n + 2 * padding[d]! - window[d]!) / stride[d]!) + 1);
  const of = (g: Arr): Arr => map((v) => v / divisor, spreadOf(g, image, window, stride, padding));
  return sampleOf([[...shape.slice(0, -2), ...out]], {
    call: (xs) => row("avgPool2dBackward").replay(xs, { window, stride, padding, dilation: [1, 1], image, divisor }),
    reference: ([g]) => of(g!),
    scale: ([g]) => of(map(Math.abs, g!)),
    terms: divisor + 1,
  });
};

const adaptive: readonly (readonly [readonly number[], nb.Pair])[] = [
  [[1, 2, 4, 4], 2],
  [
    [2, 5, 7],
    [3, 2],
  ],
  [[1, 3, 4], 1],
  [
    [1, 1, 2, 3],
    [4, 3],
  ],
  [
    [0, 1, 2, 3],
    [2, 2],
  ],
  [
    [8, 16, 32, 33],
    [7, 7],
  ],
];
const adaptiveSample = ([shape, size]: (typeof adaptive)[number]): Sample => {
  const out: Two = typeof size === "number" ? [size, size] : size;
  const [h, w] = shape.slice(-2) as [number, number];
  const ends = (n: number, parts: number, i: number): number[] => [
    Math.floor((i * n) / parts),
    Math.ceil(((i + 1) * n) / parts),
  ];
  const of = (x: Arr): Arr =>
    build([...shape.slice(0, -2), ...out], (index) => {
      const [y, z] = index.slice(-2) as [number, number];
      const [top, bottom] = ends(h, out[0], y) as [number, number];
      const [left, right] = ends(w, out[1], z) as [number, number];
      const values = range(bottom - top).flatMap((i) =>
        range(right - left).map((j) => pick(x, [...index.slice(0, -2), top + i, left + j])),
      );
      return total(values) / values.length;
    });
  return sampleOf([shape], {
    call: ([x]) => nb.adaptiveAvgPool2d(x!, size),
    reference: ([x]) => of(x!),
    scale: ([x]) => of(map((v) => 2 * Math.abs(v), x!)),
    terms: h * w,
  });
};

export const poolCases = {
  maxPool2d: shaped([{ ...input, distinct: true }], shapes.map(maxSample), [
    ...wrong(nb.maxPool2d),
    { what: "an empty image", call: () => nb.maxPool2d(ones([1, 0, 4]), 2, { padding: 1 }), code: "ERR_SHAPE" },
  ]),
  maxPool2dIndices: indexCase,
  avgPool2d: shaped(
    [input],
    [...shapes.slice(0, -1).map((of) => average(false, of)), ...shapes.map((of) => average(true, of))],
    wrong(nb.avgPool2d),
  ),
  avgPool2dBackward: shaped([{ ...input, name: "g" }], shapes.map(spreadSample), [], { errors: notPublic }),
  adaptiveAvgPool2d: shaped([input], adaptive.map(adaptiveSample), [
    { what: "a matrix", call: () => nb.adaptiveAvgPool2d(ones([4, 4]), 2), code: "ERR_SHAPE" },
    { what: "a size of nothing", call: () => nb.adaptiveAvgPool2d(ones([1, 4, 4]), 0), code: "ERR_ARGUMENT" },
    { what: "a size beyond memory", call: () => nb.adaptiveAvgPool2d(ones([1, 4, 4]), 2 ** 26), code: "ERR_MEMORY" },
    { what: "an empty image", call: () => nb.adaptiveAvgPool2d(ones([1, 0, 4]), 1), code: "ERR_SHAPE" },
    { what: "integers", call: () => nb.adaptiveAvgPool2d(ones([1, 4, 4], { dtype: "int32" }), 2), code: "ERR_DTYPE" },
  ]),
};
