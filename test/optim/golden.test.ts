import { readFileSync } from "node:fs";
import { type DType, optim, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";

type Values = number | Values[];
interface Golden {
  start: Values[];
  gradients: (Values | null)[][];
  cases: { name: "SGD" | "Adam" | "AdamW" | "RMSprop" | "Adagrad"; options: object; trajectory: Values[][] }[];
  clip: { normType: number | "Infinity"; maxNorm: number; norm: number; gradients: Values[] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

const flat = (values: Values | Values[]): number[] => [values].flat(9) as number[];
function close(actual: Tensor[], expected: Values[], tolerance: number): void {
  const [a, b] = [flat(actual.map((x) => x.toArray())), flat(expected)];
  expect(a).toHaveLength(b.length);
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b[i]!)));
  });
}
const leaves = (values: Values[], dtypes: DType[]): Tensor[] =>
  values.map((value, i) => tensor(value, { dtype: dtypes[i % dtypes.length]!, requiresGrad: true }));
function give(params: Tensor[], gradients: (Values | null)[]): void {
  params.forEach((p, i) => {
    const g = gradients[i]!;
    p.grad = g === null ? null : tensor(g, { dtype: p.dtype });
  });
}

describe.each([
  ["float64", ["float64"], 1e-14],
  ["float32", ["float32"], 2e-6],
  ["both dtypes in one group", ["float32", "float64"], 2e-6],
] as [string, DType[], number][])("as PyTorch, %s", (_, dtypes, tolerance) => {
  test.each(golden.cases.map((row) => [`${row.name} ${JSON.stringify(row.options)}`, row] as const))("%s", (_, row) => {
    const params = leaves(golden.start, dtypes);
    const opt = new optim[row.name](params, row.options);
    golden.gradients.forEach((gradients, step) => {
      give(params, gradients);
      opt.step();
      close(params, row.trajectory[step]!, tolerance);
    });
  });

  test.each(golden.clip)("clipGradNorm $normType to $maxNorm", ({ normType, maxNorm, norm, gradients }) => {
    const params = leaves(golden.start, dtypes);
    give(params, golden.gradients[1]!);
    const got = optim.clipGradNorm(params, maxNorm, { normType: Number(normType) });
    expect(got.shape).toEqual([]);
    close([got], [norm], tolerance);
    close(
      params.map((p) => p.grad!),
      gradients,
      tolerance,
    );
  });
});

test.each(golden.cases)(
  "$name $options: a state taken midway leads to the same end",
  ({ name, options, trajectory }) => {
    const params = leaves(golden.start, ["float64"]);
    const opt = new optim[name](params, options);
    golden.gradients.slice(0, 2).forEach((gradients) => {
      give(params, gradients);
      opt.step();
    });
    const resumed = leaves(trajectory[1]!, ["float64"]);
    const second = new optim[name](resumed, { lr: 7 });
    second.loadStateDict(opt.stateDict());
    // The copy does not follow the first optimizer any further.
    give(params, golden.gradients[4]!);
    opt.step();
    golden.gradients.slice(2).forEach((gradients) => {
      give(resumed, gradients);
      second.step();
    });
    close(resumed, trajectory[4]!, 1e-14);
  },
);
