import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { answer } from "../support/child.js";

interface Tried {
  readonly cases: number;
  readonly allocations: number;
  readonly tries: number;
  readonly refused: number;
  readonly wrong: readonly string[];
}

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Repeated {
  readonly calls: number;
  readonly allocated: readonly (readonly [kernel: string, allocations: number])[];
  readonly uncalled: readonly string[];
}

const binary = join(root, "build/Release/nabla_failing.node");

describe.skipIf(process.platform !== "linux")("allocations of the add-on", () => {
  beforeAll(() => {
    execFileSync("cmake", ["--build", "build", "--config", "Release", "--target", "nabla_failing"], { cwd: root });
  }, 240_000);

  // `npm run test:allocations` fails every one.
  test("where one fails, a call gives its result or ERR_MEMORY, the next one works, and nothing stays allocated", async () => {
    const script = new URL("./scripts/allocations.mjs", import.meta.url);
    const { cases, tries, refused, wrong } = await answer<Tried>(script, {
      args: [2],
      flags: ["--expose-gc"],
      env: { NABLA_BINARY: binary },
      timeout: 240_000,
    });
    expect(wrong).toEqual([]);
    expect(cases).toBeGreaterThan(60);
    expect(refused).toBeGreaterThan(tries / 4);
  }, 250_000);

  test("a driver makes none in the second of two calls of one shape", async () => {
    const { calls, allocated, uncalled } = await answer<Repeated>(new URL("./scripts/repeats.mjs", import.meta.url), {
      env: { NABLA_BINARY: binary },
      timeout: 100_000,
    });
    expect(allocated).toEqual([]);
    expect(calls).toBeGreaterThan(7_000);
    // Those two are of DataParallel.
    expect(uncalled, "kernels that workloads.mjs does not call").toEqual(["empty", "weightedSum"]);
  }, 110_000);
});
