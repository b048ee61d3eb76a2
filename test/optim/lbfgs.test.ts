import { readFileSync } from "node:fs";
import { optim, scope, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";

interface Golden {
  lbfgs: { options: optim.LbfgsOptions; steps: { loss: number; at: [number, number] }[] }[];
  restarts: { options: optim.CosineAnnealingWarmRestartsOptions; rates: number[][] }[];
  sequence: number[][];
  metrics: string[];
  plateaus: { options: optim.ReduceLROnPlateauOptions; rates: number[][] }[];
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

const sgd = (): optim.SGD =>
  new optim.SGD(
    [0.1, 0.5].map((lr) => ({ params: [tensor([1], { requiresGrad: true })], lr })),
    {},
  );
const rates = (opt: optim.SGD): number[] => opt.paramGroups.map(({ lr }) => lr);

describe("schedules as PyTorch", () => {
  test.each(golden.restarts)("CosineAnnealingWarmRestarts $options", ({ options, rates: want }) => {
    const opt = sgd();
    const schedule = new optim.CosineAnnealingWarmRestarts(opt, options);
    near(rates(opt), want[0]!, 1e-14);
    for (const next of want.slice(1)) {
      schedule.step();
      near(rates(opt), next, 1e-14);
    }
  });

  const sequence = (opt: optim.SGD): optim.SequentialLR =>
    new optim.SequentialLR(opt, {
      schedulers: [
        new optim.LinearLR(opt, { startFactor: 0.25, totalIters: 3 }),
        new optim.ExponentialLR(opt, { gamma: 0.9 }),
        new optim.StepLR(opt, { stepSize: 2 }),
      ],
      milestones: [3, 6],
    });
  test("SequentialLR, also from a state", () => {
    let opt = sgd();
    let schedule = sequence(opt);
    near(rates(opt), golden.sequence[0]!, 1e-14);
    golden.sequence.slice(1).forEach((want, i) => {
      if (i === 5) {
        const state = JSON.parse(JSON.stringify(schedule.stateDict()));
        opt = sgd();
        schedule = sequence(opt);
        schedule.loadStateDict(state);
      }
      schedule.step();
      near(rates(opt), want, 1e-14);
    });
  });

  test.each(golden.plateaus)("ReduceLROnPlateau $options, also from a state", ({ options, rates: want }) => {
    const opt = sgd();
    let schedule = new optim.ReduceLROnPlateau(opt, options);
    golden.metrics.forEach((metric, i) => {
      if (i === 4) {
        const state = JSON.parse(JSON.stringify(schedule.stateDict()));
        schedule = new optim.ReduceLROnPlateau(opt, options);
        schedule.loadStateDict(state);
      }
      schedule.step(metric === "inf" ? Number.POSITIVE_INFINITY : Number(metric));
      near(rates(opt), want[i]!, 1e-14);
    });
  });

  test("what is refused", () => {
    const opt = sgd();
    const refused = (f: () => unknown, message: RegExp): void =>
      expect(f).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringMatching(message) }));
    const step = new optim.StepLR(opt, { stepSize: 1 });
    const other = new optim.StepLR(sgd(), { stepSize: 1 });
    refused(() => new optim.CosineAnnealingWarmRestarts(opt, { t0: 0 }), /t0 is not valid/);
    refused(() => new optim.SequentialLR(opt, { schedulers: [], milestones: [] }), /schedulers is not valid/);
    refused(() => new optim.SequentialLR(opt, { schedulers: [other], milestones: [] }), /another optimizer/);
    refused(() => new optim.SequentialLR(opt, { schedulers: [step, step], milestones: [] }), /milestones is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt, { mode: "least" as never }), /mode is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt, { factor: 1 }), /factor is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt, { minLr: [0] }), /minLr is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt).step("1" as never), /must be a number/);
    refused(() => new optim.ReduceLROnPlateau(opt).loadStateDict({} as never), /lastEpoch is not valid/);
  });
});
