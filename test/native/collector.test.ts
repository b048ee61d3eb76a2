import { constants } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import { answer } from "../support/child.js";

interface Collected {
  readonly minor: readonly number[];
  readonly major: readonly number[];
  readonly young: number;
  readonly old: number;
  readonly exposed: string;
}

// `npm run test:nodes` runs these on every supported Node.
describe("the engine's collector", () => {
  test.each([
    { flags: [], exposed: "undefined" },
    { flags: ["--expose-gc"], exposed: "function" },
  ])("makes a scavenge or a full collection, as asked, with $flags", async ({ flags, exposed }) => {
    const script = new URL("./scripts/collector.mjs", import.meta.url);
    const collected = await answer<Collected>(script, { flags });
    expect(collected.minor).toEqual([constants.NODE_PERFORMANCE_GC_MINOR]);
    expect(collected.major).toEqual([constants.NODE_PERFORMANCE_GC_MAJOR]);
    expect(collected.young, "of 1,000 young tensors").toBeGreaterThan(990);
    expect(collected.old, "of 1,000 old tensors").toBeGreaterThan(990);
    expect(collected.exposed, "the flag stays as it was").toBe(exposed);
  });
});
