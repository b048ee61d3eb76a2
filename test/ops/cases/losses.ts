import * as nb from "nabla";
import { type Arr, build, get, map, total } from "../../reference/array.js";
import { softplus } from "../../reference/functions.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { floats, results } from "./elementwise.js";
import { fused } from "./fused.js";
import { notPublic, row } from "./row.js";
import { sampleOf, shaped } from "./shaped.js";

type Loss = (input: nb.Tensor, target: nb.Tensor, options?: nb.LossOptions) => nb.Tensor;
const ones = nb.ones;

/** Of each reduction one sample; the errors are those of all losses. */
function loss(
  call: Loss,
  inputs: readonly Input[],
  shapes: readonly (readonly number[])[],
  large: readonly (readonly number[])[],
  of: (xs: readonly Arr[]) => Arr,
  errors: readonly Wrong[],
  decomposition?: (xs: readonly nb.Tensor[]) => nb.Tensor,
): Case {
  const sample = (reduction: nb.LossReduction | undefined, at: readonly (readonly number[])[]): Sample => {
    const reduce = (x: Arr): Arr =>
      reduction === "none" ? x : { shape: [], data: [total(x.data) / (reduction === "sum" ? 1 : x.data.length)] };
    const reduceTensor = (x: nb.Tensor): nb.Tensor =>
      reduction === "none" ? x : reduction === "sum" ? x.sum() : x.mean();
    return {
      label: reduction ?? "mean by default",
      shapes: at,
      call: ([x, t]) => (reduction === undefined ? call(x!, t!) : call(x!, t!, { reduction })),
      reference: (xs) => reduce(of(xs)),
      scale: (xs) => reduce(map((v) => 8 + Math.abs(v), of(xs))),
      terms: at[0]!.reduce((a, b) => a * b, 1),
      ...(decomposition === undefined
        ? {}
        : { decomposition: (xs: readonly nb.Tensor[]) => reduceTensor(decomposition(xs)) }),
    };
  };
  return {
    inputs,
    dtypes: floats,
    result: results.float,
    samples: [sample(undefined, shapes), sample("mean", shapes), sample("sum", shapes), sample("none", shapes)],
    large: sample("mean", large),
    accuracy: "tree",
    errors: [
      {
        what: "an unknown reduction",
        call: () => call(ones([2, 3]), ones([2, 3]), { reduction: "average" as never }),
        code: "ERR_ARGUMENT",
        says: /; expected ("batchmean", )?"mean", "sum" or "none", got "average"/,
      },
      {
        what: "an unknown option",
        call: () => call(ones([2, 3]), ones([2, 3]), { reductions: "sum" } as never),
        code: "ERR_ARGUMENT",
        says: /did you mean "reduction"/,
      },
      ...errors,
    ],
    exempt: {
      numbers: "it takes tensors",
      ...(decomposition === undefined ? { decomposition: "it is made of other ops" } : {}),
    },
  };
}
const shapesDiffer = (call: Loss): Wrong => ({
  what: "shapes that differ",
  call: () => call(ones([2, 3]), ones([3])),
  code: "ERR_SHAPE",
  says: /; expected \[2, 3\], got \[3\]/,
});

const integer = { dtype: "int32" } as const;
/** Inputs whose distance is between 0.5 and 0.9: on the parabola for a delta of 1, on the line for a smaller one. */
const huber = (delta: number, of: (xs: readonly Arr[]) => Arr, errors: readonly Wrong[]): Case =>
  loss(
    (x, t, o) => nb.huberLoss(x, t, delta === 1 ? o : { ...o, delta }),
    [
      { name: "input", domain: [0.6, 0.8] },
      { name: "target", domain: [-0.1, 0.1] },
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [3, 30011],
      [3, 30011],
    ],
    of,
    errors,
  );

export const lossCases = {
  mseLoss: loss(
    nb.mseLoss,
    [
      { name: "input", domain: [-2, 2] },
      { name: "target", domain: [-2, 2] },
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [3, 30011],
      [3, 30011],
    ],
    ([x, t]) => map((a, b) => (a - b) ** 2, x!, t!),
    [shapesDiffer(nb.mseLoss)],
    ([x, t]) => x!.sub(t!).mul(x!.sub(t!)),
  ),
  binaryCrossEntropyWithLogits: loss(
    nb.binaryCrossEntropyWithLogits,
    [
      { name: "input", domain: [-3, 3] },
      { name: "target", domain: [0, 1] },
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [3, 30011],
      [3, 30011],
    ],
    ([x, t]) => map((a, b) => softplus(a) - a * b, x!, t!),
    [
      shapesDiffer(nb.binaryCrossEntropyWithLogits),
      {
        what: "integers",
        call: () => nb.binaryCrossEntropyWithLogits(ones([2], { dtype: "int32" }), ones([2])),
        code: "ERR_DTYPE",
      },
    ],
    ([x, t]) => x!.softplus().sub(x!.mul(t!)),
  ),
  l1Loss: loss(
    nb.l1Loss,
    [
      { name: "input", domain: [1, 3] },
      { name: "target", domain: [-2, 0.5] },
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [3, 30011],
      [3, 30011],
    ],
    ([x, t]) => map((a, b) => Math.abs(a - b), x!, t!),
    [shapesDiffer(nb.l1Loss)],
  ),
  huberLoss: huber(
    1,
    ([x, t]) => map((a, b) => (Math.abs(a - b) <= 1 ? (a - b) ** 2 / 2 : Math.abs(a - b) - 0.5), x!, t!),
    [
      shapesDiffer(nb.huberLoss),
      {
        what: "delta 0",
        call: () => nb.huberLoss(ones([2]), ones([2]), { delta: 0 }),
        code: "ERR_ARGUMENT",
        says: /delta is not valid; expected a number above 0, got 0/,
      },
      { what: "integers", call: () => nb.huberLoss(ones([2], integer), ones([2])), code: "ERR_DTYPE" },
    ],
  ),
  "huberLoss, straight": {
    ...huber(0.25, ([x, t]) => map((a, b) => (Math.abs(a - b) - 0.125) / 4, x!, t!), []),
    exempt: { numbers: "it takes tensors", decomposition: "it is made of other ops", errors: "huberLoss's own" },
  },
  binaryCrossEntropy: loss(
    nb.binaryCrossEntropy,
    [
      { name: "input", domain: [0.1, 0.9] },
      { name: "target", domain: [0, 1] },
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [3, 30011],
      [3, 30011],
    ],
    ([x, t]) => map((p, q) => -q * Math.log(p) - (1 - q) * Math.log(1 - p), x!, t!),
    [
      shapesDiffer(nb.binaryCrossEntropy),
      {
        what: "logits",
        call: () => nb.binaryCrossEntropy(nb.tensor([0.5, 1.5]), ones([2])),
        code: "ERR_ARGUMENT",
        says: /the input holds no probabilities; expected 0 to 1, got 1\.5/,
      },
      { what: "integers", call: () => nb.binaryCrossEntropy(ones([2], integer), ones([2])), code: "ERR_DTYPE" },
    ],
  ),
  klDiv: loss(
    nb.klDiv as Loss,
    [
      { name: "input", domain: [-3, 0] },
      { name: "target", domain: [0.1, 1] },
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [
      [3, 30011],
      [3, 30011],
    ],
    ([x, t]) => map((a, p) => p * (Math.log(p) - a), x!, t!),
    [
      shapesDiffer(nb.klDiv as Loss),
      { what: "integers", call: () => nb.klDiv(ones([2], integer), ones([2])), code: "ERR_DTYPE" },
      {
        what: "no batch",
        call: () => nb.klDiv(nb.scalar(0), nb.scalar(1), { reduction: "batchmean" }),
        code: "ERR_SHAPE",
      },
    ],
    ([x, t]) => t!.mul(t!.log().sub(x!)),
  ),
  "klDiv, of logarithms, over the batch": shaped(
    [
      { name: "input", domain: [-3, 0] },
      { name: "target", domain: [-2, 0] },
    ],
    [[2, 3], [4], [3, 30011]].map((shape) => {
      const of = ([x, t]: readonly Arr[], term: (a: number, l: number) => number): Arr => ({
        shape: [],
        data: [total(map(term, x!, t!).data) / shape[0]!],
      });
      return sampleOf([shape, shape], {
        call: ([x, t]) => nb.klDiv(x!, t!, { logTarget: true, reduction: "batchmean" }),
        reference: (xs) => of(xs, (a, l) => Math.exp(l) * (l - a)),
        scale: (xs) => of(xs, (a, l) => 4 * Math.exp(l) * (Math.abs(l) + Math.abs(a))),
        terms: shape.reduce((a, b) => a * b, 1),
      });
    }),
    [],
    { errors: "klDiv's own" },
  ),
  nllLoss: loss(
    nb.nllLoss,
    [
      { name: "input", domain: [-3, 0] },
      { name: "target", domain: [0, 2], dtype: "int32" },
    ],
    [[4, 3], [4]],
    [[30011, 3], [30011]],
    ([x, t]) => build(t!.shape, (at) => -get(x!, [...at, get(t!, at)])),
    [
      {
        what: "float targets",
        call: () => nb.nllLoss(ones([2, 3]), ones([2])),
        code: "ERR_DTYPE",
        says: /target must hold class indices; expected an integer dtype, got float32/,
      },
      {
        what: "a target that is no class",
        call: () => nb.nllLoss(ones([2, 3]), nb.tensor([0, 3], { dtype: "int32" })),
        code: "ERR_INDEX",
      },
      {
        what: "other rows",
        call: () => nb.nllLoss(ones([3, 3]), nb.tensor([0, 1], { dtype: "int32" })),
        code: "ERR_SHAPE",
      },
    ],
  ),
  mseBackward: fused({
    inputs: [
      { name: "g", domain: [-2, 2] },
      { name: "input", domain: [-2, 2] },
      { name: "target", domain: [-2, 2] },
    ],
    shapes: [
      [[], [2, 3], [2, 3]],
      [[], [5], [5]],
      [[], [3, 30011], [3, 30011]],
    ],
    call: (xs) => row("mseBackward").replay(xs, undefined),
    reference: ([g, x, t]) => map((s, a, b) => (2 * s * (a - b)) / x!.data.length, g!, x!, t!),
    scale: ([g, x, t]) =>
      map((s, a, b) => (2 * Math.abs(s) * (Math.abs(a) + Math.abs(b))) / x!.data.length, g!, x!, t!),
    decomposition: ([g, x, t]) =>
      x!
        .sub(t!)
        .mul(g!)
        .mul(2 / x!.numel),
    exempt: { errors: notPublic },
  }),
};
