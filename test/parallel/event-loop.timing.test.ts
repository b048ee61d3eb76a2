import { expect, test } from "vitest";
import { answer } from "../support/child.js";

test("the event loop stays free while workers compute", async () => {
  const { steps, p99 } = await answer<{ steps: number; p99: number }>(
    new URL("./scripts/event-loop.mjs", import.meta.url),
  );
  expect(steps).toBeGreaterThan(20);
  expect(p99).toBeLessThanOrEqual(20);
});
