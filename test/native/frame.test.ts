import { scaledDotProductAttention, zeros } from "nabla";
import { describe, expect, test } from "vitest";
import { answer } from "../support/child.js";

const fuzz = new URL("./scripts/fuzz.mjs", import.meta.url);

interface Fuzzed {
  readonly seed: number;
  readonly executed: number;
  readonly succeeded: number;
  readonly leaked: number;
  readonly unreached: readonly string[];
}

describe("hand-made frames", () => {
  test("never crash, write only what they name, always get a status, leak nothing", async () => {
    const { seed, executed, succeeded, leaked, unreached } = await answer<Fuzzed>(fuzz, { args: [40_000] });
    console.log(`frames: seed ${seed}`); // repeats a failure: node test/native/scripts/fuzz.mjs 40000 SEED
    expect(executed).toBe(40_000);
    // Enough of them are calls that run, of every kernel: otherwise nothing behind the first check was tried.
    expect(succeeded).toBeGreaterThan(3_000);
    expect(unreached).toEqual([]);
    expect(leaked).toBe(0);
  });
});

test("a reduction over empty dimensions on both sides of a kept one divides by no zero", () => {
  expect(zeros([0, 3, 0]).sum([0, 2]).toArray()).toEqual([0, 0, 0]);
});

test("attention to values without elements asks no query, however many there are", () => {
  const queries = zeros([1, 1]).expand([2 ** 40, 1]);
  expect(scaledDotProductAttention(queries, zeros([1, 1]), zeros([1, 0])).shape).toEqual([2 ** 40, 0]);
});
