/**
 * The state of a random stream: a seed of up to 53 bits and the number of calls made. Counter-based: the numbers of a
 * call depend on (seed, call) alone.
 */
export class RandomKey {
  readonly seed: number;
  calls = 0;
  private readonly words: readonly [number, number];

  constructor(seed: number, words?: readonly [number, number]) {
    this.seed = seed;
    this.words = words ?? mix([seed >>> 0, Math.floor(seed / 2 ** 32)]);
  }
  /** A copy, which gives the same numbers. */
  copy(): RandomKey {
    const copy = new RandomKey(this.seed, this.words);
    copy.calls = this.calls;
    return copy;
  }
  /** [key low, key high, stream] of the next call. */
  next(): number[] {
    return [this.words[0], this.words[1], this.calls++];
  }
}

/** A key derived from several integers, such as (seed, step, shard). */
export function keyFor(...parts: readonly number[]): RandomKey {
  let words: readonly [number, number] = [0x9e3779b9, 0x243f6a88];
  for (const part of parts)
    words = mix([(words[0] ^ (part >>> 0)) >>> 0, (words[1] ^ Math.floor(part / 2 ** 32)) >>> 0]);
  return new RandomKey(parts[0] ?? 0, words);
}

// Mixes two 32-bit words by multiply-xorshift rounds (the constants of MurmurHash3's finalizer).
function mix([a, b]: readonly [number, number]): readonly [number, number] {
  let x = a >>> 0;
  let y = b >>> 0;
  for (let round = 0; round < 3; round++) {
    x = stir((x + 0x9e3779b9 + y) >>> 0);
    y = stir((y ^ x) >>> 0);
  }
  return [x, y];
}

function stir(word: number): number {
  let w = word;
  w = Math.imul(w ^ (w >>> 16), 0x85ebca6b);
  w = Math.imul(w ^ (w >>> 13), 0xc2b2ae35);
  return (w ^ (w >>> 16)) >>> 0;
}
