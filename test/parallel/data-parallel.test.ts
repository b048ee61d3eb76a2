import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allClose, DataParallel, type DataParallelState, type nn, rand, type Tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";
import { answer, child } from "../support/child.js";

const script = (name: string) => new URL(`./scripts/${name}.mjs`, import.meta.url);

interface Trained {
  readonly losses: readonly number[];
  readonly weights: string;
  readonly gradients: string;
  readonly missing: readonly string[];
}

describe("the number of workers", () => {
  test.each([
    ["mlp", 8, "float32"],
    ["mlp", 3, "float64"],
    ["residual", 8, "float32"],
    ["residual", 4, "float64"],
    ["batch-norm", 8, "float32"],
    ["lstm", 4, "float32"],
  ])("does not show in the result: %s, %i shards, %s", async (name, shards, dtype) => {
    const [reference, ...others] = await answer<Trained[]>(script("same-bits"), { args: [name, shards, dtype] });
    expect(others).toHaveLength(3);
    for (const other of others) expect(other).toEqual(reference);
    expect(reference!.losses.every(Number.isFinite)).toBe(true);
    expect(reference!.missing).toEqual(name === "residual" ? ["unused", "sometimes"] : []);
  });

  test("running values of batch normalization are the mean of the shards', and rest in eval()", async () => {
    const dp = new DataParallel(new URL("./jobs/batch-norm.mjs", import.meta.url), { workers: 0, shards: 2 });
    const [x, y] = [rand([8, 8]), zeros([8], { dtype: "int32" })];
    const h = (dp.model as nn.Sequential).at(0) as nn.Linear;
    const norm = (dp.model as nn.Sequential).at(1) as nn.BatchNorm1d;
    await dp.backward([x, y]);
    const [a, b] = h.forward(x).detach().split(4) as [Tensor, Tensor];
    const want = a.mean(0).add(b.mean(0)).div(4);
    const spread = a.var(0).add(b.var(0)).div(4).add(0.5);
    expect(allClose(norm.runningMean!, want, { atol: 1e-6 })).toBe(true);
    expect(allClose(norm.runningVar!, spread, { atol: 1e-6 })).toBe(true);
    expect(norm.numBatchesTracked!.item()).toBe(1);
    const before = norm.runningMean!.toArray();
    dp.model.eval();
    await dp.backward([x, y]);
    expect(norm.runningMean!.toArray()).toEqual(before);
    await dp.close();
  });

  test("does not show when the main thread changes modes, weights, rates and what is learned", async () => {
    const [inline, onWorkers] = await answer<Trained[]>(script("changing"));
    expect(onWorkers).toEqual(inline);
  });
});

describe("a worker that dies in the middle of a step", () => {
  test.each(["exit", "terminate", "starting", "loop", "async"])(
    "%s: the step finishes with the same bits",
    async (how) => {
      type Answer = { reference: Trained; shaken: Trained; terminated: number };
      const { reference, shaken, terminated } = await answer<Answer>(script("deaths"), { args: [how] });
      expect(shaken).toEqual(reference);
      if (how === "terminate") expect(terminated).toBeGreaterThan(0);
    },
  );

  test("again and again ends in one error, and the next step works", async () => {
    const { failed, loss } = await answer<{ failed: { code: string; message: string }; loss: number }>(
      script("always-dying"),
    );
    expect(failed.code).toBe("ERR_WORKER");
    expect(failed.message).toContain("workers keep dying");
    expect(loss).toBeGreaterThan(0);
  });
});

interface Seen {
  readonly nabla: boolean;
  readonly class: string;
  readonly name?: string;
  readonly message: string;
  readonly code?: string;
  readonly op?: string;
  readonly luck?: unknown;
  readonly note?: string;
  readonly cause?: string;
  readonly line: boolean;
}

test("errors of a job arrive with class, code, message, cause and stack, and the workers go on", async () => {
  const said = await answer<{ 0: Record<string, Seen>; 2: Record<string, Seen>; onlyInWorkers: Seen; other: Seen }>(
    script("job-errors"),
  );
  for (const [mode, inline] of Object.entries(said[0])) {
    // Only a class that the main thread may not know becomes a plain Error of that name.
    if (mode === "own") expect(said[2][mode]).toEqual({ ...inline, class: "Error", name: "BadLuck" });
    else expect(said[2][mode]).toEqual(inline);
  }
  expect(said[2]["nabla"]).toMatchObject({ nabla: true, code: "ERR_SHAPE", op: "matmul", line: true });
  expect(said[2]["own"]).toMatchObject({ luck: { rows: 13 }, cause: "RangeError: the dice", line: true });
  expect(said[2]["uncloneable"]).toMatchObject({ message: "with a function", note: "kept" });
  expect(said[2]["late"]).toMatchObject({ nabla: true, code: "ERR_ARGUMENT", op: "DataParallel" });
  expect(said[2]["after"]).toEqual([]);
  expect(said.onlyInWorkers).toMatchObject({ name: "BadLuck", message: "no model in a worker" });
  expect(said.other).toMatchObject({
    code: "ERR_ARGUMENT",
    message: expect.stringContaining("another weight in a worker"),
  });
});

const sameByLoad = [
  "broken",
  "no-default",
  "not-a-job",
  "throws-at-load",
  "missing-import",
  "no-module",
  "no-parameters",
  "not-there",
  "commonjs",
  "model",
  "function",
  "path",
];

test("misuse gets one clear error", async () => {
  const said = await answer<Record<string, string>>(script("misuse"));
  const expected: Record<string, RegExp> = {
    broken: /^ERR_ARGUMENT: DataParallel: the job module file:.*broken\.mjs cannot be loaded: SyntaxError/,
    "no-default": /^ERR_ARGUMENT: .*is not a job module; expected export default defineJob/,
    "not-a-job": /^ERR_ARGUMENT: .*is not a job module/,
    "top-level-await":
      /^ERR_ARGUMENT: .*expected await DataParallel\.load\(url, options\), or a module without top-level await/,
    "load top-level-await": /^ERR_ARGUMENT: .*the job's model is no Module; expected an nn\.Module, got 1/,
    "throws-at-load": /^ERR_ARGUMENT: .*RangeError: this module refuses to load/,
    "missing-import": /^ERR_ARGUMENT: .*Cannot find module .*not-there\.mjs/,
    "no-module": /^ERR_ARGUMENT: .*the job's model is no Module; expected an nn\.Module, got 5/,
    "no-parameters": /^ERR_ARGUMENT: .*no parameters/,
    "not-there": /^ERR_ARGUMENT: .*Cannot find module/,
    commonjs: /^nothing$/,
    model:
      /^ERR_ARGUMENT: .*a model cannot cross a thread; expected await DataParallel\.load\(new URL.*defineJob.*got a Linear/,
    function: /^ERR_ARGUMENT: .*a model cannot cross a thread/,
    path: /^ERR_ARGUMENT: .*not a job module's URL/,
    web: /^ERR_ARGUMENT: .*not a job module's URL; .*got "https:/,
    workers: /^ERR_ARGUMENT: .*got -1/,
    shards: /^ERR_ARGUMENT: .*got 0/,
    unknown: /^ERR_ARGUMENT: .*did you mean "workers"/,
    seed: /^ERR_ARGUMENT: .*got NaN/,
    args: /^ERR_ARGUMENT: .*args cannot cross a thread/,
    "function/1": /^ERR_ARGUMENT: .*the batch cannot cross a thread/,
    "closed while it ran": /^ERR_WORKER: .*closed while it ran/,
  };
  for (const name of [...sameByLoad]) expected[`load ${name}`] = expected[name]!;
  for (const workers of [0, 1])
    Object.assign(expected, {
      [`no batch/${workers}`]: /^ERR_ARGUMENT: .*no tensor/,
      [`no tensor/${workers}`]: /^ERR_ARGUMENT: .*no tensor/,
      [`scalar/${workers}`]: /^ERR_SHAPE: .*no rows/,
      [`ragged/${workers}`]: /^ERR_SHAPE: .*differ in rows; got 8, 7/,
      [`empty/${workers}`]: /^ERR_SHAPE: .*the batch is empty/,
      [`width/${workers}`]: /^ERR_SHAPE: linear: /,
      [`class/${workers}`]: /^ERR_DTYPE: crossEntropy: target must hold class indices/,
      [`disposed/${workers}`]: /^ERR_DISPOSED: /,
      [`concurrent/${workers}`]: /^ERR_WORKER: .*a backward is running/,
      [`still good/${workers}`]: /^nothing$/,
      [`closed/${workers}`]: /^ERR_WORKER: .*have been closed/,
    });
  for (const [name, message] of Object.entries(said))
    expect(message, name).toMatch(expected[name] ?? /^a case without expectation$/);
  expect(Object.keys(said).sort()).toEqual(Object.keys(expected).sort());
});

test.each([
  ["constructed", 0, ""],
  ["computed", 0, ""],
  ["abandons", 0, ""],
  ["exits", 5, ""],
  ["throws", 1, "uncaught in main"],
])("a script that forgets close ends: %s", async (what, status, message) => {
  const result = await child(script("forgets-close"), { args: [what], timeout: 20_000 });
  expect(result).toMatchObject({ status, signal: null });
  expect(result.stderr).toContain(message);
});

test("a job that starts here and not in a worker is one NablaError", async () => {
  const said = await answer<Record<string, string>>(script("start-failures"));
  const unloaded = /^NablaError ERR_ARGUMENT: DataParallel: the job module file:.* cannot be loaded in a worker: /;
  for (const how of ["missing", "syntax", "throws"]) expect(said[how], how).toMatch(unloaded);
  expect(said["missing"]).toMatch(/Cannot find module .*not-there\.mjs/);
  expect(said["syntax"]).toMatch(/: SyntaxError: /);
  expect(said["throws"]).toMatch(/: RangeError: this thread refuses to load$/);
  expect(said["no default"]).toMatch(/^NablaError ERR_ARGUMENT: DataParallel: file:.* is not a job module; expected /);
  expect(said["exits"]).toBe(
    "NablaError ERR_WORKER: DataParallel.backward: workers keep dying; the last one said: worker exited with code: 3",
  );
});

describe("close", () => {
  interface Closed {
    readonly outcomes: Readonly<Record<string, number>>;
    readonly left: readonly number[];
    readonly started: number;
  }
  const settled =
    /^(finished|NablaError ERR_WORKER: DataParallel\.backward: (closed while it ran|workers keep dying; .*))$/;

  test.each([
    ["mlp", 20, []],
    ["restless", 12, []],
    // Without a listener for piscina's errors this threw in the main thread, and close never settled.
    ["greedy", 12, ["--max-old-space-size=48"]],
  ])("settles once, when no thread is left, at any moment: %s", { timeout: 120_000 }, async (how, count, flags) => {
    const { outcomes, left, started } = await answer<Closed>(script("closing"), { args: [how, count], flags });
    for (const outcome of Object.keys(outcomes)) expect(outcome).toMatch(settled);
    expect(left).toEqual(left.map(() => 0));
    expect(left).toHaveLength(count + 1);
    expect(started).toBeGreaterThan(count);
  });

  test("a pool that failed is not kept, and a step that failed draws the same random numbers again", async () => {
    const said = await answer<Record<string, unknown>>(script("failed-pool"));
    const [first, second] = said["inline"] as [number, number];
    expect(said).toEqual({
      failed: expect.stringMatching(/^NablaError ERR_WORKER: .*the last one said: no thread to be had$/),
      step: 0,
      next: first,
      afterIdleDeaths: second,
      inline: [first, second],
      left: 0,
      closedWhileFailing: "ERR_WORKER",
    });
    expect(first).not.toBe(second);
  });
});

describe("stateDict", () => {
  interface Run {
    readonly losses: readonly number[];
    readonly weights: string;
    readonly state: DataParallelState;
  }
  test("a run that is stopped and goes on in another process gives the bits of one that is not stopped", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nabla-resume-"));
    const run = (workers: number, last: number, file: string) =>
      answer<Run>(script("resume"), { args: [workers, last, join(folder, file)] });
    const whole = await run(2, 9, "whole.json");
    const parts = [await run(0, 4, "parts.json"), await run(1, 7, "parts.json"), await run(2, 9, "parts.json")];
    rmSync(folder, { recursive: true });
    expect(parts.flatMap(({ losses }) => losses)).toEqual(whole.losses);
    expect(parts.at(-1)!.weights).toBe(whole.weights);
    expect(parts.at(-1)!.state).toEqual(whole.state);
    expect(whole.state).toMatchObject({ step: 9, shards: 4 });
  });

  test("takes over seed and step, and refuses what is none", async () => {
    const url = new URL("./jobs/mlp.mjs", import.meta.url);
    const dp = await DataParallel.load(url, { workers: 0, shards: 2, seed: 5 });
    expect(dp.stateDict()).toEqual({ seed: 5, step: 0, shards: 2 });
    const running = dp.backward([zeros([4, 8]), zeros([4], { dtype: "int32" })]);
    expect(dp.stateDict().step).toBe(0);
    expect(() => dp.loadStateDict({ seed: 1, step: 1, shards: 2 })).toThrow(/ERR_WORKER|a backward is running/);
    await running;
    expect(dp.stateDict().step).toBe(1);
    dp.loadStateDict({ seed: 2 ** 52, step: 7, shards: 2 });
    expect(dp.seed).toBe(2 ** 52);
    expect(dp.stateDict()).toEqual({ seed: 2 ** 52, step: 7, shards: 2 });
    const wrong: unknown[] = [
      null,
      undefined,
      1,
      {},
      { seed: 1, step: 0.5, shards: 2 },
      { seed: -1, step: 0, shards: 2 },
    ];
    for (const state of [...wrong, { seed: 1, step: 1, shards: 3 }])
      expect(() => dp.loadStateDict(state as DataParallelState)).toThrow(
        /^DataParallel\.loadStateDict: .*expected .*got /,
      );
    expect(dp.stateDict()).toEqual({ seed: 2 ** 52, step: 7, shards: 2 });
    await dp.close();
  });
});

describe("loaders", () => {
  test("under hooks that give `require` a second nabla, load and workers import; `new` says so", async () => {
    const { new: made, ...said } = await answer<Record<string, unknown>>(script("hooked"), {
      flags: ["--require", fileURLToPath(new URL("./hooks/require.cjs", import.meta.url))],
    });
    const [own, squares] = [(i: number) => [6 * i, 77, [i, i, i], [8, 10, 12]], 3];
    expect(said).toEqual({
      twice: true,
      sums: Array.from({ length: squares }, (_, i) => own(2 + 1000 * i)).flat(),
      "load/0": true,
      "load/2": true,
    });
    const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[\\/]$/, "");
    expect(made).toBe(
      "NablaError ERR_ARGUMENT: DataParallel: the job has loaded another copy of nabla than this program; expected a " +
        `model of the copy in ${root}; await DataParallel.load(url, options) imports the job, as this program imports ` +
        `nabla, got a Sequential of another copy of nabla (${root}, 0.1.0; the same files, loaded twice)`,
    );
  });

  test("a job in TypeScript runs where Node strips types, and elsewhere by the project's jiti", async () => {
    const said = await answer<Record<string, unknown>>(script("typed"));
    expect(Object.keys(said)).toEqual(["load/0", "new/0", "load/2", "new/2"]);
    for (const outcome of Object.values(said)) expect(outcome).toBe(said["load/0"]);
    expect(said["load/0"]).toBeGreaterThan(0);
  });
});
