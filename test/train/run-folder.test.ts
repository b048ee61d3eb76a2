import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Callback,
  defineJob,
  loadSafetensors,
  nn,
  optim,
  saveSafetensors,
  Trainer,
  type TrainerOptions,
} from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bitsOf, crossEntropy, eventsOf, perceptron, rowsOf } from "./common.js";

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "nabla-run-"));
});
afterEach(() => rm(out, { recursive: true }));

const data = rowsOf(40);
const job = defineJob({
  args: { width: 8 },
  model: ({ width }) => perceptron(width),
  data: () => ({ train: data, test: rowsOf(11) }),
  loss: crossEntropy,
  batch: 8,
  epochs: 2,
  lr: 0.05,
  shards: 2,
  checkpoint: { every: { steps: 1 }, keep: 2 },
});
const checkpoints = async () => (await readdir(join(out, "checkpoints"))).sort();
const name = (step: number) => `step-${String(step).padStart(8, "0")}.safetensors`;
const train = (options: TrainerOptions = {}) => new Trainer(job, { out, ...options });

test("the newest checkpoints are kept, and the best one, and the job with the origin of each value", async () => {
  const result = await train({
    lr: 0.04,
    checkpoint: { every: { steps: 1 }, keep: 2, best: { metric: "test.loss", mode: "max" } },
  }).fit();
  expect(result.checkpoint).toBe(join(out, "checkpoints", name(10)));
  const best = result.history.reduce((a, b) => (b.metrics["test.loss"]! > a.metrics["test.loss"]! ? b : a)).step;
  expect(result.best).toMatchObject({ step: best, path: join(out, "checkpoints", name(best)) });
  expect(best).toBe(5);
  expect(await checkpoints()).toEqual([5, 9, 10].map(name));
  expect(JSON.parse(await readFile(join(out, "job.json"), "utf8"))).toMatchObject({
    lr: { value: 0.04, from: "option" },
    batch: { value: 8, from: "job" },
    seed: { value: 0, from: "default" },
    args: { value: { width: 8 }, from: "job" },
  });
  // Anybody's reader finds the weights.
  expect(Object.keys(await loadSafetensors(result.checkpoint!))).toContain("model.0.weight");
});

test("what is given of checkpoints replaces those members alone, and undefined none", async () => {
  const kept = { every: { steps: 2 }, keep: 2, best: "test.loss" };
  const own = defineJob({ ...job, checkpoint: kept });
  await new Trainer(own, { out, steps: 1, checkpoint: { keep: 3, every: undefined } }).fit();
  const { checkpoint } = JSON.parse(await readFile(join(out, "job.json"), "utf8"));
  expect(checkpoint).toEqual({ value: { ...kept, keep: 3 }, from: "option" });
  const none = defineJob({ ...job, checkpoint: { every: undefined, keep: undefined } });
  await new Trainer(none, { out, fresh: true, steps: 1 }).fit();
  const { checkpoint: usual } = JSON.parse(await readFile(join(out, "job.json"), "utf8"));
  expect(usual.value).toEqual({ every: { minutes: 10 }, keep: 3 });
});

test("a folder with checkpoints needs to be told what becomes of them", async () => {
  await train({ steps: 3 }).fit();
  await expect(train().fit()).rejects.toThrow(
    /^Trainer: .* holds the checkpoints of a run; expected resume: true to go on from step 3, or fresh: true to remove them$/,
  );
  expect((await train({ resume: true }).fit()).step).toBe(10);
  const events = await eventsOf(train({ fresh: true, steps: 2 }));
  expect(events[0]).toMatchObject({ type: "start", step: 0, resumedFrom: null });
  expect(await checkpoints()).toEqual([1, 2].map(name));
  expect(() => train({ resume: true, fresh: true })).toThrow(/resume and fresh contradict each other/);
  expect(() => new Trainer(job, { resume: true })).toThrow(/resume needs the folder of a run/);
});

test("the same options serve the first start and every other", async () => {
  const first = await eventsOf(train({ resume: true, steps: 3 }));
  expect(first[1]).toMatchObject({
    type: "warning",
    code: "no checkpoint",
    message: expect.stringContaining("starts at step 0"),
  });
  const second = await eventsOf(train({ resume: true }));
  expect(second[0]).toMatchObject({ type: "start", step: 3, resumedFrom: join(out, "checkpoints", name(3)) });
  const third = await eventsOf(train({ resume: true }));
  expect(third.map(({ type }) => type)).toEqual(["start", "end"]);
});

test.each([
  ["truncated", (path: string) => truncate(path, 300)],
  ["changed", (path: string) => flip(path)],
  ["too long", (path: string) => appendFile(path, "more")],
  ["empty", (path: string) => truncate(path, 0)],
])("a checkpoint that is %s is reported and skipped", async (_, damage) => {
  const whole = bitsOf((await new Trainer(job).fit()).model);
  await train({ steps: 7, callbacks: [{ name: "restored", stateDict: () => 1 }] }).fit();
  await damage(join(out, "checkpoints", name(7)));
  let loaded: boolean | null = null;
  const restored: Callback = {
    name: "restored",
    stateDict: () => 1,
    loadStateDict: () => {
      loaded = true;
    },
    observe: () => {
      loaded ??= false;
    },
  };
  const events = await eventsOf(train({ resume: true, checkpoint: { keep: 10 }, callbacks: [restored] }));
  expect(loaded).toBe(true);
  expect(events.slice(0, 2)).toMatchObject([
    { type: "start", step: 6 },
    { type: "warning", code: "damaged checkpoint", message: expect.stringContaining(`${name(7)} is skipped: `) },
  ]);
  expect(bitsOf((await train({ resume: true }).fit()).model)).toEqual(whole);
});
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 5]! ^= 1;
  await writeFile(path, bytes);
}

describe("a job that has changed", () => {
  const changes: readonly (readonly [string, TrainerOptions, RegExp])[] = [
    ["args", { args: { width: 9 } }, /expected width 8 .* got width 9/],
    ["batch", { batch: 4 }, /expected 8 \(or allow: \["batch"\], or fresh: true\), got 4/],
    ["shards", { shards: 3 }, /got 3/],
    ["seed", { seed: 7 }, /got 7/],
    ["accumulate", { accumulate: 2 }, /got 2/],
    ["lr", { lr: 0.1 }, /expected 0\.05 .* got 0\.1/],
  ];
  test.each(changes)("is an error that names %s, unless that is allowed", async (field, change, sentence) => {
    await train({ steps: 7 }).fit();
    const changed = (more: TrainerOptions = {}) => train({ ...change, ...more, resume: true });
    await expect(changed().fit()).rejects.toThrow(
      new RegExp(`the job has changed since: ${field}; .*${sentence.source}`),
    );
    if (field === "args") return;
    const result = await changed({ allow: [field] }).fit();
    expect(result.reason).toBe("finished");
    expect(result.step).toBeGreaterThan(7);
  });

  test("names its model and its optimizer", async () => {
    await train({ steps: 7 }).fit();
    const wider = defineJob({ ...job, model: () => perceptron(9) });
    await expect(new Trainer(wider, { out, resume: true }).fit()).rejects.toThrow(
      /changed since: model; expected "0\.weight float32 \[8, 3\]" .* got "0\.weight float32 \[9, 3\]"/,
    );
    const descent = { ...job, optimizer: (p: nn.Parameter[], { lr }: { lr: number }) => new optim.SGD(p, { lr }) };
    await expect(new Trainer(defineJob(descent), { out, resume: true }).fit()).rejects.toThrow(
      /changed since: optimizer; expected name "AdamW" .* got name "SGD"/,
    );
    const allowed = await new Trainer(defineJob(descent), { out, resume: true, allow: ["optimizer"] }).fit();
    expect(allowed.step).toBe(10);
  });

  test("goes on with another model in the middle of a step, with averages of what it had before", async () => {
    const accumulating = { ...job, accumulate: 2, ema: 0.9 };
    const deeper = defineJob({
      ...accumulating,
      model: () => new nn.Sequential(...perceptron(), new nn.Linear(3, 3)),
    });
    let batches = 0;
    const stopping = defineJob({
      ...accumulating,
      loss: (net, batch) => {
        if (net.training && ++batches === 3 * 2) trainer.stop();
        return crossEntropy(net, batch);
      },
    });
    const trainer = new Trainer(stopping, { out });
    expect(await trainer.fit()).toMatchObject({ reason: "stopped", step: 1 });
    const result = await new Trainer(deeper, { out, resume: true, allow: ["model", "optimizer"] }).fit();
    expect(result).toMatchObject({ reason: "finished", history: [{ step: 2 }, { step: 5 }] });
  });

  test("may have other epochs, evaluations and checkpoints", async () => {
    await train({ steps: 7 }).fit();
    const result = await train({ resume: true, epochs: 3, evaluate: { every: { steps: 5 } }, checkpoint: {} }).fit();
    expect(result).toMatchObject({ reason: "finished", step: 15 });
  });
});

test("a checkpoint that cannot be written is a warning, and the next one is tried", async () => {
  const folder = join(out, "checkpoints");
  const callback: Callback = {
    name: "breaks the disk",
    beforeStep: async ({ step }) => {
      if (step === 4) {
        await new Promise((resolve) => setTimeout(resolve, 50)); // the checkpoint of step 4 is on disk
        await rm(folder, { recursive: true });
        await writeFile(folder, "");
      }
      if (step === 8) {
        await rm(folder);
        await (await import("node:fs/promises")).mkdir(folder);
      }
    },
  };
  const trainer = train({ callbacks: [callback] });
  const stream = trainer.events();
  const result = await trainer.fit();
  const warnings = [];
  for await (const event of stream) if (event.type === "warning") warnings.push(event);
  expect(result).toMatchObject({ reason: "finished", step: 10, unsaved: null });
  expect(warnings.map(({ code }) => code)).toEqual(["ENOTDIR", "ENOTDIR", "ENOTDIR", "ENOTDIR"]);
  expect(warnings[0]!.message).toMatch(/^the checkpoint of step 5 could not be written: ENOTDIR/);
  expect(await checkpoints()).toEqual([9, 10].map(name));
});

test("where the last checkpoint cannot be written, the result says so", async () => {
  const folder = join(out, "checkpoints");
  const breaks: Callback = {
    name: "breaks the disk",
    onStart: async () => {
      await rm(folder, { recursive: true });
      await writeFile(folder, "");
    },
  };
  const result = await train({ callbacks: [breaks] }).fit();
  expect(result).toMatchObject({ reason: "finished", step: 10, checkpoint: null, unsaved: { code: "ENOTDIR" } });
});

test("what a callback throws ends the run after a checkpoint, from which it goes on", async () => {
  const whole = bitsOf((await new Trainer(job).fit()).model);
  const throws: Callback = {
    name: "throws",
    afterStep: ({ step }) => {
      if (step === 4) throw new Error("enough");
    },
  };
  const once = train({ callbacks: [throws], checkpoint: { every: { steps: 100 } } });
  await expect(once.fit()).rejects.toThrow("enough");
  expect(await checkpoints()).toEqual([name(4)]);
  expect(bitsOf((await train({ resume: true }).fit()).model)).toEqual(whole);
});

test("callbacks have states, and see every checkpoint", async () => {
  const counter = (): Callback & { seen: number; saved: number[] } => ({
    name: "counter",
    seen: 0,
    saved: [],
    afterStep() {
      this.seen++;
    },
    onCheckpoint({ step, bytes }) {
      if (bytes > 0) this.saved.push(step);
    },
    stateDict() {
      return { seen: this.seen };
    },
    loadStateDict({ seen }: { seen: number }) {
      this.seen = seen;
    },
  });
  const [first, second] = [counter(), counter()];
  await train({ steps: 3, callbacks: [first] }).fit();
  expect(first.saved).toEqual([1, 2, 3, 3]); // once more after the last evaluation
  await train({ resume: true, callbacks: [second] }).fit();
  expect(second.seen).toBe(10);
  expect(second.saved).toEqual([4, 5, 6, 7, 8, 9, 10, 10]);
});

test("a run that is asked to end in an evaluation makes it when it goes on", async () => {
  const { model, history } = await new Trainer(job).fit();
  const strip = (list: typeof history) => list.map(({ seconds: _, ...event }) => event);
  let evaluated = 0;
  const stopping = defineJob({
    ...job,
    loss: (net, batch) => {
      if (!net.training && ++evaluated === 1) trainer.stop();
      return crossEntropy(net, batch);
    },
  });
  const trainer = new Trainer(stopping, { out });
  const first = await trainer.fit();
  expect(first).toMatchObject({ reason: "stopped", step: 5, history: [] });
  const events = await eventsOf(train({ resume: true }));
  expect(events.slice(0, 3).map(({ type, step }) => [type, step])).toEqual([
    ["start", 5],
    ["evaluate", 5],
    ["step", 6],
  ]);
  const again = await train({ resume: true }).fit();
  expect(bitsOf(again.model)).toEqual(bitsOf(model));
  expect(strip(again.history)).toEqual(strip(history));
});

describe("init", () => {
  test("begins with the weights of a file or a checkpoint", async () => {
    const { model, checkpoint } = await train().fit();
    const file = join(out, "weights.safetensors");
    await saveSafetensors(file, model.stateDict());
    for (const init of [file, checkpoint!]) {
      const start = { bits: {} as ReturnType<typeof bitsOf> };
      const look: Callback = {
        name: "look",
        onStart: (_, control) => void Object.assign(start, { bits: bitsOf(control.model) }),
      };
      await new Trainer(job, { init, steps: 1, callbacks: [look] }).fit();
      expect(start.bits).toEqual(bitsOf(model));
    }
  });

  test("is strict, except for the names that may miss", async () => {
    const file = join(out, "weights.safetensors");
    const { "2.weight": _, "2.bias": __, ...rest } = perceptron().stateDict();
    await saveSafetensors(file, rest);
    await expect(new Trainer(job, { init: file }).fit()).rejects.toThrow(/missing are 2\.weight, 2\.bias/);
    const partial = { path: file, missing: ["2.bias"] };
    await expect(new Trainer(job, { init: partial }).fit()).rejects.toThrow(
      /missing are 2\.weight; unexpected are none/,
    );
    expect((await new Trainer(job, { init: { path: file, missing: ["2."] }, steps: 1 }).fit()).step).toBe(1);
  });
});

test("one run at a time trains into a folder", async () => {
  let refused: unknown;
  const second: Callback = {
    name: "second",
    onStart: async () => {
      refused = await train({ resume: true })
        .fit()
        .catch((error: unknown) => error);
    },
  };
  await train({ callbacks: [second] }).fit();
  expect(refused).toMatchObject({
    code: "ERR_ARGUMENT",
    message: expect.stringMatching(
      /^Trainer: another process trains into .*; expected a folder that no other run writes to$/,
    ),
  });
  expect((await train({ resume: true }).fit()).step).toBe(10);
  const broken = defineJob({ ...job, model: () => expect.fail("no model") as never });
  for (let i = 0; i < 2; i++) await expect(new Trainer(broken, { out, fresh: true }).fit()).rejects.toThrow("no model");
});

test("without out nothing is written", async () => {
  const before = process.cwd();
  process.chdir(out);
  try {
    await new Trainer(job).fit();
    expect(existsSync("runs")).toBe(false);
    expect(await readdir(".")).toEqual([]);
  } finally {
    process.chdir(before);
  }
});

const metricsOf = async () => {
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as { type: string; step: number });
};
const report = (): Promise<string> => readFile(join(out, "report.html"), "utf8");

test("the metrics hold each step once, also where a run goes on, and the report is made from them", async () => {
  await train({ steps: 7 }).fit();
  await train({ steps: 10, resume: true }).fit();
  const steps = (await metricsOf()).filter(({ type }) => type === "step").map(({ step }) => step);
  expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(await report()).toContain("finished");
  // A damaged checkpoint is a warning before the place is known where the metrics go on.
  await writeFile(join(out, "checkpoints", name(10)), "");
  await train({ steps: 12, resume: true }).fit();
  const again = await metricsOf();
  expect(again.filter(({ type }) => type === "step").map(({ step }) => step)).toEqual([...steps, 11, 12]);
  expect(again.filter(({ type }) => type === "start")).toHaveLength(3);
});

test("a run that fails leaves a report that says why; without a folder nothing is written", async () => {
  const failing: Callback = {
    name: "fails",
    afterStep({ step }) {
      if (step === 3) throw new Error("the pump is broken");
    },
  };
  await expect(train({ callbacks: [failing] }).fit()).rejects.toThrow("the pump is broken");
  expect(await report()).toContain("the pump is broken");
  const before = await readdir(out);
  await new Trainer(job).fit();
  expect(await readdir(out)).toEqual(before);
});
