import { DataParallel, defineJob, fit, type Job, nn, ones, Trainer } from "nabla";
import { describe, expect, test } from "vitest";

const model = () => new nn.Linear(2, 1);
const loss = (net: nn.Linear, x: typeof one) => net.forward(x).mean();
const one = ones([1, 2]);
const good = { model, loss };

/** Fields that are refused, and the sentence. */
const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ epoch: 3 }, /unknown option "epoch" \(did you mean "epochs"\?\)/],
  [{ epochs: 0 }, /epochs is not valid; expected an integer of at least 1, got 0/],
  [{ epochs: 1.5 }, /epochs is not valid; expected an integer of at least 1, got 1\.5/],
  [{ epochs: 2, steps: 10 }, /epochs and steps contradict each other; expected one of them, got epochs 2 and steps 10/],
  [{ batch: "32" }, /batch is not valid; expected an integer of at least 1, got "32"/],
  [{ lr: Number.NaN }, /lr is not valid; expected a finite number of at least 0, got NaN/],
  [{ lr: -1 }, /lr is not valid/],
  [{ clip: 0 }, /clip is not valid; expected a finite number above 0, got 0/],
  [{ accumulate: 0 }, /accumulate is not valid/],
  [{ ema: 1 }, /ema is not valid; expected a finite number of at least 0 and below 1, got 1/],
  [{ optimizer: {} }, /optimizer is not valid; expected a function, got an object/],
  [{ schedule: 1 }, /schedule is not valid; expected a function/],
  [{ data: [] }, /data is not valid; expected a function/],
  [{ metrics: { accuracy: 1 } }, /metrics\.accuracy is not valid; expected a function, got 1/],
  [
    { metrics: { loss: () => 1 } },
    /the name of a metric is not valid; expected another name than the loss, got "loss"/,
  ],
  [{ metrics: [] }, /metrics is not valid; expected functions by name/],
  [{ evaluate: { every: {} } }, /evaluate\.every is not valid; expected \{ steps \} or \{ epochs \}/],
  [{ evaluate: { every: { minutes: 1 } } }, /unknown option "minutes"/],
  [{ evaluate: { every: { steps: 1, epochs: 1 } } }, /evaluate\.every is not valid/],
  [{ evaluate: { evry: 1 } }, /unknown option "evry" \(did you mean "every"\?\)/],
  [
    { stop: { metric: "loss", patience: 1 } },
    /stop\.metric is not valid; expected set and metric, such as "test\.loss"/,
  ],
  [{ stop: { metric: "test.loss" } }, /stop\.patience is not valid; expected an integer of at least 1, got undefined/],
  [{ stop: { metric: "test.loss", patience: 1, mode: "up" } }, /stop\.mode is not valid; expected "min" or "max"/],
  [{ stop: { metric: "test.loss", patience: 1, minDelta: -1 } }, /stop\.minDelta is not valid/],
  [{ checkpoint: { every: { minutes: 0 } } }, /checkpoint\.every\.minutes is not valid/],
  [{ checkpoint: { keep: 0 } }, /checkpoint\.keep is not valid/],
  [{ checkpoint: { best: "accuracy" } }, /checkpoint\.best\.metric is not valid/],
  [{ checkpoint: { best: { metric: "test.a", mode: 1 } } }, /checkpoint\.best\.mode is not valid/],
  [{ init: "" }, /the path is not valid/],
  [{ init: { path: "a", missing: "b" } }, /init\.missing is not valid; expected an array of names/],
  [{ seed: -1 }, /seed is not valid/],
  [{ workers: 0.5 }, /workers is not valid/],
  [{ shards: 5000 }, /there are too many shards; expected at most 4096, got 5000/],
];

test.each(wrong)("%o is one sentence, everywhere", (fields, sentence) => {
  const refused = (op: string, make: () => unknown): void => {
    expect(make, op).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", op, message: expect.stringMatching(sentence) }),
    );
  };
  const job = { ...good, ...fields } as unknown as Job;
  refused("defineJob", () => defineJob(job));
  refused("Trainer", () => new Trainer(job));
  if (!("workers" in fields || "data" in fields))
    refused("fit", () => fit(model(), [one], { loss, ...fields } as never));
  const [name] = Object.keys(fields);
  if (!["optimizer", "schedule", "data", "metrics"].includes(name!))
    refused("Trainer", () => new Trainer(defineJob(good), fields as never));
  const url = new URL("../parallel/jobs/mlp.mjs", import.meta.url);
  if (["seed", "workers", "shards"].includes(name!))
    refused("DataParallel", () => new DataParallel(url, fields as never));
});

describe("a job", () => {
  test("without fields but model and loss is valid, and stays the same object", () => {
    const job = { ...good };
    expect(defineJob(job)).toBe(job);
    expect(() => defineJob({ model } as unknown as Job)).toThrow(/a job needs two functions/);
  });

  test("gives DataParallel its arguments, seed and shards; options come first", async () => {
    const url = new URL("./jobs/fields.mjs", import.meta.url);
    const own = await DataParallel.load(url);
    expect([own.seed, own.shards, own.workers]).toEqual([5, 3, 0]);
    expect(own.model.parameters()[0]!.shape).toEqual([4, 2]);
    const other = await DataParallel.load(url, { args: { width: 6 }, seed: 1, shards: 2 });
    expect([other.seed, other.shards]).toEqual([1, 2]);
    expect(other.model.parameters()[0]!.shape).toEqual([6, 2]);
  });
});
