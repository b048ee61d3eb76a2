import * as nb from "nabla";
import { type Arr, arr, map } from "../../reference/array.js";
import { conv2d, convInput, convWeight, type Geometry, geometry } from "../../reference/conv.js";
import type { Case, Input, Wrong } from "./case.js";
import { notPublic, row } from "./row.js";
import { sampleOf, shaped } from "./shaped.js";

type Shape = readonly number[];
const absolute = (xs: readonly Arr[]): Arr[] => xs.map((x) => map(Math.abs, x));
const sized = (x: Arr, shape: Shape): Arr => arr(shape, x.data);
const biased = (y: Arr, b: Arr | undefined): Arr =>
  b === undefined ? y : map((p, q) => p + q, y, sized(b, [b.data.length, ...y.shape.slice(2).map(() => 1)]));

const input = (name: string): Input => ({ name, domain: [-2, 2] });
const inputs = [input("x"), input("weight"), input("bias")];
const ones = nb.ones;
const integer = { dtype: "int32" } as const;

/** [x, weight, geometry]; the last is large. */
type Example = readonly [Shape, Shape, Partial<Geometry>?];
const examples: readonly Example[] = [
  [
    [1, 2, 4, 4],
    [2, 2, 3, 3],
  ],
  [[2, 1, 4, 5], [2, 1, 2, 3], { stride: [2, 1], padding: [1, 2] }],
  [[1, 4, 3, 4], [4, 2, 2, 2], { groups: 2, padding: [0, 1] }],
  [[2, 3, 2, 3], [6, 1, 2, 1], { groups: 3 }],
  [[1, 1, 6, 5], [1, 1, 2, 3], { dilation: [3, 2], stride: [1, 2], padding: [2, 1] }],
  [
    [2, 3, 2, 2],
    [4, 3, 1, 1],
  ],
  [[1, 1, 2, 2], [1, 1, 1, 1], { stride: [3, 3], padding: [1, 1] }],
  [[1, 1, 3, 7], [2, 1, 3, 2], { stride: [1, 4], padding: [4, 0] }],
  [
    [0, 2, 4, 4],
    [2, 2, 3, 3],
  ],
  [
    [1, 2, 5, 4],
    [0, 2, 3, 3],
  ],
  [[1, 30, 6, 5], [3, 30, 5, 5], { padding: [2, 2] }],
  [[2, 2, 20, 19], [3, 2, 3, 3], { padding: [1, 0] }],
  [
    [1, 6, 18, 18],
    [5, 6, 1, 1],
  ],
  [[5, 3, 20, 21], [24, 3, 3, 3], { padding: [1, 1] }],
];
const labelled = (g: Partial<Geometry> | undefined): string => (g === undefined ? "" : ` ${JSON.stringify(g)}`);

const wrong = (call: typeof nb.conv2d): Wrong[] => [
  {
    what: "another number of channels",
    call: () => call(ones([1, 3, 4, 4]), ones([2, 2, 3, 3])),
    code: "ERR_SHAPE",
    says: /the input does not fit the weight; expected .*, got \[1, 3, 4, 4\] and \[2, 2, 3, 3\]/,
  },
  { what: "a matrix", call: () => call(ones([4, 4]), ones([2, 2, 3, 3])), code: "ERR_SHAPE" },
  { what: "a weight of rank 3", call: () => call(ones([1, 2, 4, 4]), ones([2, 2, 3])), code: "ERR_SHAPE" },
  {
    what: "a bias of another size",
    call: () => call(ones([1, 2, 4, 4]), ones([2, 2, 3, 3]), ones([3])),
    code: "ERR_SHAPE",
    says: /; expected \[2\], got \[3\]/,
  },
  {
    what: "groups that do not divide",
    call: () => call(ones([1, 4, 4, 4]), ones([3, 3, 3, 3]), null, { groups: 2 }),
    code: "ERR_SHAPE",
  },
  ...(["stride", "dilation", "groups"] as const).map(
    (name): Wrong => ({
      what: `${name} 0`,
      call: () => call(ones([1, 2, 4, 4]), ones([2, 2, 3, 3]), null, { [name]: 0 }),
      code: "ERR_ARGUMENT",
    }),
  ),
  {
    what: "half a padding",
    call: () => call(ones([1, 2, 4, 4]), ones([2, 2, 3, 3]), null, { padding: 0.5 }),
    code: "ERR_ARGUMENT",
  },
  {
    what: "padding beyond 31 bits",
    call: () => call(ones([1, 2, 4, 4]), ones([2, 2, 3, 3]), null, { padding: 2 ** 31 }),
    code: "ERR_ARGUMENT",
    says: /the padding is too large; expected at most 2147483647/,
  },
  {
    what: "three strides",
    call: () => call(ones([1, 2, 4, 4]), ones([2, 2, 3, 3]), null, { stride: [1, 1, 1] as never }),
    code: "ERR_ARGUMENT",
    says: /; expected a number or \[height, width\]/,
  },
  {
    what: "an unknown option",
    call: () => call(ones([1, 2, 4, 4]), ones([2, 2, 3, 3]), null, { strides: 2 } as never),
    code: "ERR_ARGUMENT",
    says: /did you mean "stride"/,
  },
  { what: "integers", call: () => call(ones([1, 2, 4, 4], integer), ones([2, 2, 3, 3])), code: "ERR_DTYPE" },
];
const tooLarge = (call: () => unknown): Wrong => ({
  what: "a window larger than the input",
  call,
  code: "ERR_SHAPE",
  says: /the window does not fit into the padded input; expected /,
});

function convCase(): Case {
  const samples = examples.map(([x, w, of]) => {
    const g = geometry(of);
    return sampleOf(
      [x, w, [w[0]!]],
      {
        call: (xs) => nb.conv2d(xs[0]!, xs[1]!, xs[2], of),
        reference: ([a, b, c]) => biased(conv2d(a!, b!, g), c),
        scale: (xs) => {
          const [a, b, c] = absolute(xs);
          return biased(conv2d(a!, b!, g), c);
        },
        terms: w[1]! * w[2]! * w[3]! + 1,
      },
      labelled(of),
    );
  });
  return shaped(inputs, samples, [
    ...wrong(nb.conv2d),
    tooLarge(() => nb.conv2d(ones([1, 1, 2, 2]), ones([1, 1, 3, 3]))),
  ]);
}

/** [x, weight, size of the result, options] */
const transposed: readonly (readonly [Shape, Shape, Shape, nb.ConvTransposeOptions?])[] = [
  [
    [1, 2, 3, 3],
    [2, 2, 2, 3],
    [4, 5],
  ],
  [[2, 1, 2, 3], [1, 2, 3, 2], [4, 5], { stride: 2, padding: [1, 1], outputPadding: [1, 1] }],
  [[1, 4, 2, 3], [4, 1, 2, 2], [3, 4], { groups: 2 }],
  [[1, 1, 2, 2], [1, 2, 2, 2], [7, 4], { stride: [3, 1], dilation: [3, 2] }],
  [
    [1, 2, 2, 2],
    [2, 3, 1, 1],
    [2, 2],
  ],
  [
    [0, 2, 3, 3],
    [2, 2, 2, 2],
    [4, 4],
  ],
  [[1, 9, 12, 13], [9, 30, 3, 3], [12, 13], { padding: 1 }],
  [[2, 2, 19, 18], [2, 3, 3, 3], [39, 37], { stride: 2, outputPadding: [0, 0] }],
  [[5, 24, 20, 21], [24, 3, 3, 3], [20, 21], { padding: 1 }],
];
function transposedCase(): Case {
  const samples = transposed.map(([x, w, out, o]) => {
    const pair = (v: nb.Pair | undefined, missing: number): [number, number] =>
      typeof v === "object" ? [v[0], v[1]] : [v ?? missing, v ?? missing];
    const g: Geometry = {
      stride: pair(o?.stride, 1),
      padding: pair(o?.padding, 0),
      dilation: pair(o?.dilation, 1),
      groups: o?.groups ?? 1,
    };
    return sampleOf(
      [x, w, [w[1]! * g.groups]],
      {
        call: (xs) => nb.convTranspose2d(xs[0]!, xs[1]!, xs[2], o),
        reference: ([a, b, c]) => biased(convInput(a!, b!, out, g), c),
        scale: (xs) => {
          const [a, b, c] = absolute(xs);
          return biased(convInput(a!, b!, out, g), c);
        },
        terms: w[0]! * w[2]! * w[3]! + 1,
      },
      o === undefined ? "" : ` ${JSON.stringify(o)}`,
    );
  });
  return shaped(inputs, samples, [
    ...wrong(nb.convTranspose2d),
    {
      what: "an outputPadding of a whole stride",
      call: () => nb.convTranspose2d(ones([1, 1, 2, 2]), ones([1, 1, 2, 2]), null, { stride: 2, outputPadding: 2 }),
      code: "ERR_ARGUMENT",
      says: /outputPadding is too large; expected less than the stride/,
    },
    {
      what: "padding that eats the result",
      call: () => nb.convTranspose2d(ones([1, 1, 1, 1]), ones([1, 1, 2, 2]), null, { padding: 1 }),
      code: "ERR_SHAPE",
    },
  ]);
}

function weightCase(): Case {
  const samples = [
    ...examples.filter(([, w]) => w[0] !== 0),
    [
      [40, 2, 20, 21],
      [5, 2, 3, 3],
    ] as Example,
  ].map(([x, w, of]) => {
    const g = geometry(of);
    const window = w.slice(2);
    const out = window.map(
      (size, d) => Math.floor((x[2 + d]! + 2 * g.padding[d]! - g.dilation[d]! * (size - 1) - 1) / g.stride[d]!) + 1,
    );
    const params = { ...g, image: x.slice(2), window };
    return sampleOf(
      [[x[0]!, w[0]!, ...out], x],
      {
        call: (xs) => row("conv2dWeight").replay(xs, params),
        reference: ([a, b]) => convWeight(a!, b!, window, g),
        scale: (xs) => {
          const [a, b] = absolute(xs);
          return convWeight(a!, b!, window, g);
        },
        terms: x[0]! * out[0]! * out[1]! + 1,
      },
      labelled(of),
    );
  });
  return shaped([input("g"), input("x")], samples, [], { errors: notPublic });
}

const lines: readonly (readonly [Shape, Shape, nb.ConvOptions<number>?])[] = [
  [
    [2, 2, 5],
    [3, 2, 3],
  ],
  [[1, 4, 6], [2, 2, 2], { groups: 2, stride: 2, padding: 1, dilation: 2 }],
  [
    [0, 2, 5],
    [3, 2, 3],
  ],
  [[2, 3, 300], [4, 3, 5], { padding: 2 }],
  [
    [4, 8, 3001],
    [8, 8, 5],
  ],
];
function lineCase(): Case {
  const flat = (x: Arr): Arr => sized(x, [...x.shape.slice(0, 2), 1, x.shape[2]!]);
  const samples = lines.map(([x, w, o]) => {
    const g: Geometry = {
      stride: [1, o?.stride ?? 1],
      padding: [0, o?.padding ?? 0],
      dilation: [1, o?.dilation ?? 1],
      groups: o?.groups ?? 1,
    };
    const of = ([a, b, c]: readonly Arr[]): Arr => {
      const y = conv2d(flat(a!), flat(b!), g);
      return biased(sized(y, [y.shape[0]!, y.shape[1]!, y.shape[3]!]), c);
    };
    return sampleOf(
      [x, w, [w[0]!]],
      {
        call: (xs) => nb.conv1d(xs[0]!, xs[1]!, xs[2], o),
        reference: of,
        scale: (xs) => of(absolute(xs)),
        terms: w[1]! * w[2]! + 1,
      },
      o === undefined ? "" : ` ${JSON.stringify(o)}`,
    );
  });
  return shaped(inputs, samples, [
    { what: "images", call: () => nb.conv1d(ones([1, 1, 4, 4]), ones([1, 1, 2, 2])), code: "ERR_SHAPE" },
    {
      what: "a pair",
      call: () => nb.conv1d(ones([1, 1, 4]), ones([1, 1, 2]), null, { stride: [1, 1] as never }),
      code: "ERR_ARGUMENT",
    },
    tooLarge(() => nb.conv1d(ones([1, 1, 2]), ones([1, 1, 3]))),
    { what: "integers", call: () => nb.conv1d(ones([1, 1, 2], integer), ones([1, 1, 1])), code: "ERR_DTYPE" },
  ]);
}

export const convCases = {
  conv2d: convCase(),
  convTranspose2d: transposedCase(),
  conv2dWeight: weightCase(),
  conv1d: lineCase(),
};
