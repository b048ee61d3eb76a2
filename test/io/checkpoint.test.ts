import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  arange,
  crossEntropy,
  DataLoader,
  loadCheckpoint,
  loadSafetensors,
  manualSeed,
  memory,
  NablaError,
  nn,
  optim,
  RandomGenerator,
  rand,
  saveCheckpoint,
  saveSafetensors,
  type Tensor,
  TensorDataset,
  tensor,
  trim,
} from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-checkpoint-"));
  file = join(dir, "last.safetensors");
});
afterEach(() => rm(dir, { recursive: true }));

/** A job with everything that has a state: dropout, running statistics, moments, rates, an order of samples. */
function makeJob() {
  manualSeed(3);
  const x = arange(96).reshape([32, 3]).div(50).sin();
  const y = arange(32).remainder(4).to("int64");
  const model = new nn.Sequential(
    new nn.Linear(3, 8),
    new nn.BatchNorm1d(8),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(8, 4),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.05 });
  const schedule = new optim.OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 100 });
  const plateau = new optim.ReduceLROnPlateau(optimizer, { patience: 1 });
  const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 5, shuffle: true, seed: 11 });
  return { model, optimizer, schedule, plateau, loader };
}

/** Trains until so many steps have been made, and calls `between` after each. */
async function train(
  job: ReturnType<typeof makeJob>,
  from: number,
  to: number,
  between?: (step: number) => Promise<void>,
) {
  const { model, optimizer, schedule, plateau, loader } = job;
  let step = from;
  while (step < to)
    for (const [x, y] of loader) {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      schedule.step();
      if (step % 7 === 6) plateau.step(loss);
      step++;
      await between?.(step);
      if (step === to) break;
    }
}

const bitsOf = ({ model }: ReturnType<typeof makeJob>): unknown =>
  Object.values(model.stateDict()).map((x) => Array.from(x.toTypedArray(), String));

test("a run that continues from a checkpoint has the bits of one that was not interrupted, at every step", async () => {
  const whole = makeJob();
  await train(whole, 0, 20, (step) => saveCheckpoint(join(dir, `${step}`), { ...whole, step, history: [0.1, 1e-300] }));
  for (let step = 1; step < 20; step++) {
    const job = makeJob();
    rand([step]); // the random state differs until it is loaded
    const rest = await loadCheckpoint<{ step: number }>(join(dir, `${step}`), job);
    expect(rest).toEqual({ step, history: [0.1, 1e-300] });
    await train(job, rest.step, 20);
    expect(bitsOf(job)).toEqual(bitsOf(whole));
    expect(job.optimizer.paramGroups[0]!.lr).toBe(whole.optimizer.paramGroups[0]!.lr);
  }
}, 60_000);

test("states are those at the call, whatever is computed while the file is written", async () => {
  const job = makeJob();
  await train(job, 0, 3);
  const before = bitsOf(job);
  const saved = saveCheckpoint(file, job);
  await train(job, 3, 5);
  await saved;
  const other = makeJob();
  await loadCheckpoint(file, other);
  expect(bitsOf(other)).toEqual(before);
});

test("what is saved comes back: numbers that JSON lacks, bigints, tensors, lists, keys with a $", async () => {
  const shared = tensor([1.5, -0]);
  const data = {
    numbers: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324, 2 ** 53],
    bigint: 2n ** 70n,
    nothing: null,
    text: "\ud800 \u0000 \u{1f600}",
    $tensor: "no tensor",
    $$number: { $number: "1" },
    "": { "": true },
    ["__proto__"]: 3,
    generator: new RandomGenerator(5),
    halves: tensor([1, 2], { dtype: "bfloat16" }),
  };
  await saveCheckpoint(file, {
    ...data,
    one: shared,
    same: [shared],
    "0": tensor([7n], { dtype: "int64" }),
    left: undefined,
  });
  const {
    one,
    same,
    generator,
    halves,
    "0": zero,
    ...rest
  } = (await loadCheckpoint(file)) as Record<string, Tensor & Tensor[]>;
  const { generator: _, halves: __, ...plain } = data;
  expect(rest).toEqual(plain);
  expect(Object.is((rest["numbers"] as unknown as number[])[3], -0)).toBe(true);
  expect(same![0]).toBe(one);
  expect(String(one)).toBe(String(shared));
  expect(String(halves)).toBe(String(data.halves));
  expect(zero!.toTypedArray()).toEqual(BigInt64Array.of(7n));
  expect(generator).toEqual({ seed: 5, calls: 0 });
  expect(Object.keys(await loadSafetensors(file)).sort()).toEqual(["0", "halves", "one"]);
});

test("names that meet are kept apart", async () => {
  await saveCheckpoint(file, { a: { "b.c": tensor([1]) }, "a.b": { c: tensor([2]) }, __metadata__: tensor([3]) });
  const found = await loadCheckpoint<{ a: { "b.c": Tensor }; "a.b": { c: Tensor }; __metadata__: Tensor }>(file);
  expect([found.a["b.c"].item(), found["a.b"].c.item(), found.__metadata__.item()]).toEqual([1, 2, 3]);
});

test("states go to objects in lists and groups, and to those of one's own classes", async () => {
  class Best {
    value = Number.NEGATIVE_INFINITY;
    stateDict() {
      return { value: this.value };
    }
    loadStateDict(state: { value: number }) {
      this.value = state.value;
    }
  }
  const [best, layers] = [new Best(), [new nn.Linear(1, 2), new nn.Linear(2, 1)]];
  await saveCheckpoint(file, { best, layers, heads: { a: layers[0] } });
  const [other, empty] = [new Best(), [new nn.Linear(1, 2), new nn.Linear(2, 1)]];
  other.value = 5;
  expect(await loadCheckpoint(file, { best: other, layers: empty, heads: { a: empty[0]! } })).toEqual({});
  expect(other.value).toBe(Number.NEGATIVE_INFINITY);
  expect(String(empty[1]!.weight)).toBe(String(layers[1]!.weight));
  for (const into of [{ layers: [empty[0]!] }, { heads: {} }])
    await expect(loadCheckpoint(file, into)).rejects.toThrowError(/no target takes (layers\.1|heads\.a)$/);
});

test("a run that is killed again and again ends with the bits of one that was not interrupted", async () => {
  const script = fileURLToPath(new URL("./scripts/resume.mjs", import.meta.url));
  const steps = 60;
  /** Runs on from the checkpoint, and is killed some milliseconds after its first line; the last line. */
  const run = (path: string, patience: number | null) =>
    new Promise<string>((resolve, reject) => {
      const process_ = spawn(process.execPath, [script, path, `${steps}`], { stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      process_.stdout.setEncoding("utf8").on("data", (part: string) => {
        if (text === "" && patience !== null) setTimeout(() => process_.kill("SIGKILL"), patience);
        text += part;
      });
      process_.on("error", reject).on("close", () => resolve(text.trim().split("\n").at(-1)!));
    });
  const whole = await run(join(dir, "whole"), null);
  expect(whole).toMatch(/^\[\d+,/);
  let last = 0;
  for (const patience of [0, 7, 23]) {
    const step = Number(await run(file, patience));
    expect(step).toBeGreaterThan(last);
    last = step;
  }
  expect(await run(file, null)).toBe(whole);
}, 60_000);

describe("damage", () => {
  const content = { x: tensor([1, 2.5]), n: 12 };
  const loaded = async (bytes: Uint8Array): Promise<string> => {
    await writeFile(file, bytes);
    try {
      const { x, ...rest } = await loadCheckpoint<{ x: Tensor }>(file);
      return `${x} ${JSON.stringify(rest)}`;
    } catch (error) {
      if (error instanceof NablaError && error.code === "ERR_FORMAT") return "damaged";
      throw error;
    }
  };

  test("a flipped bit is found in every byte, or changes nothing", async () => {
    await saveCheckpoint(file, content);
    const bytes = await readFile(file);
    const whole = await loaded(bytes);
    let found = 0;
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Uint8Array.from(bytes);
      flipped[i]! ^= 1 << ((i * 3 + (i >> 3)) % 8);
      const what = await loaded(flipped);
      if (what === "damaged") found++;
      else expect(what).toBe(whole); // a space of the padding
    }
    expect(found).toBeGreaterThan(bytes.length - 10);
  });

  test("every cut is found", async () => {
    await saveCheckpoint(file, content);
    const bytes = await readFile(file);
    for (let length = 0; length < bytes.length; length++)
      expect(await loaded(bytes.subarray(0, length))).toBe("damaged");
  });

  test("nothing is changed by a damaged file", async () => {
    const model = new nn.Linear(100, 100);
    const generator = manualSeed(1);
    await saveCheckpoint(file, { model });
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
    const other = new nn.Linear(100, 100);
    const before = [String(other.weight), generator.stateDict()];
    await expect(loadCheckpoint(file, { model: other })).rejects.toThrowError(
      /damaged: tensor "model\.(weight|bias)" differs/,
    );
    expect([String(other.weight), generator.stateDict()]).toEqual(before);
  });
});

describe("what is refused", () => {
  const refused = (code: string, message: RegExp) =>
    expect.objectContaining({ name: "NablaError", code, message: expect.stringMatching(message) as string });

  test("content that is no state", async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    const cases: [unknown, RegExp][] = [
      [{ f: () => 1 }, /^saveCheckpoint: f is not valid; expected a tensor, plain data, .* got function f$/],
      [{ a: [{ when: new Date(0) }] }, /^saveCheckpoint: a\.0\.when is not valid; .* got a Date$/],
      [{ a: [undefined] }, /^saveCheckpoint: a\.0 is not valid/],
      [{ circle }, /a tree contains itself/],
      [
        { big: 10n ** 10_000n },
        /^saveCheckpoint: big is not valid; expected a bigint of at most 10000 digits, got 10001$/,
      ],
      [[1], /the content is not valid/],
      [undefined, /the content is not valid/],
    ];
    for (const [parts, message] of cases)
      await expect(saveCheckpoint(file, parts as never)).rejects.toThrowError(refused("ERR_ARGUMENT", message));
    await expect(readFile(file)).rejects.toThrowError(/ENOENT/);
  });

  test("files that are no checkpoints, and targets that do not fit", async () => {
    await expect(loadCheckpoint(file)).rejects.toThrowError(/ENOENT/);
    await saveSafetensors(file, { w: tensor([1]) });
    await expect(loadCheckpoint(file)).rejects.toThrowError(
      refused("ERR_FORMAT", /no checkpoint; expected a file of saveC/),
    );
    for (const [metadata, message] of [
      [
        { "nabla.checkpoint": "2", "nabla.version": "9.1.0" },
        /later version; expected format 1 or .* format 2 of nabla 9\.1\.0/,
      ],
      [{ "nabla.checkpoint": "1" }, /its header differs from its checksum/],
      [{ "nabla.checkpoint": "one" }, /the note "nabla.checkpoint" is no format; expected an integer, got one/],
    ] as const) {
      await saveSafetensors(file, { w: tensor([1]) }, { metadata });
      await expect(loadCheckpoint(file)).rejects.toThrowError(refused("ERR_FORMAT", message));
    }
    const model = new nn.Linear(1, 1);
    await saveCheckpoint(file, { model });
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    await expect(loadCheckpoint(file, { model, optimizer })).rejects.toThrowError(
      refused("ERR_FORMAT", /the checkpoint has no optimizer$/),
    );
    await expect(loadCheckpoint(file, { model: 3 as never })).rejects.toThrowError(
      refused("ERR_ARGUMENT", /^loadCheckpoint: model is not valid; expected an object with a loadStateDict, got 3$/),
    );
    await expect(loadCheckpoint(file, { constructor: model } as never)).rejects.toThrowError(
      refused("ERR_FORMAT", /the checkpoint has no constructor$/),
    );
    await expect(loadCheckpoint(file, { model: new nn.Linear(2, 1) })).rejects.toThrowError(
      expect.objectContaining({ code: "ERR_SHAPE" }),
    );
  });
});

test("a loaded checkpoint leaves no memory behind", async () => {
  const job = makeJob();
  await train(job, 0, 2);
  await saveCheckpoint(file, job);
  const held = async (loads: number): Promise<number> => {
    for (let i = 0; i < loads; i++) await loadCheckpoint(file, job);
    await new Promise(setImmediate); // what the last job of the event loop has seen stays alive until it ends
    trim();
    return memory().liveBytes;
  };
  const before = await held(1);
  expect(await held(30)).toBeLessThan(2 * before);
});
