import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { DataParallel, manualSeed, type nn, noGrad, optim, saveSafetensors } from "nabla";
import { batches, type Digits, type Pictures } from "./data.js";
import type { ModelArgs } from "./job.js";
import type { Config } from "./options.js";
import { makeProgress, type Standing } from "./progress.js";

export interface StepRecord {
  readonly type: "step";
  readonly step: number;
  readonly loss: number;
  readonly lr: number;
}

export interface EpochRecord {
  readonly type: "epoch";
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  /** Share of the held-out digits that the model names right. Watched, never used to choose anything. */
  readonly accuracy: number;
  readonly samplesPerSecond: number;
  readonly seconds: number;
}

export interface Result {
  readonly seed: number;
  readonly accuracy: number;
  readonly seconds: number;
  readonly steps: readonly StepRecord[];
  readonly epochs: readonly EpochRecord[];
}

/** Trains one model and leaves its configuration, metrics and weights in `out`. */
export async function train(digits: Digits, config: Config, seed: number, out: string): Promise<Result> {
  const { rows, columns, classes, train, test, source } = digits;
  const args: ModelArgs = { inputs: rows * columns, classes, dropout: config.dropout };
  await mkdir(out, { recursive: true });
  const data = { source, train: train.count, test: test.count };
  await writeFile(
    join(out, "config.json"),
    `${JSON.stringify({ ...config, seed, data, node: process.version }, null, 2)}\n`,
  );

  manualSeed(seed);
  const { workers, shards } = config;
  const loader = batches(digits, train, { batchSize: config.batch, training: { seed, shift: config.shift } });
  const totalSteps = config.epochs * loader.length;
  const parallel = await DataParallel.load(new URL("./job.js", import.meta.url), { workers, shards, args });
  const progress = makeProgress(totalSteps, config.epochs);
  try {
    const model = parallel.model as nn.Sequential;
    const opt = new optim.AdamW(model.parameters(), { lr: config.lr, weightDecay: config.weightDecay });
    const steps: StepRecord[] = [];
    const epochs: EpochRecord[] = [];
    const start = performance.now();
    const elapsed = () => (performance.now() - start) / 1000;

    for (let epoch = 1; epoch <= config.epochs; epoch++) {
      const first = steps.length;
      let samples = (epoch - 1) * train.count;
      let standing: Standing = { epoch, loss: Number.NaN, samplesPerSecond: 0, secondsLeft: 0 };
      for (const [images, labels] of loader) {
        const lr = learningRate(config.lr, steps.length / totalSteps);
        for (const group of opt.paramGroups) group.lr = lr;
        const loss = (await parallel.backward([images, labels])).item();
        opt.step();
        steps.push({ type: "step", step: steps.length + 1, loss, lr });
        samples += images.size(0);
        const secondsPerStep = elapsed() / steps.length;
        standing = {
          epoch,
          loss: mean(steps.slice(first).map((record) => record.loss)),
          samplesPerSecond: samples / elapsed(),
          secondsLeft: secondsPerStep * (totalSteps - steps.length),
        };
        progress.step(steps.length, standing);
      }
      const { loss, samplesPerSecond } = standing;
      const accuracy = measure(model, digits, test);
      progress.epoch(standing, accuracy);
      const record: EpochRecord = {
        type: "epoch",
        epoch,
        step: steps.length,
        loss,
        accuracy,
        samplesPerSecond,
        seconds: elapsed(),
      };
      epochs.push(record);
      const lines = [...steps.slice(first), record].map((line) => `${JSON.stringify(line)}\n`);
      await appendFile(join(out, "metrics.jsonl"), lines.join(""));
    }

    const seconds = elapsed();
    const accuracy = epochs.at(-1)?.accuracy ?? Number.NaN;
    const metadata = { seed: String(seed), accuracy: String(accuracy) };
    await saveSafetensors(join(out, "weights.safetensors"), model.stateDict(), { metadata });
    return { seed, accuracy, seconds, steps, epochs };
  } finally {
    progress.stop();
    await parallel.close();
  }
}

/** Rises over the first fifth of the steps, then falls along half a cosine to 0. */
function learningRate(highest: number, done: number): number {
  const rise = 0.2;
  if (done < rise) return (highest * done) / rise;
  return (highest * (1 + Math.cos((Math.PI * (done - rise)) / (1 - rise)))) / 2;
}

/** The share of pictures whose class the model names right. */
function measure(model: nn.Sequential, digits: Digits, part: Pictures): number {
  let right = 0;
  model.eval();
  noGrad(() => {
    for (const [images, labels] of batches(digits, part, { batchSize: 1000 })) {
      right += model.forward(images).argmax(1).eq(labels).sum().item();
    }
  });
  model.train();
  return right / part.count;
}

export const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
