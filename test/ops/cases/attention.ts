import * as nb from "nabla";
import { type Arr, arr, build, map, matmul, permute, pick, reduce, total } from "../../reference/array.js";
import { exempting, type Input, type Wrong } from "./case.js";
import { sampleOf, shaped } from "./shaped.js";

const input = (name: string): Input => ({ name, domain: [-2, 2] });
const ones = nb.ones;

/** Of queries, keys and values [heads, length, size], `seen` saying which key a query sees. */
function attention([q, k, v]: readonly Arr[], scale: number, seen: (h: number, i: number, j: number) => number): Arr {
  const scores = map((s) => s * scale, matmul(q!, permute(k!, [0, 2, 1])));
  const parts = build(scores.shape, (index) => {
    const [h, i, j] = index as [number, number, number];
    return Math.exp(pick(scores, index)) * Math.exp(seen(h, i, j));
  });
  const sums = reduce(parts, total, 2, true);
  return matmul(
    map((p, s) => (s === 0 ? 0 : p / s), parts, sums),
    v!,
  );
}
const magnitude = (xs: readonly Arr[]): Arr => {
  const [q, , v] = xs;
  const top = reduce(map(Math.abs, v!), (all) => Math.max(0, ...all), [1], true);
  return map(
    (_, t) => 64 * t,
    build([...q!.shape.slice(0, 2), v!.shape[2]!], () => 0),
    top,
  );
};
const hidden = Number.NEGATIVE_INFINITY;

const shapes = [
  [
    [1, 3, 2],
    [1, 4, 2],
    [1, 4, 3],
  ],
  [
    [2, 2, 4],
    [2, 3, 4],
    [2, 3, 2],
  ],
  [
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
  ],
  [
    [0, 3, 2],
    [0, 4, 2],
    [0, 4, 3],
  ],
  [
    [2, 9, 16],
    [2, 40, 16],
    [2, 40, 8],
  ],
  [
    [8, 64, 16],
    [8, 80, 16],
    [8, 80, 16],
  ],
];
type Options = Omit<nb.AttentionOptions, "attnMask">;
const samples = (o: Options, scale: (size: number) => number, seen: Parameters<typeof attention>[2]) =>
  shapes.map((of) =>
    sampleOf(of, {
      call: ([q, k, v]) => nb.scaledDotProductAttention(q!, k!, v!, o),
      reference: (xs) => attention(xs, scale(of[0]![2]!), seen),
      scale: magnitude,
      terms: of[1]![1]!,
    }),
  );
const root = (size: number): number => 1 / Math.sqrt(size);

const wrong: Wrong[] = [
  {
    what: "other sizes",
    call: () => nb.scaledDotProductAttention(ones([2, 3]), ones([2, 4]), ones([2, 3])),
    code: "ERR_SHAPE",
    says: /query, key and value do not fit; expected .*, got \[2, 3\], \[2, 4\], \[2, 3\]/,
  },
  {
    what: "fewer values than keys",
    call: () => nb.scaledDotProductAttention(ones([2, 3]), ones([4, 3]), ones([3, 3])),
    code: "ERR_SHAPE",
  },
  {
    what: "a vector",
    call: () => nb.scaledDotProductAttention(ones([3]), ones([4, 3]), ones([4, 3])),
    code: "ERR_SHAPE",
  },
  {
    what: "batches that do not broadcast",
    call: () => nb.scaledDotProductAttention(ones([2, 2, 3]), ones([3, 4, 3]), ones([3, 4, 3])),
    code: "ERR_SHAPE",
  },
  {
    what: "a mask of another size",
    call: () => nb.scaledDotProductAttention(ones([2, 3]), ones([4, 3]), ones([4, 3]), { attnMask: ones([2, 3]) }),
    code: "ERR_SHAPE",
  },
  {
    what: "a mask of integers",
    call: () =>
      nb.scaledDotProductAttention(ones([2, 3]), ones([4, 3]), ones([4, 3]), {
        attnMask: ones([2, 4], { dtype: "int32" }),
      }),
    code: "ERR_DTYPE",
  },
  {
    what: "a mask beside isCausal",
    call: () =>
      nb.scaledDotProductAttention(ones([2, 3]), ones([4, 3]), ones([4, 3]), {
        attnMask: ones([2, 4]),
        isCausal: true,
      }),
    code: "ERR_ARGUMENT",
  },
  {
    what: "heads that do not share",
    call: () => nb.scaledDotProductAttention(ones([3, 2, 4]), ones([2, 2, 4]), ones([2, 2, 4]), { enableGqa: true }),
    code: "ERR_SHAPE",
  },
  {
    what: "dropout above 1",
    call: () => nb.scaledDotProductAttention(ones([2, 3]), ones([4, 3]), ones([4, 3]), { dropoutP: 2 }),
    code: "ERR_ARGUMENT",
  },
  {
    what: "integers",
    call: () => nb.scaledDotProductAttention(ones([2, 3], { dtype: "int32" }), ones([4, 3]), ones([4, 3])),
    code: "ERR_DTYPE",
  },
  {
    what: "an unknown option",
    call: () => nb.scaledDotProductAttention(ones([2, 3]), ones([4, 3]), ones([4, 3]), { causal: true } as never),
    code: "ERR_ARGUMENT",
  },
];

const inputs = [input("query"), input("key"), input("value")];
const masked = shapes.map((of) => [...of, [of[0]![1]!, of[1]![1]!]]);
const own = { errors: "scaledDotProductAttention's own" };
export const attentionCases = {
  scaledDotProductAttention: shaped(
    inputs,
    samples({}, root, () => 0),
    wrong,
  ),
  "scaledDotProductAttention, causal": shaped(
    inputs,
    samples(
      { isCausal: true, scale: 0.3 },
      () => 0.3,
      (_, i, j) => (j <= i ? 0 : hidden),
    ),
    [],
    own,
  ),
  "scaledDotProductAttention, scores added": exempting(
    shaped(
      [...inputs, { name: "mask", domain: [-2, 2] }],
      masked.map((of) =>
        sampleOf(of, {
          call: ([q, k, v, mask]) => nb.scaledDotProductAttention(q!, k!, v!, { attnMask: mask }),
          reference: ([q, k, v, mask]) => attention([q!, k!, v!], root(of[0]![2]!), (_, i, j) => pick(mask!, [i, j])),
          scale: magnitude,
          terms: of[1]![1]!,
        }),
      ),
      [],
      own,
    ),
    { "half gradient": "a mask that is learned goes through ordinary ops, which round in other places" },
  ),
  "scaledDotProductAttention, keys hidden": shaped(
    [...inputs, { name: "mask", domain: [0, 1], dtype: "bool" }],
    masked.map((of) =>
      sampleOf(of, {
        call: ([q, k, v, mask]) => nb.scaledDotProductAttention(q!, k!, v!, { attnMask: mask }),
        reference: ([q, k, v, mask]) =>
          attention([q!, k!, v!], root(of[0]![2]!), (_, i, j) => (pick(mask!, [i, j]) === 1 ? 0 : hidden)),
        scale: magnitude,
        terms: of[1]![1]!,
      }),
    ),
    [],
    own,
  ),
  "scaledDotProductAttention, grouped heads": shaped(
    inputs,
    [
      [
        [4, 2, 2],
        [2, 3, 2],
        [2, 3, 1],
      ],
      [
        [8, 64, 16],
        [2, 80, 16],
        [2, 80, 16],
      ],
    ].map((of) =>
      sampleOf(of, {
        call: ([q, k, v]) => nb.scaledDotProductAttention(q!, k!, v!, { enableGqa: true }),
        reference: ([q, k, v]) => {
          const heads = q!.shape[0]! / k!.shape[0]!;
          const repeated = (x: Arr): Arr =>
            build([q!.shape[0]!, ...x.shape.slice(1)], ([h, ...rest]) => pick(x, [Math.floor(h! / heads), ...rest]));
          return attention([q!, repeated(k!), repeated(v!)], root(of[0]![2]!), () => 0);
        },
        scale: ([q, , v]) => {
          const top = Math.max(...v!.data.map(Math.abs));
          const n = q!.shape[0]! * q!.shape[1]! * v!.shape[2]!;
          return arr([q!.shape[0]!, q!.shape[1]!, v!.shape[2]!], new Array<number>(n).fill(64 * top));
        },
        terms: of[1]![1]!,
      }),
    ),
    [],
    own,
  ),
};
