import { readFileSync } from "node:fs";
import { type DType, optim, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";

type Values = number | Values[];
type Name = "SGD" | "Adam" | "AdamW" | "RMSprop" | "Adagrad" | "Lion";
interface Golden {
  start: Values[];
  gradients: (Values | null)[][];
  second: object;
  cases: { name: Name; options: object; places: Values[][]; state: Record<string, Values>[] }[];
  lbfgs: { options: optim.LbfgsOptions; places: number[][]; calls: number }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./null-gradients.json", import.meta.url), "utf8"));
const titled = golden.cases.map((row) => [`${row.name} ${JSON.stringify(row.options)}`, row] as const);

const plain = (value: Tensor | number): Values => (typeof value === "number" ? value : value.toArray());
function close(actual: Values[], expected: Values[], tolerance: number): void {
  const [a, b] = [[actual].flat(9), [expected].flat(9)] as [number[], number[]];
  expect(a).toHaveLength(b.length);
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b[i]!)));
  });
}
const leaves = (dtype: DType): Tensor[] => golden.start.map((value) => tensor(value, { dtype, requiresGrad: true }));
function give(params: readonly Tensor[], step: number): void {
  params.forEach((p, i) => {
    const g = golden.gradients[step]![i]!;
    p.grad = g === null ? null : tensor(g, { dtype: p.dtype });
  });
}

test("Adam, the gradient of the first parameter null once: one step each", () => {
  const params = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
  const opt = new optim.Adam(params, { lr: 0.1 });
  const one = tensor([1]);
  params[1]!.grad = one;
  opt.step();
  params[0]!.grad = one;
  opt.step();
  close([params[0]!.item(), params[1]!.item()], [0.9, 0.8], 1e-6);
  expect([0, 1].map((i) => opt.stateDict().state[i]!.step)).toEqual([1, 2]);
});

describe.each([
  ["float64", 1e-12],
  ["float32", 2e-5],
] as const)("50 steps in %s, a fifth of the gradients null, as PyTorch", (dtype, tolerance) => {
  test.each(titled)("%s", (_, { name, options, places, state }) => {
    const params = leaves(dtype);
    const opt = new optim[name](
      [{ params: params.slice(0, 2) }, { params: params.slice(2), ...golden.second }],
      options,
    );
    golden.gradients.forEach((_, step) => {
      give(params, step);
      opt.step();
      if (step % 10 === 9) close(params.map(plain), places[(step - 9) / 10]!, tolerance);
    });
    const kept = opt.stateDict().state;
    state.forEach((entry, i) => {
      for (const [key, want] of Object.entries(entry)) {
        // PyTorch counts them in RMSprop's state too, where nothing depends on the number.
        if (key === "step" && name === "RMSprop") continue;
        close([plain(kept[i]![key]!)], [want], tolerance);
      }
    });
  });
});

describe.each(["float64", "float32", "bfloat16", "float16"] as const)("each parameter as if alone, %s", (dtype) => {
  test.each([...titled, ["Lion", { name: "Lion", options: { lr: 0.1, weightDecay: 0.1 } }] as const])(
    "%s",
    (_, { name, options }) => {
      const [together, alone] = [leaves(dtype), leaves(dtype)];
      const opt = new optim[name](together, options);
      const each = alone.map((p) => new optim[name]([p], options));
      golden.gradients.forEach((_, step) => {
        give(together, step);
        give(alone, step);
        opt.step();
        for (const one of each) one.step();
        expect(together.map(plain)).toEqual(alone.map(plain));
      });
      const { state } = opt.stateDict();
      each.forEach((one, i) => expect(JSON.stringify(state[i])).toBe(JSON.stringify(one.stateDict().state[0])));
    },
  );
});

describe("LBFGS takes a null gradient as 0, as PyTorch", () => {
  test.each(golden.lbfgs)("$options", ({ options, places, calls }) => {
    const x = tensor([3, -2], { dtype: "float64", requiresGrad: true });
    const y = tensor([1], { dtype: "float64", requiresGrad: true });
    const opt = new optim.LBFGS([x, y], options);
    let called = 0;
    const closure = (): number => {
      opt.zeroGrad();
      const bowl = x.square().sum().add(y.sub(2).square().sum());
      const loss = bowl.add(x.sum().mul(y).sum().mul(0.5));
      loss.backward();
      if (++called % 5 === 2) y.grad = null;
      return loss.item();
    };
    for (const want of places) {
      opt.step(closure);
      close([x.toArray(), y.toArray()], want, 1e-7);
    }
    expect(called).toBe(calls);
  });
});
