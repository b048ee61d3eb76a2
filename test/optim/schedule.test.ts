import { readFileSync } from "node:fs";
import { optim, tensor } from "nabla";
import { describe, expect, test } from "vitest";

interface Golden {
  readonly name: Name;
  readonly options: object;
  readonly rates: number[][];
}
type Name = Exclude<Extract<keyof typeof optim, `${string}LR`>, "LRScheduler" | "SequentialLR">;
const golden: {
  schedules: Golden[];
  restarts: { options: optim.CosineAnnealingWarmRestartsOptions; rates: number[][] }[];
  sequence: number[][];
  metrics: string[];
  plateaus: { options: optim.ReduceLROnPlateauOptions; rates: number[][] }[];
} = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

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

  test.each(golden.schedules)("$name $options goes on from a state, which writes no rates", (row) => {
    const { name, options, rates } = row;
    const from = sgd(0.1, 0.5);
    const first = make(name, from, options);
    for (let i = 0; i < 4; i++) first.step();
    const opt = sgd(7, 8);
    const second = make(name, opt, options);
    const before = second.getLastLr();
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())));
    expect(second.lastEpoch).toBe(4);
    expect(second.getLastLr()).toEqual(before);
    opt.loadStateDict(JSON.parse(JSON.stringify(from.stateDict())));
    expectRates(opt, rates[4]!);
    second.step();
    expectRates(opt, rates[5]!);
  });

  test.each(golden.restarts)("CosineAnnealingWarmRestarts $options", ({ options, rates }) => {
    const opt = sgd(0.1, 0.5);
    const schedule = new optim.CosineAnnealingWarmRestarts(opt, options);
    expectRates(opt, rates[0]!);
    for (const want of rates.slice(1)) {
      schedule.step();
      expectRates(opt, want);
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
  test.each([2, 3, 5, 6])("SequentialLR, also from a state after %i steps", (stop) => {
    let opt = sgd(0.1, 0.5);
    let schedule = sequence(opt);
    expectRates(opt, golden.sequence[0]!);
    golden.sequence.slice(1).forEach((want, i) => {
      if (i === stop) {
        const states = JSON.parse(JSON.stringify([opt.stateDict(), schedule.stateDict()]));
        opt = sgd(7, 8);
        schedule = sequence(opt);
        opt.loadStateDict(states[0]);
        schedule.loadStateDict(states[1]);
      }
      schedule.step();
      expectRates(opt, want);
    });
  });

  test.each(golden.plateaus)("ReduceLROnPlateau $options, also from a state", ({ options, rates }) => {
    const opt = sgd(0.1, 0.5);
    let schedule = new optim.ReduceLROnPlateau(opt, options);
    golden.metrics.forEach((metric, i) => {
      if (i === 4) {
        const state = JSON.parse(JSON.stringify(schedule.stateDict()));
        schedule = new optim.ReduceLROnPlateau(opt, options);
        schedule.loadStateDict(state);
      }
      schedule.step(metric === "inf" ? Number.POSITIVE_INFINITY : Number(metric));
      expectRates(opt, rates[i]!);
    });
  });
});

describe("ReduceLROnPlateau", () => {
  test.each([
    ["min", Number.POSITIVE_INFINITY, [3, 2, 1]],
    ["max", Number.NEGATIVE_INFINITY, [1, 2, 3]],
  ] as const)("%s: a first value of %d is no best one that nothing could better", (mode, first, values) => {
    const opt = sgd(1);
    const schedule = new optim.ReduceLROnPlateau(opt, { mode, patience: 1 });
    for (const value of [first, ...values]) schedule.step(value);
    expect(opt.paramGroups[0]!.lr).toBe(1);
    expect(schedule.stateDict().best).toBe(values.at(-1));
  });
});

describe("a sequence of sequences", () => {
  test("each begins anew at its turn", () => {
    const opt = sgd(1);
    const halve = () => new optim.ExponentialLR(opt, { gamma: 0.5 });
    const pair = () =>
      new optim.SequentialLR(opt, {
        schedulers: [halve(), new optim.LinearLR(opt, { startFactor: 0.25, totalIters: 3 })],
        milestones: [2],
      });
    const schedule = new optim.SequentialLR(opt, { schedulers: [pair(), pair()], milestones: [4] });
    const rates = [opt.paramGroups[0]!.lr];
    for (let i = 0; i < 8; i++) {
      schedule.step();
      rates.push(opt.paramGroups[0]!.lr);
    }
    expect(rates).toEqual([1, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 0.75]);
  });
});

describe("what schedules keep with a group", () => {
  test("initialLr, from the first schedule on, saved with the optimizer", () => {
    const opt = sgd(0.5);
    expect("initialLr" in opt.paramGroups[0]!).toBe(false);
    new optim.LinearLR(opt, { startFactor: 0.5 });
    expect(opt.paramGroups[0]!.initialLr).toBe(0.5);
    const second = new optim.LambdaLR(opt, { lrLambda: () => 2 });
    expect(second.baseLrs).toEqual([0.5]);
    expect(opt.paramGroups[0]!.lr).toBe(1);
    const other = sgd(3);
    other.loadStateDict(JSON.parse(JSON.stringify(opt.stateDict())));
    expect(other.paramGroups[0]).toMatchObject({ lr: 1, initialLr: 0.5 });
    expect(new optim.ExponentialLR(other, { gamma: 0.5 }).baseLrs).toEqual([0.5]);
  });

  test("the bounds of OneCycleLR", () => {
    const opt = new optim.AdamW([tensor([1], { requiresGrad: true })], { betas: [0.5, 0.75] });
    new optim.OneCycleLR(opt, { maxLr: 1, totalSteps: 9, divFactor: 10, finalDivFactor: 10, baseMomentum: 0.7 });
    const group = opt.paramGroups[0]!;
    const bounds = { initialLr: 0.1, maxLr: 1, minLr: 0.01, baseMomentum: 0.7, maxMomentum: 0.95 };
    expect(group).toMatchObject({ ...bounds, betas: [0.95, 0.75] });
    expect(group.lr).toBeCloseTo(0.1, 14);
    expect(opt.stateDict().paramGroups[0]).toMatchObject(bounds);
    // A group in use can be given to another optimizer.
    expect(new optim.AdamW([group]).paramGroups[0]).toEqual(group);
  });

  test("with cycleMomentum: false the momentum rests", () => {
    const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { momentum: 0.5 });
    const schedule = new optim.OneCycleLR(opt, { maxLr: 1, totalSteps: 9, cycleMomentum: false });
    schedule.step();
    expect(opt.paramGroups[0]!.momentum).toBe(0.5);
    expect("maxMomentum" in opt.paramGroups[0]!).toBe(false);
  });

  test("a group that is added later takes part with its own first rate", () => {
    const opt = sgd(1);
    const all = [
      new optim.StepLR(opt, { stepSize: 2, gamma: 0.5 }),
      new optim.LambdaLR(opt, { lrLambda: (epoch) => epoch + 1 }),
    ];
    opt.addParamGroup({ params: [tensor([1], { requiresGrad: true })], lr: 0.25 });
    for (let i = 0; i < 2; i++) for (const schedule of all) schedule.step();
    expect(opt.paramGroups.map(({ lr, initialLr }) => [lr, initialLr])).toEqual([
      [3, 1],
      [0.75, 0.25],
    ]);
    expect(all[1]!.stateDict()).toEqual({ lastEpoch: 2, baseLrs: [1, 0.25] });
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
    ["LinearLR", { startFactor: 0 }, /startFactor is not valid; expected a finite number above 0/],
    ["LinearLR", { endFactor: -1 }, /endFactor is not valid; expected a finite number of at least 0/],
    ["OneCycleLR", { maxLr: 0, totalSteps: 3 }, /maxLr is not valid; expected a finite number above 0/],
    ["OneCycleLR", { maxLr: 1, totalSteps: 3, annealStrategy: "sin" }, /annealStrategy is not valid/],
    ["OneCycleLR", { maxLr: 1, totalSteps: 3, pctStart: 2 }, /pctStart is not valid/],
    ["OneCycleLR", { maxLr: 1, totalSteps: 3, cycleMomentum: 1 }, /cycleMomentum is not valid; expected a boolean/],
    ["OneCycleLR", { maxLr: 1, totalSteps: 3, baseMomentum: -1 }, /baseMomentum is not valid/],
    ["OneCycleLR", { maxLr: 1, totalSteps: 3, maxMomentum: 1 }, /maxMomentum is not valid/],
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

  test("what is no optimizer's, and what is no schedule's", () => {
    const step = new optim.StepLR(opt, { stepSize: 1 });
    const other = new optim.StepLR(sgd(1), { stepSize: 1 });
    refused(() => new optim.CosineAnnealingWarmRestarts(opt, { t0: 0 }), /t0 is not valid/);
    refused(() => new optim.SequentialLR(opt, { schedulers: [], milestones: [] }), /schedulers is not valid/);
    refused(() => new optim.SequentialLR(opt, { schedulers: [other], milestones: [] }), /another optimizer/);
    refused(() => new optim.SequentialLR(opt, { schedulers: [step, step], milestones: [] }), /milestones is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt, { mode: "least" as never }), /mode is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt, { factor: 1 }), /factor is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt, { minLr: [0, 0] }), /minLr is not valid/);
    refused(() => new optim.ReduceLROnPlateau(opt).step("1" as never), /the value is not valid; expected a number/);
    refused(() => new optim.ReduceLROnPlateau(opt).loadStateDict({} as never), /lastEpoch is not valid/);
  });

  test("to cycle the momentum of an optimizer that has none", () => {
    for (const name of ["Adagrad", "LBFGS"] as const) {
      const plain = new optim[name]([tensor([1], { requiresGrad: true })]);
      const options = { maxLr: 1, totalSteps: 9 };
      refused(() => new optim.OneCycleLR(plain, options), /neither momentum nor betas.*cycleMomentum: false/);
      expect("initialLr" in plain.paramGroups[0]!).toBe(false);
      expect(new optim.OneCycleLR(plain, { ...options, cycleMomentum: false }).getLastLr()[0]).toBeCloseTo(1 / 25, 14);
    }
  });

  test("a field of schedules that is no number", () => {
    const group = { params: [tensor([1], { requiresGrad: true })], initialLr: "1" as never };
    refused(() => new optim.SGD([group]), /initialLr is not valid; expected a finite number/);
    const state = sgd(1).stateDict();
    const spoiled = { ...state, paramGroups: [{ ...state.paramGroups[0]!, maxMomentum: Number.NaN }] };
    refused(() => sgd(1).loadStateDict(spoiled), /SGD.loadStateDict: maxMomentum is not valid/);
  });

  test("the state of a sequence with the state of a schedule missing", () => {
    const rates = sgd(1);
    const parts = [new optim.StepLR(rates, { stepSize: 1 }), new optim.StepLR(rates, { stepSize: 1 })];
    const schedule = new optim.SequentialLR(rates, { schedulers: parts, milestones: [2] });
    const state = { lastEpoch: 5, baseLrs: [3] };
    refused(
      () => schedule.loadStateDict(state as never),
      /schedulers is not valid; expected the states of 2 schedules/,
    );
    refused(() => schedule.loadStateDict({ ...state, schedulers: [state, {}] } as never), /lastEpoch is not valid/);
    expect([schedule.lastEpoch, parts[0]!.lastEpoch, schedule.baseLrs]).toEqual([0, 0, [1]]);
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
