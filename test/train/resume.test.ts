import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob, type Job, nn, optim, type Tensor, Trainer, type TrainerOptions } from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bitsOf, rowsOf } from "./common.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-train-"));
});
afterEach(() => rm(dir, { recursive: true }));

type Stateful = Job<nn.Sequential, { width: number }, [Tensor, Tensor], Tensor>;
const { default: stateful } = (await import(new URL("./jobs/stateful.mjs", import.meta.url).href)) as {
  default: Stateful;
};
const data = rowsOf(29);

/** 3 epochs of 6 batches, two to a step, with losses that are sums and counts. */
const job = defineJob({
  ...stateful,
  data: () => ({ train: data, test: data }),
  loss: (model, [x, y]: [Tensor, Tensor]) => {
    const output = model.forward(x);
    const loss = nn.functional.crossEntropy(output, y, { reduction: "sum" });
    return { loss: { sum: loss, count: y.shape[0]! }, output, log: { size: output.abs().mean() } };
  },
  steps: undefined,
  epochs: 3,
  ema: 0.8,
  optimizer: (parameters, { lr }) => new optim.AdamW(parameters, { lr, weightDecay: 0.1 }),
  schedule: (optimizer, { steps, lr }) => [
    new optim.OneCycleLR(optimizer, { maxLr: lr, totalSteps: steps }),
    new optim.ReduceLROnPlateau(optimizer, { patience: 0, threshold: 0.5 }),
  ],
  evaluate: { every: { steps: 2 } },
  stop: { metric: "test.loss", patience: 100 },
  checkpoint: { best: "test.accuracy" },
});

async function run(options: TrainerOptions) {
  const trainer = new Trainer(job, options);
  const losses: number[] = [];
  const events = trainer.events();
  const fitted = trainer.fit();
  for await (const event of events) if (event.type === "step") losses.push(event.loss);
  const { model, history, ...rest } = await fitted;
  const evaluations = history.map(({ seconds: _, ...event }) => event);
  return { ...rest, losses, evaluations, weights: bitsOf(model) };
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
