import * as nb from "nabla";
import { type Arr, build, get, map, total } from "../../reference/array.js";
import { softplus } from "../../reference/functions.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { floats, results } from "./elementwise.js";
import { fused } from "./fused.js";
import { notPublic, row } from "./row.js";

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
        says: /; expected "mean", "sum" or "none", got "average"/,
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
