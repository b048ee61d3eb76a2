import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Callback, customFunction, defineJob, nn, optim, type Tensor, Trainer } from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bitsOf, eventsOf, rowsOf } from "./common.js";

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "nabla-nan-"));
});
afterEach(() => rm(out, { recursive: true }));

/** The weights and buffers after each step. */
function recorder(): Callback & { readonly states: ReturnType<typeof bitsOf>[] } {
  const states: ReturnType<typeof bitsOf>[] = [];
  return { name: "recorder", states, afterStep: (_, { model }) => void states.push(bitsOf(model)) };
}

/** A gradient that is infinite at the call asked for. */
function explosive(at: () => boolean): (x: Tensor) => Tensor {
  return customFunction({
    name: "explosive",
    forward: (x: Tensor) => [x.mul(1), null],
    backward: (_: null, g: Tensor) => [at() ? g.mul(Number.POSITIVE_INFINITY) : g],
  });
}

const data = rowsOf(48);
const model = () => new nn.Sequential(new nn.Linear(3, 8), new nn.BatchNorm1d(8), new nn.Linear(8, 3));

/** A job whose gradients are infinite from the fifth batch on. */
function explodingJob(shards: number) {
  let calls = 0;
  const explode = explosive(() => calls++ >= 4 * shards);
  return defineJob({
    model,
    data: () => ({ train: data }),
    loss: (net, [x, y]) => nn.functional.crossEntropy(explode(net.forward(x)), y),
    batch: 8,
  });
}

describe.each([1, 2])("with %i shards", (shards) => {
  test.each([1, 2])(
    "a loss that is not finite ends the run before anything is written: accumulate %i",
    async (accumulate) => {
      let calls = 0;
      const job = defineJob({
        model,
        data: () => ({ train: data }),
        loss: (net, [x, y]) => {
          const loss = nn.functional.crossEntropy(net.forward(x), y);
          return calls++ >= 5 * accumulate * shards ? loss.mul(0).log().mul(loss.sub(loss)) : loss;
        },
        batch: 8,
        ema: 0.5,
        accumulate,
      });
      const states = recorder();
      const trainer = new Trainer(job, { out, shards, callbacks: [states], checkpoint: { every: { steps: 3 } } });
      const stream = trainer.events();
      const result = await trainer.fit();
      const events = [];
      for await (const event of stream) events.push(event);
      expect(result).toMatchObject({
        reason: "nan",
        step: 5,
        weights: "last",
        checkpoint: expect.stringMatching(/00003\./),
      });
      expect(bitsOf(result.model)).toEqual(states.states.at(-1));
      const warning = events.find(({ type }) => type === "warning");
      expect(warning).toMatchObject({ code: "nan", step: 5 });
      expect((warning as { message: string }).message).toMatch(
        /^step 6: the loss is not finite; log: the first infinity is in this result; expected finite numbers, got inputs float32\[\] \[0\]/,
      );
      expect(events.at(-1)).toMatchObject({ type: "end", reason: "nan", step: 5 });
    },
  );

  test("a norm that is not finite does, too, where there is one", async () => {
    const states = recorder();
    const trainer = new Trainer(explodingJob(shards), { shards, clip: 1, callbacks: [states] });
    const events = await eventsOf(trainer);
    expect(states.states).toHaveLength(4);
    expect(events.filter(({ type }) => type === "warning")).toMatchObject([
      {
        message: expect.stringMatching(
          /^step 5: the norm of the gradients is not finite; explosive: the first infinity/,
        ),
      },
    ]);
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "nan", step: 4 });
  });

  test("weights that an unseen gradient has made NaN are those of the last checkpoint again", async () => {
    const job = defineJob({
      ...explodingJob(shards),
      optimizer: (parameters, { lr }) => new optim.SGD(parameters, { lr, momentum: 0.9 }),
    });
    const states = recorder();
    const trainer = new Trainer(job, { out, shards, callbacks: [states], checkpoint: { every: { steps: 3 } } });
    const stream = trainer.events();
    const result = await trainer.fit();
    expect(states.states).toHaveLength(5);
    expect(result).toMatchObject({ reason: "nan", step: 3, weights: "checkpoint" });
    expect(bitsOf(result.model)).toEqual(states.states[2]);
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.find(({ type }) => type === "warning")).toMatchObject({
      message: expect.stringMatching(
        /^step 6: the loss is not finite; a gradient before .*; the weights are those of .*0003\.safetensors; explosive: the first infinity/,
      ),
    });
  });

  test("weights that are not finite are never saved", async () => {
    const options = { shards, steps: 5, checkpoint: { every: { steps: 3 } } };
    const result = await new Trainer(explodingJob(shards), { ...options, out }).fit();
    expect(result).toMatchObject({ reason: "nan", step: 3, checkpoint: expect.stringMatching(/0003\./) });
    const alone = await new Trainer(explodingJob(shards), options).fit();
    expect(alone).toMatchObject({ reason: "nan", step: 5 });
  });
});
