import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadCheckpoint, type Tensor } from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jobs, lines, nabla, start } from "./cli.js";

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nabla-cli-"));
  out = join(folder, "run");
});
afterEach(() => rm(folder, { recursive: true }));

const sign = join(jobs, "sign.mjs");
const train = (...flags: string[]) => nabla(["train", sign, "--out", out, ...flags], folder);
const job = async () => JSON.parse(await readFile(join(out, "job.json"), "utf8"));
const metrics = async () => lines(await readFile(join(out, "metrics.jsonl"), "utf8"));
const report = () => readFile(join(out, "report.html"), "utf8");

async function weights(): Promise<number[]> {
  const names = readdirSync(join(out, "checkpoints")).sort();
  const { model } = await loadCheckpoint<{ model: Record<string, Tensor> }>(join(out, "checkpoints", names.at(-1)!));
  return Object.values(model).flatMap((tensor) => [...tensor.toTypedArray()] as number[]);
}

describe("the command line", () => {
  test("without arguments: help, and 64", async () => {
    const { code, stdout, stderr } = await nabla([]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    for (const command of ["train", "info", "compare", "export"])
      expect(stderr).toMatch(new RegExp(`^ {2}${command} `, "m"));
    const asked = await nabla(["train", "--help"]);
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    expect(asked.stdout).toMatch(/--lr <rate>[\s\S]*SIGTERM[\s\S]*75 interrupted/);
  });

  test.each([
    [["train"], /missing required argument 'job'/],
    [["train", sign, "--epoch", "3"], /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    [["train", sign, "--epochs", "few"], /"few" is not a number/],
    [["train", sign, "--epochs", "0"], /epochs is not valid; expected an integer of at least 1, got 0/],
    [["train", sign, "--epochs", "2", "--steps", "3"], /epochs and steps contradict each other/],
    [["train", sign, "--resume", "--fresh"], /'--resume' cannot be used with option '--fresh'/],
    [["train", sign, "--every", "soon"], /"soon" is not a time such as 10s, 500ms or 2m/],
    [["train", sign, "--args.widht", "3"], /the job has no argument "widht" \(did you mean --args\.width\?\)/],
    [["train", sign, "--args.width", "wide"], /--args\.width must be a number, as 16 is; got "wide"/],
    [["train", sign, "--args.flags=[1]"], /--args\.flags must be an object in JSON; got "\[1\]"/],
    [["info", sign, "--args.width", "3"], /unknown option '--args\.width'/],
    [["fly"], /unknown command 'fly'/],
  ])("%j is 64, and nothing is written", async (line, message) => {
    const { code, stdout, stderr } = await nabla(line, folder);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["none.mjs", "", /the job module .*none\.mjs cannot be loaded: Cannot find module/],
    ["empty.mjs", "", /empty\.mjs is not a job module; expected export default defineJob/],
    [
      "wrong.mjs",
      "export default { model() {}, loss() {}, epoch: 3 };",
      /unknown option "epoch" \(did you mean "epochs"\?\)/,
    ],
    ["nodata.mjs", "", /the job has no data/],
  ])("the job %s is 65", async (name, text, message) => {
    const path = join(folder, name);
    const from = JSON.stringify(new URL("../../dist/index.js", import.meta.url));
    const noData = `import { nn } from ${from}; export default { model: () => new nn.Linear(1, 1), loss() {} };`;
    if (name !== "none.mjs") await writeFile(path, name === "nodata.mjs" ? noData : text);
    const { code, stderr } = await nabla(["train", path, "--out", out], folder);
    expect(stderr).toMatch(message);
    expect(code).toBe(65);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe("a run", () => {
  test("leaves its job, metrics, checkpoints and a report; flags are in place of fields and arguments", async () => {
    const flags = [
      "--epochs",
      "2",
      "--lr",
      "3e-3",
      "--args.width",
      "8",
      "--args.name=7",
      "--args.flags",
      '{"bias":false}',
    ];
    const { code, stdout, stderr } = await train(...flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "evaluating\n" });
    expect(stdout).toMatch(/^.*run: 82 parameters, 20 steps\n[\s\S]*finished at step 20 after 0:0\d; last checkpoint/);
    const { epochs, lr, args, batch } = await job();
    expect([epochs, lr, batch]).toEqual([
      { value: 2, from: "option" },
      { value: 3e-3, from: "option" },
      { value: 32, from: "job" },
    ]);
    expect(args.value).toMatchObject({ width: 8, name: "7", flags: { bias: false }, rate: 0.1 });
    const events = await metrics();
    expect(events.filter(({ type }) => type === "step").map(({ step }) => step)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(events.at(-1)).toMatchObject({ type: "end", reason: "finished" });
    expect(await report()).toContain('<span class="state good">finished</span>');
    expect(readdirSync(out).filter((name) => name.startsWith("events.out"))).toEqual([]);
  });

  test("that is there already needs --resume or --fresh, and goes on with the same bits", async () => {
    await train("--steps", "17", "--quiet");
    const again = await train("--steps", "30");
    expect(again.code).toBe(65);
    expect(again.stderr).toMatch(/holds the checkpoints of a run; expected --resume to go on from step 17, or --fresh/);
    const changed = await train("--steps", "30", "--resume", "--batch", "16");
    expect(changed).toMatchObject({ code: 65, stderr: expect.stringMatching(/changed since: batch; .*--allow batch/) });
    const resumed = await train("--steps", "30", "--resume", "--tensorboard");
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toMatch(/goes on after step 17, from .*step-00000017/);
    const steps = (await metrics()).filter(({ type }) => type === "step").map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    const bits = await weights();
    expect((await train("--steps", "30", "--fresh", "--quiet")).code).toBe(0);
    expect(await weights()).toEqual(bits);
    expect((await metrics()).filter(({ type }) => type === "start")).toHaveLength(1);
  });

  test("--json: events on stdout, the rest on stderr; --quiet: only how it ended", async () => {
    const { stdout, stderr } = await train("--steps", "3", "--json");
    expect(lines(stdout).map(({ type }) => type)).toEqual([
      ...["start", "step", "step", "step", "evaluate", "checkpoint", "end"],
    ]);
    expect(stderr).toContain("finished at step 3");
    const quiet = await train("--steps", "3", "--fresh", "--quiet");
    expect(quiet.stdout).toMatch(/^finished at step 3.*\n$/);
  });

  test("keeps other processes out of its folder", async () => {
    const running = start(["train", sign, "--out", out, "--args.slow", "50", "--json"], folder);
    await running.until('"step":1');
    const { code, stderr } = await train("--resume");
    expect({ code, stderr }).toEqual({ code: 65, stderr: expect.stringMatching(/another process trains into .*run;/) });
    expect((await running.ended).code).toBe(0);
  });

  test("whoever reads its output may leave", async () => {
    const running = start(["train", sign, "--out", out, "--args.slow", "20", "--json"], folder);
    await running.until('"step":1');
    running.process.stdout!.destroy();
    running.process.stderr!.destroy();
    expect((await running.ended).code).toBe(0);
    expect((await metrics()).at(-1)).toMatchObject({ type: "end", reason: "finished" });
  });

  test("whose loss is not finite is 76", async () => {
    const { code, stdout } = await train("--args.nanAt", "8");
    expect(code).toBe(76);
    expect(stdout).toMatch(/warning: step 8: .*not finite/);
    expect(stdout).toMatch(/the loss is not finite at step 7/);
    expect(await report()).toContain('<span class="state bad">the loss is not finite</span>');
  });

  test("that fails is 70, with what failed in the report and a checkpoint to go on from", async () => {
    const { code, stderr } = await train("--args.throwAt", "8");
    expect(code).toBe(70);
    expect(stderr).toMatch(/Error: the data is <bad>\n {4}at .*sign\.mjs/);
    expect(await report()).toMatch(/<pre class="bad">Error: the data is &lt;bad&gt;/);
    expect((await train("--resume", "--quiet", "--allow", "args")).code).toBe(0);
  });

  test.runIf(process.platform !== "win32")("that cannot write its last checkpoint is 74", async () => {
    const line = ["train", sign, "--out", out, "--args.width", "3000", "--steps", "6"];
    const { code, stderr, stdout } = await start(line, folder, 64).ended;
    expect(stdout).toMatch(/warning: .*EFBIG/);
    expect(stderr).toMatch(/the last checkpoint could not be written: EFBIG/);
    expect(code).toBe(74);
  });

  test("--dry-run shows the model and what it takes, and writes nothing", async () => {
    const { code, stdout } = await train("--dry-run", "--epochs", "3", "--args.width", "64");
    expect(code).toBe(0);
    expect(stdout).toMatch(/706 parameters, 706 of them trained/);
    for (const line of [/^steps +30$/m, /^batch +32 rows$/m, /^forward +\d+ FLOPs a row$/m, /^weights +2\.758 KB$/m])
      expect(stdout).toMatch(line);
    expect(stdout).toMatch(/^checkpoint +8\.27\d KB; .* free in .*run$/m);
    expect(existsSync(out)).toBe(false);
  });
});

describe.runIf(process.platform !== "win32")("signals", () => {
  const slow = (...flags: string[]) => start(["train", sign, "--out", out, "--json", ...flags], folder);

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s: a checkpoint after the batch, and 75", async (name) => {
    const running = slow("--args.slow", "50", "--steps", "20");
    await running.until('"step":7');
    running.process.kill(name);
    const { code, stderr } = await running.ended;
    expect(code).toBe(75);
    expect(stderr).toContain(`${name}: the run ends after this batch`);
    const [checkpoint, end] = (await metrics()).slice(-2);
    expect(end).toMatchObject({ type: "end", reason: "signal" });
    expect(checkpoint).toMatchObject({ type: "checkpoint", step: end!["step"] });
    expect(end!["step"]).toBeLessThan(20);
    expect((await train("--args.slow", "50", "--steps", "20", "--resume", "--quiet")).code).toBe(0);
    const bits = await weights();
    await train("--args.slow", "1", "--steps", "20", "--fresh", "--quiet");
    expect(bits).toEqual(await weights());
  });

  test("SIGKILL: the run goes on from its last checkpoint, and its metrics have each step once", async () => {
    const running = slow("--args.slow", "50", "--steps", "14");
    await running.until('"step":9');
    running.process.kill("SIGKILL");
    expect((await running.ended).code).toBe(null);
    const resumed = await train("--args.slow", "50", "--steps", "14", "--resume");
    expect(resumed.stdout).toMatch(/goes on after step 5,/);
    const steps = (await metrics()).filter(({ type }) => type === "step").map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
  });

  test("during an evaluation, too", async () => {
    const running = slow("--args.slowEvaluation", "200");
    await running.until("evaluating");
    running.process.kill("SIGTERM");
    expect((await running.ended).code).toBe(75);
    const events = await metrics();
    expect(events.filter(({ type }) => type === "evaluate")).toEqual([]);
    expect(events.at(-2)).toMatchObject({ type: "checkpoint", step: 10 });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("a second %s ends it at once: %i", async (name, code) => {
    const running = start(["train", join(jobs, "stuck.mjs"), "--out", out], folder);
    await running.until("waiting");
    running.process.kill(name);
    await running.until("once more ends it at once");
    running.process.kill(name);
    expect((await running.ended).code).toBe(code);
  });

  test("as npm runs it, a signal that arrives twice is one", async () => {
    const job = ["train", sign, "--out", out, "--json", "--args.slow", "50", "--steps", "20"];
    const running = start(job, folder, undefined, "start");
    await running.until('"step":7');
    running.process.kill("SIGINT");
    await running.until("the run ends after this batch");
    running.process.kill("SIGINT");
    expect((await running.ended).code).toBe(75);
  });

  test("SIGUSR2 saves, and the run goes on", async () => {
    const running = slow("--args.slow", "50", "--steps", "9");
    await running.until('"step":6');
    running.process.kill("SIGUSR2");
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    const saved = lines(stdout).filter(({ type }) => type === "checkpoint");
    expect(saved.map(({ step }) => step)).toEqual([5, expect.toSatisfy((step) => step > 5 && step < 9), 9]);
  });
});

const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);

describe("a job in TypeScript", () => {
  const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const text = (syntax: string) => `
    import { defineJob, nn, randn, type Tensor, TensorDataset } from ${JSON.stringify(root("dist/index.js"))};
    ${syntax}
    export default defineJob({
      model: () => new nn.Linear(4, 2),
      data: () => ({ train: new TensorDataset(randn([64, 4]), randn([64, 2])) }),
      loss: (model, [x, y]: readonly [Tensor, Tensor]) => nn.functional.mseLoss(model.forward(x), y),
      epochs: 1,
    });`;
  const run = (...flags: string[]) =>
    nabla(["train", join(folder, "job.ts"), "--out", out, "--quiet", ...flags], folder);

  test.runIf(stripsTypes)("runs as it is", async () => {
    await writeFile(join(folder, "job.ts"), text("interface Row { readonly x: Tensor }"));
    expect((await run("--workers", "1")).code).toBe(0);
  });

  test.runIf(!stripsTypes)("runs by the project's jiti, in workers too; without it one sentence names it", async () => {
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(join(folder, "job.ts"), text("enum Side { left, right }"));
    const { code, stderr } = await run();
    expect(code).toBe(65);
    expect(stderr).toMatch(
      /TypeScript needs Node 22\.18 or later, the package jiti beside the job, or to be compiled\n$/,
    );
    await symlink(root("node_modules"), join(folder, "node_modules"), "junction");
    for (const workers of ["0", "1"])
      expect(await run("--workers", workers, "--fresh")).toMatchObject({ code: 0, stderr: "" });
    await writeFile(join(folder, "job.ts"), "export default {{");
    expect(await run("--fresh")).toMatchObject({
      code: 65,
      stderr: expect.stringMatching(/job\.ts cannot be loaded: \w*Error/),
    });
  });
});
