import { readFileSync } from "node:fs";
import { optim, tensor } from "nabla";
import { describe, expect, test } from "vitest";

interface Golden {
  readonly name: Name;
  readonly options: object;
  readonly rates: number[][];
}
type Name = Exclude<Extract<keyof typeof optim, `${string}LR`>, "LRScheduler" | "SequentialLR">;
const golden: { schedules: Golden[] } = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

const sgd = (...rates: number[]): optim.SGD =>
  new optim.SGD(
    rates.map((lr) => ({ params: [tensor([1], { requiresGrad: true })], lr })),
    {},
  );
const inverse = (epoch: number): number => 1 / (1 + epoch);
function make(name: Name, opt: optim.Optimizer, options: object): optim.LRScheduler {
  const given = name === "LambdaLR" ? { lrLambda: inverse } : options;
  return new optim[name](opt as never, given as never);
}
const expectRates = (opt: optim.SGD, want: readonly number[]): void =>
  opt.paramGroups.forEach(({ lr }, g) => expect(lr).toBeCloseTo(want[g]!, 14));

test("every schedule is compared", () => {
  const all = Object.keys(optim).filter((name) => name.endsWith("LR") && name !== "SequentialLR");
  expect(new Set(golden.schedules.map(({ name }) => name as string))).toEqual(new Set(all));
});

describe("as PyTorch", () => {
  test.each(golden.schedules.map((row) => [`${row.name} ${JSON.stringify(row.options)}`, row] as const))(
    "%s",
    (_, { name, options, rates }) => {
      const opt = sgd(0.1, 0.5);
      const schedule = make(name, opt, options);
      expectRates(opt, rates[0]!);
      for (const want of rates.slice(1)) {
        schedule.step();
        expectRates(opt, want);
        expect(schedule.getLastLr()).toEqual(opt.paramGroups.map(({ lr }) => lr));
      }
    },
  );

  test.each(golden.schedules)("$name $options goes on from a state", ({ name, options, rates }) => {
    const first = make(name, sgd(0.1, 0.5), options);
    for (let i = 0; i < 4; i++) first.step();
    const opt = sgd(7, 8);
    const second = make(name, opt, options);
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())));
    expect(second.lastEpoch).toBe(4);
    expectRates(opt, rates[4]!);
    second.step();
    expectRates(opt, rates[5]!);
  });
});

describe("what is refused", () => {
  const opt = sgd(1);
  const refused = (f: () => unknown, text: RegExp): void => {
    expect(f).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringMatching(text) }));
  };
  test.each([
    ["StepLR", { stepSize: 0 }, /^StepLR: stepSize is not valid/],
    ["StepLR", {}, /stepSize is not valid/],
    ["StepLR", { stepSize: 2, gama: 1 }, /did you mean "gamma"/],
    ["MultiStepLR", { milestones: 3 }, /milestones is not valid/],
    ["MultiStepLR", { milestones: [1.5] }, /a milestone is not valid/],
    ["ExponentialLR", { gamma: Number.NaN }, /gamma is not valid/],
    ["CosineAnnealingLR", { tMax: -1 }, /tMax is not valid/],
    ["CosineAnnealingLR", { tMax: 3, etaMin: "0" }, /etaMin is not valid/],
    ["LinearLR", { totalIters: 0 }, /totalIters is not valid/],
    ["LinearLR", { startFactor: Number.POSITIVE_INFINITY }, /startFactor is not valid/],
    ["OneCycleLR", { maxLr: 0, totalSteps: 3 }, /maxLr is not valid; expected a finite number above 0/],
    ["OneCycleLR", { maxLr: 1, totalSteps: 3, annealStrategy: "sin" }, /annealStrategy is not valid/],
    ["OneCycleLR", { maxLr: 1, totalSteps: 3, pctStart: 2 }, /pctStart is not valid/],
  ] as const)("%s %o", (name, options, text) => {
    refused(() => new optim[name](opt as never, options as never), text);
  });

  test("no optimizer, no function, a factor that is no number", () => {
    refused(() => new optim.StepLR([] as never, { stepSize: 1 }), /expected an optimizer/);
    refused(() => new optim.LambdaLR(opt, { lrLambda: 3 as never }), /lrLambda is not valid/);
    refused(() => new optim.LambdaLR(opt, { lrLambda: [inverse, inverse] }), /or 1 of them/);
    const schedule = new optim.LambdaLR(opt, { lrLambda: (epoch) => (epoch === 0 ? 1 : Number.NaN) });
    refused(() => schedule.step(), /the factor is not valid/);
    expect(schedule.lastEpoch).toBe(0);
    expect(opt.paramGroups[0]!.lr).toBe(1);
  });

  test("a step past the cycle", () => {
    const schedule = new optim.OneCycleLR(sgd(1), { maxLr: 1, totalSteps: 2 });
    schedule.step();
    schedule.step();
    refused(() => schedule.step(), /the cycle is over/);
  });

  test.each([
    [{}, /lastEpoch is not valid/],
    [{ lastEpoch: 1.5, baseLrs: [1] }, /lastEpoch is not valid/],
    [{ lastEpoch: 1, baseLrs: [1, 2] }, /baseLrs is not valid; expected 1 numbers/],
    [{ lastEpoch: 1, baseLrs: ["1"] }, /baseLrs is not valid/],
    [null, /lastEpoch is not valid/],
  ])("the state %o", (state, text) => {
    const schedule = new optim.StepLR(sgd(1), { stepSize: 1 });
    refused(() => schedule.loadStateDict(state as never), text);
    expect(schedule.lastEpoch).toBe(0);
  });
});
