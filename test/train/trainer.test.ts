import { getEventListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Callback,
  DataLoader,
  defineJob,
  type EvaluateEvent,
  fromIterable,
  nn,
  optim,
  type StepEvent,
  type TrainEvent,
  Trainer,
  tensor,
  zeros,
} from "nabla";
import { describe, expect, test } from "vitest";
import { bitsOf, crossEntropy, eventsOf, perceptron, rowsOf } from "./common.js";

const data = rowsOf(40);
const job = defineJob({
  args: { width: 8 },
  model: ({ width }) => perceptron(width),
  data: () => ({ train: data, test: rowsOf(11) }),
  loss: (model, [x, y]) => {
    const output = model.forward(x);
    return { loss: nn.functional.crossEntropy(output, y), output, log: { largest: output.amax() } };
  },
  metrics: { accuracy: (output, [, y]) => output.argmax(1).eq(y) },
  batch: 8,
  epochs: 2,
  lr: 0.05,
  shards: 2,
});
const steps = (events: readonly TrainEvent[]): StepEvent[] => events.filter((event) => event.type === "step");

test("two runs of a job are the same, and another seed is another run", async () => {
  const losses = async (seed?: number) => steps(await eventsOf(new Trainer(job, { seed }))).map(({ loss }) => loss);
  const first = await losses();
  expect(first).toHaveLength(10);
  expect(await losses()).toEqual(first);
  expect(await losses(1)).not.toEqual(first);
});

test("the result says what the run has come to", async () => {
  const trainer = new Trainer(job);
  const result = await trainer.fit();
  expect(result).toMatchObject({ reason: "finished", step: 10, weights: "last", checkpoint: null, unsaved: null });
  expect(result.history.map(({ step }) => step)).toEqual([5, 10]);
  expect(result.metrics).toBe(result.history[1]!.metrics);
  expect(Object.keys(result.metrics)).toEqual(["test.loss", "test.accuracy"]);
  const best = result.history.reduce((a, b) => (b.metrics["test.loss"]! < a.metrics["test.loss"]! ? b : a));
  expect(result.best).toEqual({ step: best.step, value: best.metrics["test.loss"], path: null });
  const held = rowsOf(11);
  const [x, y] = [held.tensors[0], held.tensors[1]];
  const output = result.model.forward(x);
  expect(result.metrics["test.accuracy"]).toBeCloseTo(output.argmax(1).eq(y).to("float64").mean().item(), 12);
  expect(result.metrics["test.loss"]).toBeCloseTo(nn.functional.crossEntropy(output, y).item(), 5);
  await expect(trainer.fit()).rejects.toThrow(/fit has been called before/);
});

describe("losses as sums and counts", () => {
  /** Rows that count 1, 2, 3, 4 times; a batch of 8 of them is 2 shards, or 4 batches in a step. */
  const weighted = defineJob({
    model: () => perceptron(),
    data: () => ({ train: new DataLoader(data, { batchSize: 8 }) }),
    loss: (model, [x, y]) => {
      const weight = y.add(1).to("float32");
      const losses = nn.functional.crossEntropy(model.forward(x), y, { reduction: "none" });
      return { sum: losses.mul(weight).sum(), count: weight.sum() };
    },
    steps: 5,
    lr: 0.1,
    optimizer: (parameters, { lr }) => new optim.SGD(parameters, { lr }),
  });
  const weightsOf = async (options: object) => {
    const { model } = await new Trainer(weighted, options).fit();
    return model.parameters().flatMap((p) => p.toTypedArray());
  };

  test("have exact means over shards and over the batches of a step", async () => {
    const whole = await weightsOf({ shards: 1 });
    const near = (other: typeof whole) =>
      whole.forEach((x, i) => {
        x.forEach((value, k) => {
          expect(Number(other[i]![k])).toBeCloseTo(Number(value), 5);
        });
      });
    near(await weightsOf({ shards: 3 }));
    const small = defineJob({ ...weighted, data: () => ({ train: new DataLoader(data, { batchSize: 2 }) }) });
    const { model } = await new Trainer(small, { accumulate: 4, shards: 1 }).fit();
    near(model.parameters().flatMap((p) => p.toTypedArray()));
    const sharded = await new Trainer(small, { accumulate: 4, shards: 2 }).fit();
    near(sharded.model.parameters().flatMap((p) => p.toTypedArray()));
  });

  test("the last step of an epoch has the batches that are left", async () => {
    const events = await eventsOf(new Trainer(job, { accumulate: 3, epochs: 2 }));
    expect(steps(events).map(({ rows, epoch }) => [rows, epoch])).toEqual([
      [24, 0],
      [16, 0],
      [24, 1],
      [16, 1],
    ]);
  });

  test("a count of nothing is an error", async () => {
    const empty = defineJob({ ...weighted, loss: (model, [x]) => ({ sum: model.forward(x).sum(), count: 0 }) });
    await expect(new Trainer(empty).fit()).rejects.toThrow(/the loss is a mean of nothing/);
    const odd = defineJob({ ...weighted, loss: (model, [x]) => ({ sum: model.forward(x).sum(), count: -1 }) });
    await expect(new Trainer(odd).fit()).rejects.toThrow(
      /count .*not valid; expected a finite number of at least 0, got -1/,
    );
  });
});

test.each([
  [
    "metrics without an output",
    { ...job, loss: crossEntropy },
    /metrics need the model's output; expected a loss that returns \{ loss, output \}/,
  ],
  [
    "a loss of several elements",
    { ...job, metrics: undefined, loss: (m: nn.Sequential, [x]: [typeof one]) => m.forward(x) },
    /what loss returns must have one element/,
  ],
  ["no data", { model: job.model, loss: job.loss, args: job.args }, /the job has no data/],
  ["no training set", { ...job, data: () => ({ test: data }) }, /data gives no training set/],
  ["an empty set", { ...job, data: () => ({ train: [] }) }, /the data set is empty/],
  ["a set with a dot", { ...job, data: () => ({ train: data, "a.b": data }) }, /the name of a set is not valid/],
  ["a loader and a batch", { ...job, data: () => ({ train: new DataLoader(data) }) }, /batch contradicts data/],
  [
    "one loader for two sets",
    { ...job, batch: undefined, data: () => ({ train: shared, test: shared }) },
    /test is the loader of train/,
  ],
  [
    "an unknown metric",
    { ...job, stop: { metric: "test.acc", patience: 1 } },
    /no evaluation gives "test\.acc"; expected test\.loss, test\.accuracy/,
  ],
  [
    "nothing to stop by",
    { ...job, data: () => ({ train: data }), stop: { metric: "test.loss", patience: 1 } },
    /expected none, as data has no set but train/,
  ],
  [
    "an accumulation longer than an epoch",
    { ...job, accumulate: 6 },
    /accumulate leaves no whole step; expected at most the 5 batches of an epoch, got 6/,
  ],
  ["an optimizer that is none", { ...job, optimizer: () => 1 }, /what optimizer returns is not valid/],
  ["a schedule that is none", { ...job, schedule: () => [1] }, /what schedule returns is not valid/],
  [
    "a schedule that needs evaluations",
    { ...job, data: () => ({ train: data }), schedule: (o: optim.Scheduled) => new optim.ReduceLROnPlateau(o) },
    /ReduceLROnPlateau needs evaluations/,
  ],
  ["args that cannot be saved", { ...job, args: { width: 8, f: () => 1 } }, /args cannot be saved/],
  ["workers without a module", { ...job, workers: 1 }, /workers cannot get a job without a module/],
  ["a model that is none", { ...job, model: () => 3 }, /the job's model is no Module/],
  [
    "an epoch without a batch",
    { ...job, batch: undefined, data: () => ({ train: silent }) },
    /an epoch of the data has no batch/,
  ],
  [
    "a set to evaluate without a batch",
    { ...job, data: () => ({ train: data, test: silent }) },
    /an evaluation of test has no batch/,
  ],
  ["a batch without tensors", { ...job, data: () => ({ train: ["a", "b"] }) }, /the batch holds no tensor/],
  [
    "an evaluation without tensors",
    { ...job, data: () => ({ train: data, test: ["a"] }) },
    /the batch holds no tensor/,
  ],
  [
    "a last step whose batches count nothing",
    {
      ...job,
      metrics: undefined,
      accumulate: 6,
      epochs: 1,
      data: () => ({ train: ten }),
      loss: (m: nn.Sequential, [x]: [typeof one]) => ({ sum: m.forward(x).sum(), count: batches++ < 12 ? 1 : 0 }),
    },
    /the loss is a mean of nothing/,
  ],
])("%s is an error", async (_, wrong, sentence) => {
  const run = async () => new Trainer(wrong as never).fit();
  await expect(run()).rejects.toThrow(
    expect.objectContaining({ op: "Trainer", message: expect.stringMatching(sentence) }),
  );
});
const one = zeros([1]);
const shared = new DataLoader(data);
const ten = rowsOf(10 * 8);
/** Of two shards each. */
let batches = 0;
const silent = { stateDict: () => 0, loadStateDict: () => undefined, async *[Symbol.asyncIterator]() {} };

describe("events", () => {
  test("come in order, with what a step was", async () => {
    const events = await eventsOf(new Trainer(job, { clip: 0.1, evaluate: { every: { steps: 4 } } }));
    const order = events.map(({ type }) => type);
    expect(order.join(" ")).toBe(
      "start step step step step evaluate step step step step evaluate step step evaluate end",
    );
    expect(events[0]).toMatchObject({ run: null, step: 0, epoch: 0, resumedFrom: null, parameters: 59, steps: 10 });
    const [first] = steps(events);
    expect(first).toMatchObject({ step: 1, epoch: 0, lr: 0.05, rows: 8, log: { largest: expect.any(Number) } });
    expect(first!.gradNorm).toBeGreaterThan(0.1);
  });

  test("a slow reader loses steps, and counts them; nothing else", async () => {
    const long = new Trainer(job, { epochs: 300, evaluate: { every: { epochs: 100 } } });
    const [late, never] = [long.events(), long.events()];
    void never;
    await long.fit();
    const read: TrainEvent[] = [];
    for await (const event of late) read.push(event);
    const left = steps(read);
    expect(left).toHaveLength(1024);
    expect(left[0]).toMatchObject({ step: 1500 - 1024 + 1, missed: 1500 - 1024 });
    expect(left[1]!.missed).toBe(0);
    expect(read.filter(({ type }) => type === "evaluate").map(({ step }) => step)).toEqual([500, 1000, 1500]);
    expect(read.at(-1)).toMatchObject({ type: "end", step: 1500 });
    for await (const _ of long.events()) expect.fail("the run is over");
  });

  test("a reader may leave", async () => {
    const trainer = new Trainer(job);
    const done = trainer.fit();
    const stream = trainer.events();
    for await (const event of stream) if (event.type === "step") break;
    expect((await done).step).toBe(10);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});

describe("callbacks", () => {
  test("are called in order, and may ask for an evaluation, and for the end", async () => {
    const calls: string[] = [];
    const callback: Callback = {
      name: "calls",
      onStart: ({ step }) => void calls.push(`start ${step}`),
      beforeStep: ({ step, model }) => void calls.push(`before ${step} ${model.parameters()[0]!.grad !== null}`),
      afterStep: async ({ step }, control) => {
        await Promise.resolve();
        calls.push(`after ${step} ${control.step}`);
        if (step === 2) control.evaluate();
        if (step === 3) control.stop();
      },
      onEvaluate: ({ step }) => void calls.push(`evaluate ${step}`),
      onEnd: ({ reason }) => void calls.push(`end ${reason}`),
      close: () => void calls.push("close"),
    };
    const result = await new Trainer(job, { callbacks: [callback] }).fit();
    expect(calls).toEqual([
      ...["start 0", "before 0 true", "after 1 1", "before 1 true", "after 2 2", "evaluate 2"],
      ...["before 2 true", "after 3 3", "end stopped", "close"],
    ]);
    expect(result).toMatchObject({ reason: "stopped", step: 3 });
  });

  test("need names of their own", async () => {
    await expect(new Trainer(job, { callbacks: [{ name: "a" }, { name: "a" }] }).fit()).rejects.toThrow(
      /two callbacks have one name/,
    );
    await expect(new Trainer(job, { callbacks: [{} as Callback] }).fit()).rejects.toThrow(/the name of a callback/);
  });

  test.each(["onStart", "beforeStep", "afterStep", "onEvaluate", "onEnd", "observe"])("%s may throw", async (where) => {
    const callback = {
      name: "throws",
      [where]: () => {
        throw new RangeError("enough of this");
      },
    };
    await expect(new Trainer(job, { callbacks: [callback] }).fit()).rejects.toThrow(new RangeError("enough of this"));
  });
});

describe("signals", () => {
  test("an abort is met between two batches, and leaves no listener", async () => {
    const controller = new AbortController();
    const callback: Callback = { name: "aborts", afterStep: ({ step }) => void (step === 3 && controller.abort()) };
    const result = await new Trainer(job, { callbacks: [callback] }).fit({ signal: controller.signal });
    expect(result).toMatchObject({ reason: "aborted", step: 3 });
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    const none = await new Trainer(job).fit({ signal: AbortSignal.abort() });
    expect(none).toMatchObject({ reason: "aborted", step: 0 });
  });

  test("a timer has its turn while the run goes on", async () => {
    const trainer = new Trainer(job, { epochs: 100_000 });
    setTimeout(() => trainer.stop(), 100);
    expect(await trainer.fit()).toMatchObject({ reason: "stopped" });
  });

  test("data that never comes does not hold up the end, and is told", async () => {
    let told = false;
    const waiting = defineJob({
      ...job,
      batch: undefined,
      data: ({ signal }) => {
        signal.addEventListener("abort", () => {
          told = true;
        });
        const loader = new DataLoader(data, { batchSize: 8 });
        return {
          train: {
            stateDict: () => loader.stateDict(),
            loadStateDict: () => undefined,
            async *[Symbol.asyncIterator]() {
              for await (const batch of loader) {
                yield batch;
                if (loader.stateDict().position === 2) await new Promise(() => undefined);
              }
            },
          },
        };
      },
    });
    const result = await new Trainer(waiting).fit({ signal: AbortSignal.timeout(200) });
    expect(result).toMatchObject({ reason: "aborted", step: 2 });
    expect(told).toBe(true);
  });
});

test("a stream is data, whose run goes on where it stopped", async () => {
  const out = await mkdtemp(join(tmpdir(), "nabla-stream-"));
  const streamed = defineJob({
    ...job,
    batch: undefined,
    metrics: undefined,
    loss: crossEntropy,
    data: () => ({
      train: fromIterable(
        async function* () {
          for (let i = 0; i < 20; i++) yield data.at(i);
        },
        { batchSize: 8 },
      ),
    }),
    epochs: 3,
  });
  const whole = await new Trainer(streamed).fit();
  expect(whole).toMatchObject({ reason: "finished", step: 9 });
  const stopping: Callback = {
    name: "stopping",
    afterStep: ({ step }, control) => void (step === 5 && control.stop()),
  };
  await new Trainer(streamed, { out, callbacks: [stopping] }).fit();
  const events = await eventsOf(new Trainer(streamed, { out, resume: true }));
  expect(events[0]).toMatchObject({ step: 5, epoch: 1, steps: null });
  const { model, step } = await new Trainer(streamed, { out, resume: true }).fit();
  expect(step).toBe(9);
  expect(bitsOf(model)).toEqual(bitsOf(whole.model));
  await rm(out, { recursive: true });
});

test("evaluations read their sets from the start, in the same order, and a set that waits does not hold up the end", async () => {
  const orders: string[] = [];
  const held = new DataLoader(rowsOf(11), { batchSize: 4, shuffle: true });
  const watched = defineJob({
    ...job,
    data: () => ({ train: data, held }),
    metrics: {
      order: (_, [x]) => {
        orders.push(x.toArray().join());
        return 0;
      },
    },
  });
  await new Trainer(watched).fit();
  expect(orders).toHaveLength(6);
  expect(orders.slice(3)).toEqual(orders.slice(0, 3));
  const waiting = { ...silent, [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
  const waits = defineJob({ ...job, data: () => ({ train: data, held: waiting }) } as never);
  const result = await new Trainer(waits).fit({ signal: AbortSignal.timeout(200) });
  expect(result).toMatchObject({ reason: "aborted", step: 5 });
});

describe("what the job asks for", () => {
  test("early stopping counts evaluations without progress", async () => {
    const stop = { metric: "test.accuracy", patience: 2, minDelta: 1 };
    const result = await new Trainer(job, { epochs: 50, stop }).fit();
    expect(result).toMatchObject({ reason: "stopped", step: 15 });
  });

  test("evaluations use the averaged weights, which the model does not keep", async () => {
    const averages: EvaluateEvent[] = [];
    const weights: Record<string, string>[] = [];
    const callback: Callback = {
      name: "ema",
      afterStep: (_, { model }) => void weights.push(bitsOf(model)),
      onEvaluate: (event, { model }) => {
        averages.push(event);
        expect(bitsOf(model)).toEqual(weights.at(-1));
      },
    };
    const options = { epochs: 1, shards: 1, callbacks: [callback] };
    const plain = await new Trainer(job, options).fit();
    const averaged = await new Trainer(job, { ...options, ema: 0.75 }).fit();
    expect(bitsOf(averaged.model)).toEqual(bitsOf(plain.model));
    expect(averaged.metrics["test.loss"]).not.toBe(plain.metrics["test.loss"]);
    // The average by hand: the first weights, then a quarter of each.
    const numbers = weights.slice(5).map((step) => Object.values(step).flatMap((text) => text.split(",").map(Number)));
    const mean = numbers.reduce((a, b) => a.map((x, i) => 0.75 * x + 0.25 * b[i]!));
    const model = perceptron();
    let at = 0;
    for (const p of model.parameters()) {
      p.detach().assign(tensor(mean.slice(at, at + p.numel)).reshape([...p.shape]));
      at += p.numel;
    }
    const held = rowsOf(11);
    const loss = nn.functional.crossEntropy(model.forward(held.tensors[0]), held.tensors[1]).item();
    expect(averaged.metrics["test.loss"]).toBeCloseTo(loss, 5);
  });

  test("schedules step with the optimizer, or on a plateau with evaluations", async () => {
    const scheduled = defineJob({
      ...job,
      schedule: (optimizer, { steps, epochs, lr }) => {
        expect([steps, epochs, lr]).toEqual([10, 2, 0.05]);
        return new optim.LinearLR(optimizer, { startFactor: 1, endFactor: 0.5, totalIters: steps });
      },
    });
    const rates = steps(await eventsOf(new Trainer(scheduled))).map(({ lr }) => lr);
    rates.forEach((rate, i) => {
      expect(rate).toBeCloseTo(0.05 * (1 - i / 20), 10);
    });
    const plateau = defineJob({
      ...job,
      schedule: (optimizer) => new optim.ReduceLROnPlateau(optimizer, { patience: 0, threshold: 0.9, factor: 0.5 }),
    });
    const fallen = steps(await eventsOf(new Trainer(plateau, { epochs: 3 }))).map(({ lr }) => lr);
    expect(fallen).toEqual([...Array(10).fill(0.05), ...Array(5).fill(0.025)]);
  });

  test("options replace the job's fields, members of args one by one", async () => {
    const result = await new Trainer(job, { args: { width: 5 }, steps: 3 }).fit();
    expect(result.step).toBe(3);
    expect(result.model.parameters()[0]!.shape).toEqual([5, 3]);
  });
});

test.each([{}, 3, null, { aborted: false, addEventListener() {} }])(
  "a signal that is none, %j, is ERR_ARGUMENT",
  async (signal) => {
    await expect(new Trainer(job).fit({ signal: signal as never })).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      message: expect.stringContaining("signal is not valid; expected an AbortSignal"),
    });
  },
);
