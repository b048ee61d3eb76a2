import fc from "fast-check";
import { permutation, philox } from "nabla/internal";
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

test("holds every index once, and depends on seed and epoch alone", () => {
  const seed = fc.oneof(fc.nat(), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), seed, seed, (length, seed, epoch) => {
      const order = permutation(length, seed, epoch);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
      expect(permutation(length, seed, epoch)).toEqual(order);
    }),
  );
});

test("seeds and epochs that differ, also above 32 bits, give other orders", () => {
  const pairs = [0, 1, 2 ** 32, 2 ** 32 + 1].flatMap((seed) => [0, 1, 2 ** 32].map((epoch) => [seed, epoch] as const));
  const orders = new Set(pairs.map(([seed, epoch]) => permutation(50, seed, epoch).join()));
  expect(orders.size).toBe(pairs.length);
});

test("every order of four is about equally likely", () => {
  const counts = new Map<string, number>();
  const draws = 24_000;
  for (let epoch = 0; epoch < draws; epoch++) {
    const order = permutation(4, 5, epoch).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const each = draws / 24;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - each) ** 2 / each, 0);
  expect(chiSquare).toBeLessThan(49.7); // the 99.9 % point with 23 degrees of freedom
});
