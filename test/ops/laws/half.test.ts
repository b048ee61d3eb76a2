/** Halves: computed in float32 and rounded once, with gradients in the dtype of what they are for. */
import { type DType, grad, jvp, NablaError, noGrad, stack, type Tensor, tensor, vmap } from "nabla";
import { expect } from "vitest";
import type { Arr } from "../../reference/array.js";
import type { Case, Sample } from "../cases/case.js";
import { bits, draw, makeAll, randomFor, read, small, smooth } from "./inputs.js";
import { law, noDerivative } from "./law.js";

const halves: readonly DType[] = ["bfloat16", "float16"];

function noFloats(of: Case): string | undefined {
  if (of.dtypes.includes("float32") && smooth(of).length > 0) return undefined;
  return of.inputs.some((input) => input.dtype === undefined) ? (of.others ?? noFloatTensor) : "it takes no tensor";
}
const noFloatTensor = "it takes no float tensor";

const isHalf = (of: Case, x: Tensor, i: number): boolean => of.inputs[i]!.dtype === undefined && x.dtype === "float32";

/** Where the numbers lie: in the case's domains, or near the largest or the least that the half holds. */
const ranges = ["usual", "largest", "least"] as const;
type Range = (typeof ranges)[number];
const ends: Readonly<Record<string, Readonly<Record<Exclude<Range, "usual">, number>>>> = {
  bfloat16: { largest: 3.3895e38, least: 2 ** -133 },
  float16: { largest: 65504, least: 2 ** -24 },
};

/** The sample's inputs rounded to a half, in it and, the same numbers, in float32. */
function rounded(
  op: string,
  of: Case,
  sample: Sample,
  half: DType,
  range: Range = "usual",
): { narrow: Tensor[]; wide: Tensor[]; xs: Arr[] } {
  const random = randomFor(`${op} ${sample.label} ${half}`);
  const drawn = makeAll(of, draw(of, sample, "float32", random), "float32");
  const narrow = drawn.map((x, i) => {
    if (!isHalf(of, x, i)) return x;
    if (range === "usual" || sample.values?.[i] !== undefined) return x.to(half);
    const end = ends[half]![range];
    // Signs as they were drawn; between half of the largest and it, or from the least to eight times that.
    const size = range === "largest" ? () => end * (0.5 + random() / 2) : () => end * (1 + 7 * random());
    return tensor(
      Array.from(x.toTypedArray() as Float32Array, (v) => (v < 0 ? -1 : 1) * size()),
      {
        dtype: half,
        shape: x.shape,
      },
    );
  });
  return { narrow, wide: narrow.map((x, i) => x.to(drawn[i]!.dtype)), xs: narrow.map(read) };
}

/** What a call gives, or the code of its error: extreme numbers may be none that an op takes. */
function outcome<T>(f: () => T): T | string {
  try {
    return f();
  } catch (error) {
    if (error instanceof NablaError) return error.code;
    throw error;
  }
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
    const once = of.parts !== true;
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
        if (once) expect(bits(got), where).toBe(bits(sample.call(wide).to(got.dtype)));
        else expectNearFloat32(got, sample.call(wide), xs, half, where);
      }
    if (!once) return "by parts";
    for (const half of halves)
      for (const range of ["largest", "least"] as const)
        for (const sample of of.samples) {
          const { narrow, wide } = rounded(op, of, sample, half, range);
          const got = outcome(() => sample.call(narrow));
          const want = outcome(() => sample.call(wide));
          const where = `${sample.label} of the ${range} numbers of ${half}`;
          if (typeof got === "string" || typeof want === "string") expect(got, where).toBe(want);
          else expect(bits(got), where).toBe(bits(want.to(got.dtype)));
        }
    return "once";
  },
  noFloats,
);

/** The gradients of a call's sum by the places that are given; null where none arrives or the call has none. */
function gradientsOf(sample: Sample, inputs: readonly Tensor[], places: readonly number[]): (Tensor | null)[] | null {
  const leaves = noGrad(() => inputs.map((x) => x.clone()));
  for (const i of places) leaves[i]!.requiresGrad = true;
  const y = sample.call(leaves);
  if (!y.requiresGrad) return null;
  expect(bits(y), "recorded").toBe(bits(noGrad(() => sample.call(leaves))));
  y.sum().backward();
  return places.map((i) => leaves[i]!.grad);
}

type Ways = Readonly<Record<string, () => readonly (Tensor | null)[]>>;

/** A call and its derivatives by the places that are given, in the ways that take rules and compositions of their own. */
function waysOf(sample: Sample, inputs: readonly Tensor[], places: readonly number[]): Ways {
  const at = (given: readonly Tensor[]): Tensor[] =>
    inputs.map((x, i) => (places.includes(i) ? given[places.indexOf(i)]! : x));
  const call = (...given: Tensor[]): Tensor => sample.call(at(given));
  const leaves = (): Tensor[] => places.map((i) => inputs[i]!.clone());
  const batched = (): Tensor[] => leaves().map((x) => stack([x, x.ndim === 0 ? x : x.flip(0)]));
  const slopes = (...given: Tensor[]): Tensor[] =>
    places.map((_, k) => grad((x: Tensor) => call(...given.map((other, j) => (j === k ? x : other))).sum())(given[k]!));
  return {
    "with a graph of the gradient": () => {
      const given = leaves();
      for (const x of given) x.requiresGrad = true;
      const y = call(...given);
      return y.requiresGrad ? grad(y.sum(), given, { createGraph: true, allowUnused: true }) : [];
    },
    "in forward mode": () => jvp(call, leaves(), leaves()),
    "in vmap": () => [vmap(call, { randomness: "same" })(...batched())],
    "gradients in vmap": () => vmap(slopes, { randomness: "same" })(...batched()),
  };
}

law(
  "half gradient",
  (op, of) => {
    const once = of.parts !== true;
    for (const half of halves)
      for (const range of once ? ranges : (["usual"] as const))
        for (const sample of small(of)) {
          const { narrow, wide, xs } = rounded(op, of, sample, half, range);
          const places = smooth(of).filter((i) => narrow[i]!.dtype === half);
          const where = `${sample.label} of the ${range} numbers of ${half}`;
          const got = outcome(() => gradientsOf(sample, narrow, places));
          const want = outcome(() => gradientsOf(sample, wide, places));
          if (typeof got === "string" || typeof want === "string" || got === null || want === null) {
            expect(got, where).toBe(want);
            continue;
          }
          places.forEach((i, k) => {
            const [grad, exact] = [got[k]!, want[k]!];
            const at = `gradient of input ${i}, ${where}`;
            expect(grad === null, at).toBe(exact === null);
            if (grad === null) return;
            expect(grad.dtype, at).toBe(half);
            expect(grad.shape, at).toEqual(narrow[i]!.shape);
            if (once) expect(bits(grad), at).toBe(bits(exact.to(half)));
            else expectNearFloat32(grad, exact, xs, half, at);
          });
          if (!once || range !== "usual") continue;
          const exact = waysOf(sample, wide, places);
          for (const [way, results] of Object.entries(waysOf(sample, narrow, places))) {
            const [have, need] = [outcome(results), outcome(exact[way]!)];
            if (typeof have === "string" || typeof need === "string") expect(have, `${way}, ${where}`).toBe(need);
            else
              have.forEach((x, k) => {
                expect(x && bits(x), `${way}, result ${k}, ${where}`).toBe(need[k] && bits(need[k].to(x!.dtype)));
              });
          }
        }
    return once ? "once" : "by parts";
  },
  noDerivative,
);
