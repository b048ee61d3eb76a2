import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DataLoader,
  DataParallel,
  fit,
  loadCheckpoint,
  manualSeed,
  type nn,
  ones,
  optim,
  type Tensor,
  tensor,
} from "nabla";
import { describe, expect, test } from "vitest";
import { bitsOf, crossEntropy, perceptron, rowsOf } from "./common.js";

const data = rowsOf(30);
const make = () => {
  manualSeed(3);
  return perceptron();
};

describe("the visible loop", () => {
  test("with one shard has the bits of a loop by hand", async () => {
    const [model, other] = [make(), make()];
    const loader = () => new DataLoader(data, { batchSize: 8, shuffle: true, seed: 4 });
    const losses: number[] = [];
    const options = { loss: crossEntropy, epochs: 3, lr: 0.05, shards: 1 };
    for await (const event of fit(model, loader(), options)) if (event.type === "step") losses.push(event.loss);

    const byHand: number[] = [];
    const optimizer = new optim.AdamW(other.parameters(), { lr: 0.05 });
    const again = loader();
    for (let epoch = 0; epoch < 3; epoch++)
      for (const batch of again) {
        optimizer.zeroGrad();
        const loss = crossEntropy(other, batch);
        loss.backward();
        optimizer.step();
        byHand.push(loss.item());
      }
    expect(losses).toEqual(byHand);
    expect(bitsOf(model)).toEqual(bitsOf(other));
  });

  test("with shards has the bits of DataParallel by hand, dropout and running averages included", async () => {
    const url = new URL("../parallel/jobs/batch-norm.mjs", import.meta.url);
    const [x, y] = [
      tensor(Array.from({ length: 256 }, (_, i) => Math.cos(i))).reshape([32, 8]),
      ones([32]).to("int64"),
    ];
    manualSeed(5);
    const dp = await DataParallel.load(url, { workers: 0, shards: 4, seed: 0 });
    const optimizer = new optim.AdamW(dp.model.parameters(), { lr: 0.01 });
    for (let i = 0; i < 3; i++) {
      await dp.backward([x, y]);
      optimizer.step();
    }
    manualSeed(5);
    const { default: job } = (await import(url.href)) as { default: { model(): nn.Module; loss: typeof crossEntropy } };
    const model = job.model();
    const samples = Array.from({ length: 32 }, (_, i) => [x.at(i), y.at(i)] as [Tensor, Tensor]);
    const loader = new DataLoader(samples, { batchSize: 32 });
    for await (const _ of fit(model, loader, { loss: job.loss as never, epochs: 3, lr: 0.01, shards: 4 }));
    expect(bitsOf(model)).toEqual(bitsOf(dp.model));
    await dp.close();
  });

  test("yields steps and evaluations, in order, as plain objects", async () => {
    const events = [];
    for await (const event of fit(
      make(),
      { train: data, test: rowsOf(7) },
      { loss: crossEntropy, batch: 10, epochs: 2 },
    ))
      events.push(event);
    expect(events.map(({ type, step, epoch }) => [type, step, epoch])).toEqual([
      ["step", 1, 0],
      ["step", 2, 0],
      ["step", 3, 0],
      ["evaluate", 3, 1],
      ["step", 4, 1],
      ["step", 5, 1],
      ["step", 6, 1],
      ["evaluate", 6, 2],
    ]);
    const [first] = events;
    expect(first).toMatchObject({ lr: 1e-3, gradNorm: null, rows: 10, missed: 0, log: {} });
    expect({ ...first }).toMatchObject({ loss: expect.any(Number), gradNorm: null, log: {} });
    expect(structuredClone(first)).toEqual(first);
    expect(events[3]).toMatchObject({ metrics: { "test.loss": expect.any(Number) }, best: true });
  });

  test.each(["break", "throw"])("%s closes the loader, and what is being written becomes whole", async (how) => {
    const out = await mkdtemp(join(tmpdir(), "nabla-fit-"));
    const samples = Array.from({ length: 30 }, (_, i) => data.at(i));
    const loader = new DataLoader(samples, { batchSize: 8 });
    let closed = 0;
    const watched = {
      stateDict: () => loader.stateDict(),
      loadStateDict: () => undefined,
      async *[Symbol.asyncIterator]() {
        try {
          yield* loader;
        } finally {
          closed++;
        }
      },
    };
    const loop = async () => {
      const options = { loss: crossEntropy, out, checkpoint: { every: { steps: 2 } } };
      for await (const event of fit(make(), watched, options)) {
        if (event.step < 2) continue;
        if (how === "break") break;
        throw new Error("enough");
      }
    };
    if (how === "break") await loop();
    else await expect(loop()).rejects.toThrow("enough");
    expect(closed).toBe(1);
    // It had begun when the loop was left.
    expect(await readdir(join(out, "checkpoints"))).toEqual(["step-00000002.safetensors"]);
    expect(await loadCheckpoint(join(out, "checkpoints", "step-00000002.safetensors"))).toHaveProperty("model");
    await rm(out, { recursive: true });
  });
});
