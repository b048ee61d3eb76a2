import fc from "fast-check";
import { DataLoader } from "nabla";
import { feistel, permutation, philox, wordsOf } from "nabla/internal";
import { describe, expect, test } from "vitest";

describe("philox 4x32-10 gives the published words", () => {
  const ones = 0xffffffff;
  test.each([
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    { counter: [ones, ones, ones, ones], key: [ones, ones], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ] as const)("counter $counter", ({ counter, key, words }) => {
    expect([...philox(counter, key)]).toEqual(words);
  });
});

const listed = (length: number, at: (position: number) => number): number[] => Array.from({ length }, (_, i) => at(i));

test("holds every index once, and depends on seed and epoch alone", () => {
  const seed = fc.oneof(fc.nat(), fc.maxSafeNat());
  const length = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 65_530, max: 66_000 }));
  fc.assert(
    fc.property(length, seed, seed, (length, seed, epoch) => {
      const order = listed(length, permutation(length, seed, epoch));
      expect(new Set(order).size).toBe(length);
      expect(order.every((i) => Number.isInteger(i) && i >= 0 && i < length)).toBe(true);
      expect(listed(length, permutation(length, seed, epoch)).join()).toBe(order.join());
    }),
    { numRuns: 40 },
  );
});

test("seeds and epochs that differ, also above 32 bits, give other orders", () => {
  const pairs = [0, 1, 2 ** 32, 2 ** 32 + 1].flatMap((seed) => [0, 1, 2 ** 32].map((epoch) => [seed, epoch] as const));
  for (const length of [50, 100_000]) {
    const orders = new Set(pairs.map(([seed, epoch]) => listed(50, permutation(length, seed, epoch)).join()));
    expect(orders.size).toBe(pairs.length);
  }
});

/** The 99.99 % point of chi-square, by the approximation of Wilson and Hilferty. */
const bound = (freedom: number): number =>
  freedom * (1 - 2 / (9 * freedom) + 3.719 * Math.sqrt(2 / (9 * freedom))) ** 3;

describe.each([
  ["the stored order", (n: number, epoch: number) => permutation(n, 5, epoch)],
  ["the computed order", (n: number, epoch: number) => feistel(n, wordsOf(5, epoch))],
])("%s", (_, orderOf) => {
  test.each([3, 4, 5, 6, 7, 8])("of %i: every order is about equally likely", (n) => {
    const orders = Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b);
    const each = Math.max(5, Math.ceil(20_000 / orders));
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < each * orders; epoch++) {
      const order = listed(n, orderOf(n, epoch)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const missing = orders - counts.size;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - each) ** 2 / each, missing * each);
    expect(chiSquare).toBeLessThan(bound(orders - 1));
  });

  test("neighbors are not correlated", () => {
    const [n, epochs] = [1000, 300];
    let sum = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = listed(n, orderOf(n, epoch)).map((value) => value - (n - 1) / 2);
      for (let i = 0; i + 1 < n; i++) sum += order[i]! * order[i + 1]!;
    }
    const correlation = sum / (epochs * (n - 1)) / ((n ** 2 - 1) / 12);
    expect(Math.abs(correlation + 1 / (n - 1))).toBeLessThan(4 / Math.sqrt(epochs * n));
  });
});

test("an order of a hundred million is not stored, and begins anywhere", () => {
  const length = 100_000_000;
  const dataset = { length, at: (i: number) => i };
  const options = { batchSize: 4, shuffle: true, seed: 2 };
  const all = new DataLoader(dataset, options);
  const before = process.memoryUsage().arrayBuffers;
  const at = (position: number): number[] => {
    all.loadStateDict({ seed: 2, epoch: 7, position, batchSize: 4, length });
    for (const batch of all) return batch.toArray() as number[];
    return [];
  };
  const [first, late, last] = [at(0), at(20_000_000), at(24_999_999)];
  expect(new Set([...first!, ...late!, ...last!]).size).toBe(12);
  expect(at(20_000_000)).toEqual(late);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
});
