import { expect, test } from "vitest";
import { answer } from "../support/child.js";

test("steps of training reuse the memory of the steps before them", async () => {
  const script = new URL("./scripts/faults.mjs", import.meta.url);
  const { faults, filled } = await answer<{ faults: number; filled: number }>(script);
  expect(filled).toBeGreaterThan(100_000);
  expect(faults).toBeLessThan(filled / 50); // V8's own
});
