import { grad, memory, ones, randn, type Tensor } from "nabla";
import { addon } from "nabla/internal";
import { beforeEach, expect, test } from "vitest";
import { settle } from "../support/settle.js";

/** The most that is live while `work` runs so many times, in MB over what there was. */
function peakOf(times: number, work: () => void): number {
  const before = memory().liveBytes;
  addon.resetPeak();
  for (let i = 0; i < times; i++) work();
  return (memory().peakBytes - before) / 2 ** 20;
}

beforeEach(settle);

test("results that nobody holds are reused after tens of megabytes, in a loop that never yields", () => {
  const x = ones([100_000]);
  // 2,000 results of 0.4 MB; the collections between reclaims leave room for a few steps of 16 MB.
  expect(peakOf(2000, () => x.add(x))).toBeLessThan(64);
});

test("large results that nobody holds take turns in the memory of a few", () => {
  const x = ones([3_000_000]);
  const work = () => x.add(x);
  peakOf(100, work); // reclaims come closer while they free what they should
  settle();
  const peak = peakOf(50, work);
  expect(peak).toBeLessThan(72);
  expect(peak).toBeGreaterThan(11); // memory that is used again counts
});

test("gradients over large tensors do not pile up: collections are not so frequent that they promote what is in use", () => {
  const x = randn([3_000_000]);
  const w = randn([3_000_000]);
  const slope = grad((t: Tensor) => {
    let y = t;
    for (let i = 0; i < 5; i++) y = y.mul(w).add(1);
    return y.sum();
  });
  expect(peakOf(20, () => slope(x))).toBeLessThan(400);
});

test("what is held is left alone: the steps between reclaims grow, and every value is right", () => {
  const held = Array.from({ length: 300 }, (_, i) => ones([100_000]).mul(i));
  held.forEach((x, i) => {
    expect(x.at(99_999).item()).toBe(i);
  });
});
