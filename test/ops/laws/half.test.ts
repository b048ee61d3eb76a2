/** Halves: computed in float32 and rounded once, with gradients in the dtype of what they are for. */
import { type DType, noGrad, type Tensor } from "nabla";
import { table } from "nabla/internal";
import { expect } from "vitest";
import type { Arr } from "../../reference/array.js";
import type { Case, Sample } from "../cases/case.js";
import { bits, draw, makeAll, randomFor, read, small, smooth } from "./inputs.js";
import { law, noDerivative } from "./law.js";

const halves: readonly DType[] = ["bfloat16", "float16"];

/** Rows whose public function, or sample, is made of several ops, each of which rounds. */
const several = new Set(["slogdet", "eigh", "crossEntropy, mean and smoothed", "mseLoss", "conv2d", "convTranspose2d"]);

const noFloats = (of: Case): string | undefined =>
  of.dtypes.includes("float32") && smooth(of).length > 0 ? undefined : "it takes no float tensor";

const isHalf = (of: Case, x: Tensor, i: number): boolean => of.inputs[i]!.dtype === undefined && x.dtype === "float32";

/** The sample's inputs rounded to a half, in it and, the same numbers, in float32. */
function rounded(op: string, of: Case, sample: Sample, half: DType): { narrow: Tensor[]; wide: Tensor[]; xs: Arr[] } {
  const drawn = makeAll(of, draw(of, sample, "float32", randomFor(`${op} ${sample.label} ${half}`)), "float32");
  const narrow = drawn.map((x, i) => (isHalf(of, x, i) ? x.to(half) : x));
  return { narrow, wide: narrow.map((x, i) => x.to(drawn[i]!.dtype)), xs: narrow.map(read) };
}

law(
  "half",
  (op, of) => {
    const single = table.has(of.row ?? op) && !several.has(op);
    const fixed = of.result("float64") === of.result("float32");
    for (const half of halves)
      for (const sample of of.samples) {
        const { narrow, wide, xs } = rounded(op, of, sample, half);
        const got = sample.call(narrow);
        const result = of.result("float32");
        const where = `${sample.label} in ${half}`;
        expect(got.dtype, where).toBe(fixed ? result : half);
        const want = sample.reference(xs, "float32");
        expect(got.shape, where).toEqual(want.shape);
        if (single) expect(bits(got), where).toBe(bits(sample.call(wide).to(got.dtype)));
      }
    return single ? "once" : "by parts";
  },
  noFloats,
);

law(
  "half gradient",
  (op, of) => {
    for (const half of halves)
      for (const sample of small(of)) {
        const { narrow } = rounded(op, of, sample, half);
        const places = smooth(of).filter((i) => narrow[i]!.dtype === half);
        const leaves = noGrad(() => narrow.map((x) => x.clone()));
        for (const i of places) leaves[i]!.requiresGrad = true;
        const y = sample.call(leaves);
        if (!y.requiresGrad) continue;
        expect(bits(y), `recorded, in ${half}`).toBe(bits(noGrad(() => sample.call(leaves))));
        y.sum().backward();
        for (const i of places) {
          const { grad } = leaves[i]!;
          if (grad === null) continue;
          expect(grad.dtype, `input ${i} in ${half}`).toBe(half);
          expect(grad.shape, `input ${i} in ${half}`).toEqual(leaves[i]!.shape);
        }
      }
  },
  noDerivative,
);
