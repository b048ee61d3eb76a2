/** Halves: computed in float32 and rounded once, with gradients in the dtype of what they are for. */
import { type DType, noGrad, type Tensor } from "nabla";
import { table } from "nabla/internal";
import { expect } from "vitest";
import type { Arr } from "../../reference/array.js";
import type { Case, Sample } from "../cases/case.js";
import { bits, draw, makeAll, randomFor, read, small, smooth } from "./inputs.js";
import { law, noDerivative } from "./law.js";

const halves: readonly DType[] = ["bfloat16", "float16"];

const noFloats = (of: Case): string | undefined =>
  of.dtypes.includes("float32") && smooth(of).length > 0 ? undefined : "it takes no float tensor";

const isHalf = (of: Case, x: Tensor, i: number): boolean => of.inputs[i]!.dtype === undefined && x.dtype === "float32";

/** The sample's inputs rounded to a half, in it and, the same numbers, in float32. */
function rounded(op: string, of: Case, sample: Sample, half: DType): { narrow: Tensor[]; wide: Tensor[]; xs: Arr[] } {
  const drawn = makeAll(of, draw(of, sample, "float32", randomFor(`${op} ${sample.label} ${half}`)), "float32");
  const narrow = drawn.map((x, i) => (isHalf(of, x, i) ? x.to(half) : x));
  return { narrow, wide: narrow.map((x, i) => x.to(drawn[i]!.dtype)), xs: narrow.map(read) };
}

const spacing: Readonly<Record<string, number>> = { bfloat16: 2 ** -8, float16: 2 ** -11 };
/** How many roundings of the largest element an op that is made of parts may be off. */
const roundings = 16;

/** Fails unless every element is as near to float32's as roundings of numbers like these and the inputs allow. */
function expectNearFloat32(got: Tensor, want: Tensor, xs: readonly Arr[], half: DType, where: string): void {
  const [have, exact] = [read(got).data, read(want).data];
  const sizes = [exact, ...xs.map((x) => x.data)].flat().map(Math.abs).filter(Number.isFinite);
  const margin = roundings * spacing[half]! * Math.max(0, ...sizes);
  const largest = half === "float16" ? 65504 : 3.39e38;
  const wrong = exact.flatMap((x, i) => {
    const same = Object.is(have[i], x) || have[i] === x || (Math.abs(x) > largest && Math.abs(have[i]!) >= largest);
    return same || Math.abs(have[i]! - x) <= margin ? [] : [`${i}: ${have[i]}, not ${x}`];
  });
  expect(wrong.slice(0, 3), `${where}: ${wrong.length} of ${exact.length}`).toEqual([]);
}

law(
  "half",
  (op, of) => {
    const single = table.has(of.row ?? op) && of.parts !== true;
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
        else expectNearFloat32(got, sample.call(wide), xs, half, where);
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
        const { narrow, wide, xs } = rounded(op, of, sample, half);
        const places = smooth(of).filter((i) => narrow[i]!.dtype === half);
        const leaves = noGrad(() => narrow.map((x) => x.clone()));
        for (const i of places) leaves[i]!.requiresGrad = true;
        const y = sample.call(leaves);
        if (!y.requiresGrad) continue;
        expect(bits(y), `recorded, in ${half}`).toBe(bits(noGrad(() => sample.call(leaves))));
        y.sum().backward();
        const exact = noGrad(() => wide.map((x) => x.clone()));
        for (const i of places) exact[i]!.requiresGrad = true;
        sample.call(exact).sum().backward();
        for (const i of places) {
          const { grad } = leaves[i]!;
          expect(grad === null, `input ${i} in ${half}`).toBe(exact[i]!.grad === null);
          if (grad === null) continue;
          expectNearFloat32(grad, exact[i]!.grad!, xs, half, `gradient of input ${i} in ${half}`);
          expect(grad.dtype, `input ${i} in ${half}`).toBe(half);
          expect(grad.shape, `input ${i} in ${half}`).toEqual(leaves[i]!.shape);
        }
      }
  },
  noDerivative,
);
