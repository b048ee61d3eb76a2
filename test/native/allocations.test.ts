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

describe.skipIf(process.platform !== "linux")("where an allocation of the add-on fails", () => {
  beforeAll(() => {
    execFileSync("cmake", ["--build", "build", "--config", "Release", "--target", "nabla_failing"], { cwd: root });
  }, 240_000);

  // `npm run test:allocations` fails every one.
  test("a call gives its result or ERR_MEMORY, the next one works, and nothing stays allocated", async () => {
    const script = new URL("./scripts/allocations.mjs", import.meta.url);
    const { cases, tries, refused, wrong } = await answer<Tried>(script, {
      args: [2],
      flags: ["--expose-gc"],
      env: { NABLA_BINARY: join(root, "build/Release/nabla_failing.node") },
      timeout: 240_000,
    });
    expect(wrong).toEqual([]);
    expect(cases).toBeGreaterThan(60);
    expect(refused).toBeGreaterThan(tries / 4);
  }, 250_000);
});
