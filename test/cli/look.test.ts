import { mkdtemp, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSafetensors, saveCheckpoint, saveNpy, saveNpz, saveSafetensors, tensor, zeros } from "nabla";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jobs, nabla } from "./cli.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nabla-look-"));
  const train = (...flags: string[]) => nabla(["train", join(jobs, "sign.mjs"), "--quiet", ...flags], folder);
  await train("--out", "a", "--steps", "12");
  await train("--out", "b", "--steps", "7", "--args.width", "4", "--ema", "0.9");
});
afterAll(() => rm(folder, { recursive: true }));

const answered = async (...line: string[]): Promise<string> => {
  const { code, stdout, stderr } = await nabla(line, folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};
const refused = async (...line: string[]): Promise<string> => {
  const { code, stdout, stderr } = await nabla(line, folder);
  expect({ code, stdout }).toEqual({ code: 65, stdout: "" });
  expect(stderr).not.toMatch(/\n {4}at /);
  return stderr;
};

test("info: the machine", async () => {
  const text = await answered("info");
  for (const line of [/^nabla +0\.1\.0$/m, /^Node +v\d+/m, /^kernels +\w+ of .*scalar$/m, /^threads +\d+$/m])
    expect(text).toMatch(line);
});

test("info: a run", async () => {
  const text = await answered("info", "a");
  expect(text).toMatch(/^state +finished$/m);
  expect(text).toMatch(/^steps +12 of 12$/m);
  expect(text).toMatch(/^evaluated +test\.loss \d\.\d+, test\.accuracy \d\.\d+, at step 12$/m);
  expect(text).toMatch(/^checkpoints +\d, the newest is .*step-00000012\.safetensors$/m);
});

test("info: how a run ended, in words", async () => {
  await nabla(["train", join(jobs, "sign.mjs"), "--quiet", "--out", "nan", "--args.nanAt", "3"], folder);
  expect(await answered("info", "nan")).toMatch(/^state +the loss is not finite$/m);
});

test("info: files of tensors", async () => {
  const x = zeros([2, 3], { dtype: "float16" });
  await saveSafetensors(join(folder, "x.safetensors"), { "\u001b[2Jx": x }, { metadata: { made: "by\nhand" } });
  await saveNpy(join(folder, "x.npy"), x);
  await saveNpz(join(folder, "x.npz"), { x, y: tensor([1]) });
  expect(await answered("info", "x.safetensors")).toBe(
    "name        dtype    shape   size\n\\u{1b}[2Jx  float16  [2, 3]  12 B\n1 tensor, 12 B\nmade: by\\u{a}hand\n",
  );
  expect(await answered("info", "x.npy")).toMatch(/x\.npy +float16 +\[2, 3\] +12 B/);
  expect(await answered("info", "x.npz")).toMatch(/^y +float32 +\[1\] +4 B$/m);
  expect(await answered("info", join("a", "checkpoints", "step-00000012.safetensors"))).toMatch(/^model\.0\.weight/m);
});

test("info: what is no such file", async () => {
  expect(await refused("info", "nothing")).toMatch(/ENOENT/);
  expect(await refused("info", join("a", "job.json"))).toMatch(/job\.json/);
  expect(await refused("info", folder)).toMatch(/ENOENT.*metrics\.jsonl/);
});

test("compare: what differs, and what came of it", async () => {
  const text = await answered("compare", "a", "b");
  expect(text.split("\n")[0]).toMatch(/^ +a +b$/);
  expect(text).toMatch(/^steps +12 +7$/m);
  expect(text).toMatch(/^ema +– +0\.9$/m);
  expect(text).toMatch(/^args +.*"width":16.* +.*"width":4/m);
  expect(text).not.toMatch(/^batch/m);
  expect(text).toMatch(/^test\.accuracy +[\d.]+ +[\d.]+$/m);
});

test("export: the newest and the best weights, averaged ones where there are any", async () => {
  expect(await answered("export", "a", "--to", "a.safetensors")).toBe(
    "a.safetensors: the weights of step 12, 4 tensors\n",
  );
  expect(Object.keys(await loadSafetensors(join(folder, "a.safetensors"))).sort()).toEqual(
    ["0.bias", "0.weight", "3.bias", "3.weight"].sort(),
  );
  expect(await answered("export", "a", "--to", "best.safetensors", "--best")).toMatch(/weights of step \d+, 4 tensors/);
  expect(await answered("export", "b", "--to", "b.safetensors")).toBe(
    "b.safetensors: the averaged weights of step 7, 4 tensors\n",
  );
  expect(await refused("export", folder, "--to", "x.safetensors")).toMatch(/there is no checkpoint in/);
  await saveCheckpoint(join(folder, "other.safetensors"), { w: tensor([1]) });
  expect(await refused("export", "other.safetensors", "--to", "x.safetensors")).toMatch(/not of a run/);
});

test("export: a damaged checkpoint is skipped, and said to be", async () => {
  await nabla(["train", join(jobs, "sign.mjs"), "--quiet", "--out", "c", "--steps", "12"], folder);
  const newest = join(folder, "c", "checkpoints", "step-00000012.safetensors");
  await truncate(newest, (await stat(newest)).size - 1);
  const { code, stdout, stderr } = await nabla(["export", "c", "--to", "c.safetensors"], folder);
  expect(stdout).toBe("c.safetensors: the weights of step 10, 4 tensors\n");
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^warning: skipped: .*step-00000012/) });
});
