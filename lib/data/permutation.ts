/** The order of the samples of an epoch. */
import { wordsOf } from "./philox.js";

/** The sample at each position. */
export type Order = (position: number) => number;

/** Longer orders are computed position by position, without memory. */
const longest = 2 ** 16;

/** A random permutation of `0 … length - 1`, determined by the seed and the epoch. */
export function permutation(length: number, seed: number, epoch: number): Order {
  const draw = wordsOf(seed, epoch);
  return length <= longest ? shuffled(length, draw) : feistel(length, draw);
}

/** By the algorithm of Fisher and Yates: all permutations are equally likely. */
function shuffled(length: number, draw: () => number): Order {
  // Rejection sampling: words beyond the last multiple of the bound are redrawn, as the remainder alone would be
  // biased.
  const below = (bound: number): number => {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let word = draw();
    while (word >= limit) word = draw();
    return word % bound;
  };
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return (position) => order[position]!;
}

const rounds = 36;

/**
 * By a Feistel network over the next power of two; numbers beyond the length are permuted again.
 * @source Black and Rogaway, Ciphers with arbitrary finite domains, 2002.
 */
export function feistel(length: number, draw: () => number): Order {
  const bits = 32 - Math.clz32(length - 1);
  const low = bits >> 1;
  const lowMask = 2 ** low - 1;
  const highMask = 2 ** (bits - low) - 1;
  const keys = Int32Array.from({ length: rounds }, draw);
  return (position) => {
    let i = position;
    do {
      let a = i >>> low;
      let b = i & lowMask;
      for (let round = 0; round < rounds; round += 2) {
        a ^= hash(b ^ keys[round]!) & highMask;
        b ^= hash(a ^ keys[round + 1]!) & lowMask;
      }
      i = (a << low) | b;
    } while (i >= length);
    return i;
  };
}

/** Every bit of the result depends on every bit of x. @source The finalizer of MurmurHash3 by Austin Appleby. */
function hash(x: number): number {
  let y = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  y = Math.imul(y ^ (y >>> 13), 0xc2b2ae35);
  return y ^ (y >>> 16);
}
