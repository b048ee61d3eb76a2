import { readFileSync } from "node:fs";
import { optim, scope, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";

interface Golden {
  lbfgs: { options: optim.LbfgsOptions; steps: { loss: number; at: [number, number] }[] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

function valley(options: optim.LbfgsOptions, from: readonly [number, number] = [-1.2, 1]) {
  const [x, y] = from.map((v) => tensor([v], { dtype: "float64", requiresGrad: true })) as [Tensor, Tensor];
  const opt = new optim.LBFGS([x, y], options);
  const step = (): number =>
    opt
      .step(() => {
        opt.zeroGrad();
        const loss = x.neg().add(1).square().add(y.sub(x.square()).square().mul(100)).sum();
        loss.backward();
        return loss;
      })
      .item();
  return { opt, step, at: (): [number, number] => [x.item(), y.item()] };
}
const near = (got: readonly number[], want: readonly number[], tolerance: number): void =>
  got.forEach((value, i) => {
    expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(want[i]!)));
  });

describe("LBFGS on Rosenbrock's valley", () => {
  test.each(golden.lbfgs)("as PyTorch with $options", ({ options, steps }) => {
    const { step, at } = valley(options);
    for (const want of steps) {
      near([step()], [want.loss], 1e-7);
      near(at(), want.at, 1e-7);
    }
  });

  test("arrives", () => {
    const { step, at } = valley({
      lineSearchFn: "strongWolfe",
      maxIter: 60,
      toleranceGrad: 1e-10,
      toleranceChange: 1e-16,
    });
    step();
    near(at(), [1, 1], 1e-6);
  });

  test("a state taken midway leads to the same end, also from inside a scope", () => {
    const options = { lineSearchFn: "strongWolfe", maxIter: 4 } as const;
    const first = valley(options);
    scope(() => {
      first.step();
    });
    const second = valley(options, first.at());
    second.opt.loadStateDict(first.opt.stateDict());
    for (let i = 0; i < 2; i++) expect(second.step()).toBe(first.step());
    expect(second.at()).toEqual(first.at());
  });

  const counted = (options: optim.LbfgsOptions, f: (x: Tensor) => Tensor): number[] => {
    const x = tensor([-1.2, 1], { dtype: "float64", requiresGrad: true });
    const opt = new optim.LBFGS([x], options);
    return Array.from({ length: 4 }, () => {
      let calls = 0;
      opt.step(() => {
        calls++;
        opt.zeroGrad();
        const loss = f(x);
        loss.backward();
        return loss;
      });
      return calls;
    });
  };
  const rosenbrock = (x: Tensor): Tensor =>
    x
      .at(0)
      .neg()
      .add(1)
      .square()
      .add(x.at(1).sub(x.at(0).square()).square().mul(100));
  // No step along a line is long enough for its search: the slope stays.
  const slope = (x: Tensor): Tensor => x.sum();
  test.each([1, 2, 3, 4, 6, 9, 30, 60])("a step calls the closure at most maxEval = %i times", (maxEval) => {
    for (const lineSearchFn of ["strongWolfe", null] as const)
      for (const f of [rosenbrock, slope]) {
        const calls = counted({ maxEval, maxIter: 12, lr: 1e-3, lineSearchFn }, f);
        expect(Math.max(...calls)).toBeLessThanOrEqual(maxEval);
      }
    expect(counted({ maxEval, lineSearchFn: "strongWolfe" }, slope)[0]).toBe(maxEval);
  });
  test("by default maxEval is 5 / 4 of maxIter", () => {
    expect(counted({ maxIter: 10, lineSearchFn: "strongWolfe" }, slope)[0]).toBe(12);
  });

  test("a state keeps maxEval, also the default in place of a number", () => {
    const w = (): Tensor[] => [tensor([1], { requiresGrad: true })];
    for (const maxEval of [null, 6, 7]) {
      const saved = JSON.parse(JSON.stringify(new optim.LBFGS(w(), { maxEval }).stateDict()));
      const opt = new optim.LBFGS(w(), { maxEval: 6 });
      opt.loadStateDict(saved);
      expect(opt.paramGroups[0]!.maxEval).toBe(maxEval);
    }
  });

  test("what is refused", () => {
    const w = tensor([1], { requiresGrad: true });
    const refused = (f: () => unknown, message: RegExp): void =>
      expect(f).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringMatching(message) }));
    refused(() => new optim.LBFGS([w]).step(), /needs a closure/);
    refused(() => new optim.LBFGS([w]).step(() => "loss"), /must return the loss/);
    refused(() => new optim.LBFGS([w], { maxIter: 0 }), /maxIter is not valid/);
    refused(() => new optim.LBFGS([w], { lineSearchFn: "armijo" as never }), /lineSearchFn is not valid/);
    refused(() => new optim.LBFGS([w]).addParamGroup({ params: [w] }), /one group/);
    refused(
      () => new optim.LBFGS([w]).loadStateDict({ state: { 0: {} }, paramGroups: [{ params: [0] }] }),
      /is not valid/,
    );
  });
});
