// Runs under vitest's pools and under Jest, whose functions are global.
import { DataParallel, manualSeed, ones } from "nabla";

const { expect, test } = globalThis;
const url = new URL("./job.js", import.meta.url);
const batch = () => [ones([8, 2]), ones([8, 1])];

test("load gives a model of this copy, here and in workers", async () => {
  const losses = [];
  for (const workers of [0, 2]) {
    manualSeed(1);
    const dp = await DataParallel.load(url, { workers });
    losses.push((await dp.backward(batch())).item());
    await dp.close();
  }
  expect(losses[0]).toBeGreaterThan(0);
  expect(losses[1]).toBe(losses[0]);
});

test("new works, or names load", async () => {
  let dp;
  try {
    dp = new DataParallel(url, { workers: 0 });
  } catch (error) {
    expect(error.message).toContain("DataParallel.load(url, options)");
    return;
  }
  expect((await dp.backward(batch())).item()).toBeGreaterThan(0);
  await dp.close();
});
