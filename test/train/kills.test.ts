import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answer } from "../support/child.js";

const script = new URL("./scripts/run.mjs", import.meta.url);
const job = new URL("./jobs/stateful.mjs", import.meta.url).href;
const argumentsOf = (out: string, workers: number): string[] => [job, out, JSON.stringify({ workers })];
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-kills-"));
});
afterAll(() => rm(dir, { recursive: true }));

/** Starts a run and kills it once it has printed so many steps. */
const killed = (out: string, workers: number, steps: number): Promise<NodeJS.Signals | null> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [fileURLToPath(script), ...argumentsOf(out, workers)]);
    let seen = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      seen += text.split("\n").length - 1;
      if (seen >= steps) child.kill("SIGKILL");
    });
    child.on("close", (_, signal) => resolve(signal));
  });
const finished = (out: string, workers: number) => answer(script, { args: argumentsOf(out, workers) });

describe("a run that is killed and goes on", { timeout: 120_000 }, () => {
  let whole: unknown;
  const without = (out: string, said: unknown): unknown => JSON.parse(JSON.stringify(said).replaceAll(out, ""));
  beforeAll(async () => {
    const out = join(dir, "whole");
    whole = without(out, await finished(out, 0));
    expect(whole).toMatchObject({ reason: "finished", step: 60, evaluations: 9 });
  });

  test("three times, has the bits of one that is not", async () => {
    const out = join(dir, "killed");
    for (const steps of [13, 22, 9]) expect(await killed(out, 0, steps)).toBe("SIGKILL");
    expect(without(out, await finished(out, 0))).toEqual(whole);
  });

  test.each([[[2, 0]], [[2, 1]], [[0, 4]]])("may do so with another number of workers: %o", async ([before, after]) => {
    const out = join(dir, `workers-${before}-${after}`);
    expect(await killed(out, before!, 25)).toBe("SIGKILL");
    expect(without(out, await finished(out, after!))).toEqual(whole);
  });
});
