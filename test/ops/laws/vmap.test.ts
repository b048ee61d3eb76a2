/** Law 13: an op under vmap is the op on each example, value and gradient, whichever inputs are batched. */
import { grad, stack, type Tensor, vmap } from "nabla";
import { vmapWays } from "nabla/internal";
import { expect } from "vitest";
import type { Case, Sample } from "../cases/case.js";
import { draw, makeAll, randomFor, read, small, smooth } from "./inputs.js";
import { isFloat, law, noDerivative } from "./law.js";

const batchSize = 3;

function expectSame(got: Tensor, want: Tensor, what: string): void {
  expect([got.dtype, got.shape], what).toEqual([want.dtype, want.shape]);
  const [a, b] = [read(got), read(want)];
  const tolerance = got.dtype === "float32" ? 1e-5 : 1e-11;
  a.data.forEach((value, i) => {
    const other = b.data[i]!;
    if (!Object.is(value, other) && !(Math.abs(value - other) <= tolerance * (1 + Math.abs(other))))
      expect.fail(`${what}: element ${i} is ${value}, alone ${other}`);
  });
}

/** Which inputs are batched: all, and each of several alone. */
function choices(inputs: number): boolean[][] {
  const all = new Array<boolean>(inputs).fill(true);
  return inputs === 1 ? [all] : [all, ...all.map((_, i) => all.map((__, k) => k === i))];
}

function check(op: string, of: Case, sample: Sample, dtype: Case["dtypes"][number]): void {
  const random = randomFor(`${op} ${sample.label} vmap`);
  const each = Array.from({ length: batchSize }, () => makeAll(of, draw(of, sample, dtype, random), dtype));
  const apart = (f: (xs: readonly Tensor[]) => Tensor, mapped: readonly boolean[]): Tensor =>
    stack(each.map((xs) => f(xs.map((x, i) => (mapped[i] ? x : each[0]![i]!)))));
  const together = (f: (xs: readonly Tensor[]) => Tensor, mapped: readonly boolean[]): Tensor =>
    vmap((...xs: Tensor[]) => f(xs), { inDims: mapped.map((yes) => (yes ? 0 : null)), randomness: "same" })(
      ...mapped.map((yes, i) => (yes ? stack(each.map((xs) => xs[i]!)) : each[0]![i]!)),
    );
  const places = smooth(of);
  const derivative =
    dtype === "float64" &&
    of.exempt?.gradient === undefined &&
    noDerivative(of) === undefined &&
    isFloat(of.result(dtype));
  for (const mapped of choices(of.inputs.length)) {
    const what = `${sample.label} in ${dtype}, batched ${mapped.flatMap((yes, i) => (yes ? [i] : []))}`;
    expectSame(together(sample.call, mapped), apart(sample.call, mapped), what);
    if (!derivative) continue;
    for (const place of places) {
      const slope = (xs: readonly Tensor[]): Tensor =>
        grad((x: Tensor) =>
          sample
            .call(xs.map((other, i) => (i === place ? x : other)))
            .sin()
            .sum(),
        )(xs[place]!);
      expectSame(together(slope, mapped), apart(slope, mapped), `${what}: gradient by ${place}`);
    }
  }
}

law(
  "vmap",
  (op, of) => {
    vmapWays();
    for (const dtype of of.dtypes) for (const sample of small(of)) check(op, of, sample, dtype);
    const ways = vmapWays();
    const slow = [...ways].filter(([, taken]) => taken.has("one by one")).map(([name]) => name);
    expect(slow, "run one by one").toEqual([]);
    const own = ways.get(of.row ?? op.split(",")[0]!);
    return own === undefined ? "composition" : [...own].sort().join(", ");
  },
  (of) => (of.inputs.length === 0 ? "it takes no tensor" : undefined),
);
