import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Callback,
  defineJob,
  nn,
  optim,
  type Tensor,
  TensorDataset,
  Trainer,
  type TrainerOptions,
  tensor,
} from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-train-"));
});
afterEach(() => rm(dir, { recursive: true }));

const rows = 29;
const x = tensor(Array.from({ length: rows * 3 }, (_, i) => Math.sin(i * 1.7))).reshape([rows, 3]);
const y = tensor(Array.from({ length: rows }, (_, i) => (i * i) % 3)).to("int64");
const data = new TensorDataset(x, y);

/** A job in which everything has a state that could be lost: 3 epochs of 6 batches, 3 of which are a step. */
const job = defineJob({
  args: { width: 8 },
  model: ({ width }) =>
    new nn.Sequential(
      new nn.Linear(3, width),
      new nn.BatchNorm1d(width),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Linear(width, 3),
    ),
  data: () => ({ train: data, test: data }),
  loss: (model, [x, y]) => {
    const output = model.forward(x);
    const loss = nn.functional.crossEntropy(output, y, { reduction: "sum" });
    return { loss: { sum: loss, count: y.shape[0]! }, output, log: { size: output.abs().mean() } };
  },
  metrics: { accuracy: (output, [, y]) => output.argmax(1).eq(y) },
  batch: 5,
  epochs: 3,
  lr: 0.05,
  clip: 0.5,
  accumulate: 2,
  ema: 0.8,
  optimizer: (parameters, { lr }) => new optim.AdamW(parameters, { lr, weightDecay: 0.1 }),
  schedule: (optimizer, { steps, lr }) => [
    new optim.OneCycleLR(optimizer, { maxLr: lr, totalSteps: steps }),
    new optim.ReduceLROnPlateau(optimizer, { patience: 0, threshold: 0.5 }),
  ],
  evaluate: { every: { steps: 2 } },
  stop: { metric: "test.loss", patience: 100 },
  checkpoint: { best: "test.accuracy" },
  shards: 2,
});

const bits = (state: Readonly<Record<string, Tensor>>): Record<string, string> =>
  Object.fromEntries(Object.entries(state).map(([name, x]) => [name, Array.from(x.toTypedArray(), String).join()]));

async function run(options: TrainerOptions, callbacks: readonly Callback[] = []) {
  const trainer = new Trainer(job, { ...options, callbacks });
  const losses: number[] = [];
  const events = trainer.events();
  const fitted = trainer.fit();
  for await (const event of events) if (event.type === "step") losses.push(event.loss);
  const { model, history, ...rest } = await fitted;
  const evaluations = history.map(({ seconds: _, ...event }) => event);
  return { ...rest, losses, evaluations, weights: bits(model.stateDict()) };
}

describe("a run that is stopped after any batch and goes on has the bits of one that is not", () => {
  test.each([2, 1])("%i shards", { timeout: 120_000 }, async (shards) => {
    const { best, losses, ...whole } = await run({ shards });
    expect(whole).toMatchObject({ reason: "finished", step: 9 });
    expect(new Set(losses).size).toBe(9);
    for (let stopAt = 1; stopAt < 18; stopAt++) {
      const out = join(dir, `${shards}-${stopAt}`);
      let batches = 0;
      // Batches are counted where the loss sees them: the Trainer has no event for one in the middle of a step.
      const stopping = defineJob({
        ...job,
        loss: (net, batch) => {
          if (net.training && ++batches === stopAt * shards) trainer.stop();
          return job.loss(net, batch);
        },
      });
      const trainer = new Trainer(stopping, { out, shards });
      const first = await trainer.fit();
      expect(first.reason).toBe("stopped");
      const second = await run({ out, shards, resume: true });
      const { best: found, losses: rest, ...gone } = second;
      expect({ ...gone, checkpoint: null }, `stopped at batch ${stopAt}`).toEqual(whole);
      expect(found?.value).toBe(best?.value);
      expect(rest).toEqual(losses.slice(first.step));
    }
  });
});
