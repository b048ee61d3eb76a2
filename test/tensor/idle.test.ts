import { memory, ones, randn, trim } from "nabla";
import { expect, test } from "vitest";
import { answer } from "../support/child.js";

const script = new URL("./scripts/idle.mjs", import.meta.url);

interface Run {
  readonly burst: number;
  readonly before: number;
  readonly after: number;
  readonly end: number;
  readonly majors: number;
  readonly cached: number;
  readonly at: number;
}

test("after a burst of 2 GB memory goes back within 10 s, by at most one major collection", async () => {
  const run = await answer<Run>(script, { args: ["wait"] });
  expect(run.burst).toBe(2048);
  expect(run.after - run.before).toBeGreaterThan(1500);
  expect(run.end - run.before).toBeLessThan(200);
  expect(run.cached).toBeLessThanOrEqual(64);
  expect(run.majors).toBeLessThanOrEqual(1);
}, 60_000);

test("a script without work ends at once", async () => {
  const { at } = await answer<Run>(script, { args: ["exit"] });
  expect(Date.now() - at).toBeLessThan(3000);
}, 60_000);

test("trim gives back what nothing refers to and what is kept for reuse", () => {
  const live = memory().liveBytes;
  for (let i = 0; i < 10; i++) ones([2 ** 20]).add(i);
  trim();
  expect(memory().liveBytes - live).toBeLessThan(2 ** 20);
  expect(memory().cachedBytes).toBe(0);
});

test("trim gives back the scratch memory of ops", () => {
  const x = randn([600, 600]);
  trim();
  const { liveBytes } = memory();
  x.matmul(x).dispose();
  expect(memory().liveBytes).toBeGreaterThan(liveBytes + 2 ** 19);
  trim();
  expect(memory().liveBytes).toBeLessThanOrEqual(liveBytes);
});
