import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DataLoader,
  type Dataset,
  defineJob,
  fromIterable,
  type StreamEpoch,
  type Tensor,
  Trainer,
  tensor,
} from "nabla";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bitsOf, crossEntropy, perceptron } from "./common.js";

type Sample = [Tensor, Tensor];
const module = new URL("../data/scripts/points.mjs", import.meta.url);
const { default: points } = (await import(module.href)) as { default: Dataset<Sample> };

let dir: string;
const loaders: { close?(): Promise<void> }[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-sources-"));
});
afterEach(async () => {
  await Promise.all(loaders.splice(0).map((loader) => loader.close?.()));
  await rm(dir, { recursive: true });
});

const rows = (epoch: number, i: number): Sample => [
  tensor([Math.sin(i + epoch), Math.cos(i), i / 23]),
  tensor(i % 3, { dtype: "int64" }),
];
const plain = ({ epoch }: StreamEpoch) =>
  (async function* () {
    for (let i = 0; i < 23; i++) yield rows(epoch, i);
  })();
const seekable = ({ epoch }: StreamEpoch) => {
  let next = 0;
  return {
    position: () => next,
    seek: (position: unknown) => {
      next = position as number;
    },
    *[Symbol.iterator]() {
      while (next < 23) yield rows(epoch, next++);
    },
  };
};

const options = { batchSize: 4, prefetch: 2, seed: 3 };
const sources = {
  "rows that cannot seek": () => fromIterable(plain, options),
  "rows that can": () => fromIterable(seekable, options),
  "threads of a loader": (count: number) =>
    new DataLoader(points, { ...options, shuffle: true, ...(count === 0 ? {} : { workers: { count, module } }) }),
};

describe("a run that is stopped and goes on has the bits of one that is not", () => {
  test.each(Object.entries(sources))("with %s", async (_, source) => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const jobOf = (count: number) =>
      defineJob({
        model: () => perceptron(),
        data: () => {
          const train = source(count);
          loaders.push(train as object);
          return { train };
        },
        loss: crossEntropy,
        epochs: 3,
        accumulate: 2,
        shards: 2,
        seed: 1,
      });
    const whole = await new Trainer(jobOf(1), {}).fit();
    expect(whole.step).toBe(9);
    const out = join(dir, "run");
    for (let stop = 2; ; stop += 3) {
      const resume = stop > 2;
      const trainer = new Trainer(jobOf(stop % 2), {
        out,
        resume,
        callbacks: [
          { name: "stop", afterStep: (_, control) => (control.step >= stop ? control.stop("aborted") : undefined) },
        ],
      });
      const result = await trainer.fit();
      if (result.step < 9) continue;
      expect(bitsOf(result.model)).toEqual(bitsOf(whole.model));
      break;
    }
    warn.mockRestore();
  });
});
