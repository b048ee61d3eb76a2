import { readFileSync } from "node:fs";
import { optim, tensor } from "nabla";
import { describe, expect, test } from "vitest";

interface Run {
  readonly names: readonly string[];
  readonly options: readonly object[];
  readonly rates: readonly (readonly number[])[];
  readonly momenta?: readonly number[];
}
interface Golden {
  readonly metrics: readonly number[];
  readonly pairs: readonly Run[];
  readonly byHand: readonly Run[];
  readonly sequences: readonly Run[];
  readonly betas: Run;
}
const golden: Golden = JSON.parse(readFileSync(new URL("./schedule-pairs.json", import.meta.url), "utf8"));
const steps = golden.metrics.length;

type Schedule = optim.LRScheduler | optim.ReduceLROnPlateau;
type Simple = "StepLR" | "MultiStepLR" | "ExponentialLR" | "LinearLR" | "CosineAnnealingLR" | "OneCycleLR";
const leaf = () => tensor([1], { requiresGrad: true });
const sgd = (...rates: number[]): optim.SGD =>
  new optim.SGD(
    rates.map((lr) => ({ params: [leaf()], lr })),
    { momentum: 0.9 },
  );
function make(name: string, opt: optim.Scheduled, options: object): Schedule {
  if (name === "LambdaLR") return new optim.LambdaLR(opt, { lrLambda: (epoch) => 1 / (1 + epoch) });
  if (name !== "SequentialLR") return new optim[name as Simple](opt, options as never);
  const { schedulers, milestones } = options as { schedulers: [string, object][]; milestones: number[] };
  const parts = schedulers.map(([part, given]) => make(part, opt, given) as optim.LRScheduler);
  return new optim.SequentialLR(opt, { schedulers: parts, milestones });
}
const makeAll = ({ names, options }: Run, opt: optim.Scheduled): Schedule[] =>
  names.map((name, i) => make(name, opt, options[i]!));
function advance(schedules: readonly Schedule[], step: number): void {
  for (const schedule of schedules)
    if (schedule instanceof optim.ReduceLROnPlateau) schedule.step(golden.metrics[step]!);
    else schedule.step();
}
const near = (got: number, want: number): void => expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-12);
const title = ({ names }: Run): string => names.join(" then ");
const titled = (runs: readonly Run[]) => runs.map((run) => [title(run), run] as const);

/** Runs the schedules, looking at the optimizer before the first step and after each. */
function walk(run: Run, opt: optim.Scheduled, look: (step: number) => void, change?: (step: number) => void): void {
  const schedules = makeAll(run, opt);
  look(0);
  for (let step = 0; step < steps; step++) {
    advance(schedules, step);
    change?.(step);
    look(step + 1);
  }
}

test("every schedule is paired with every other, in both orders, and with another of its kind", () => {
  const all = Object.keys(optim).filter((name) => /LR$|Restarts$|Plateau$/.test(name) && name !== "LRScheduler");
  const titles = all.flatMap((a) => all.map((b) => `${a} then ${b}`));
  expect(new Set(golden.pairs.map(title))).toEqual(new Set(titles));
  expect(steps).toBe(60);
});

describe("two schedules on one optimizer, 60 steps, as PyTorch", () => {
  const sequences = golden.sequences.map((run) => [JSON.stringify(run.options), run] as const);
  test.each([...titled(golden.pairs), ...sequences])("%s", (_, run) => {
    const opt = sgd(0.1, 0.5);
    walk(run, opt, (step) => {
      opt.paramGroups.forEach(({ lr }, g) => near(lr, run.rates[step]![g]!));
      near(opt.paramGroups[0]!.momentum, run.momenta?.[step] ?? 0.9);
    });
  });
});

describe("a rate set by hand, as PyTorch", () => {
  test.each(titled(golden.byHand))("%s", (_, run) => {
    const opt = sgd(0.1, 0.5);
    walk(
      run,
      opt,
      (step) => opt.paramGroups.forEach(({ lr }, g) => near(lr, run.rates[step]![g]!)),
      (step) => {
        if (step === 19) opt.paramGroups[0]!.lr = 0.3;
      },
    );
  });
});

test("OneCycleLR on Adam moves betas[0], as PyTorch", () => {
  const opt = new optim.Adam([leaf()], { betas: [0.5, 0.999] });
  walk(golden.betas, opt, (step) => {
    const { lr, betas } = opt.paramGroups[0]!;
    near(lr, golden.betas.rates[step]![0]!);
    near(betas[0], golden.betas.momenta![step]!);
    expect(betas[1]).toBe(0.999);
  });
});

/** All that a step of the optimizer reads. */
const settings = (opt: optim.Optimizer): string => JSON.stringify(opt.paramGroups.map(({ params, ...rest }) => rest));
const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value));

describe("saved and resumed at every step, the same bits", () => {
  test.each(titled(golden.pairs))("%s", (_, run) => {
    const seen: string[] = [];
    const states: { opt: optim.OptimizerState; schedules: ReturnType<Schedule["stateDict"]>[] }[] = [];
    const opt = sgd(0.1, 0.5);
    const schedules = makeAll(run, opt);
    for (let step = 0; step <= steps; step++) {
      seen.push(settings(opt));
      states.push(throughJson({ opt: opt.stateDict(), schedules: schedules.map((s) => s.stateDict()) }));
      if (step < steps) advance(schedules, step);
    }
    states.forEach((state, start) => {
      const other = sgd(7, 8);
      const resumed = makeAll(run, other);
      other.loadStateDict(state.opt);
      resumed.forEach((schedule, i) => schedule.loadStateDict(state.schedules[i] as never));
      for (let step = start; step < steps; step++) {
        if (settings(other) !== seen[step]) expect(settings(other)).toBe(seen[step]);
        advance(resumed, step);
      }
      expect(settings(other)).toBe(seen[steps]);
      expect(resumed.map((s) => s.stateDict())).toEqual(schedules.map((s) => s.stateDict()));
    });
  });
});
