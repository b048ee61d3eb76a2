// A step of a job: by the Trainer, and by a loop by hand over the same loader.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DataLoader, manualSeed, optim, Trainer } from "nabla";
import digits from "../jobs/digits.mjs";
import gpt from "../jobs/gpt.mjs";

const jobs = {
  digits: { job: digits, url: new URL("../jobs/digits.mjs", import.meta.url) },
  gpt: { job: gpt, url: new URL("../jobs/gpt.mjs", import.meta.url) },
};

/** A loop as users write it: what the Trainer does in a step, and nothing else. */
async function byHand({ job }) {
  manualSeed(0);
  const model = job.model(job.args);
  const { train } = await job.data({ args: job.args, seed: 0 });
  const loader = new DataLoader(train, { batchSize: job.batch, shuffle: true });
  const opt = new optim.AdamW(model.parameters(), { lr: job.lr });
  async function* batches() {
    for (;;) yield* loader;
  }
  const iterator = batches();
  return {
    value: [],
    async run(count) {
      for (let i = 0; i < count; i++) {
        const { value } = await iterator.next();
        opt.zeroGrad();
        job.loss(model, value).backward();
        opt.step();
      }
    },
  };
}

/** The Trainer, which a callback stops after each sample. */
async function byTrainer({ job, url }, { workers, shards }) {
  let left = 0;
  let [wake, done] = [() => {}, () => {}];
  const seen = { seconds: 0, wait: 0 };
  const gate = {
    name: "gate",
    afterStep(event) {
      seen.seconds += event.seconds;
      seen.wait += event.wait;
      if (--left > 0) return undefined;
      done();
      return new Promise((resolve) => (wake = resolve));
    },
  };
  const trainer = new Trainer(workers > 0 ? url : job, { workers, shards, steps: 1e9, callbacks: [gate] });
  let ended = null;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  return {
    value: [],
    async run(count) {
      left = count;
      const finished = new Promise((resolve) => (done = resolve));
      delay.enable();
      if (ended === null) ended = trainer.fit();
      else wake();
      await Promise.race([finished, ended]);
      delay.disable();
    },
    async close(say) {
      const metrics = [{ metric: "wait for data", unit: "%", value: (100 * seen.wait) / seen.seconds }];
      if (workers > 0) metrics.push({ metric: "event-loop delay p99", unit: "ms", value: delay.percentile(99) / 1e6 });
      say({ metrics });
      trainer.stop();
      wake();
      await ended;
    },
  };
}

export const cases = {
  jobSteps: (spec) => (spec.by === "hand" ? byHand(jobs[spec.job]) : byTrainer(jobs[spec.job], spec)),
};
