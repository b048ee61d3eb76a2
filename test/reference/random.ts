/** Philox4x32-10, Salmon, Moraes, Dror and Shaw, 2011, in BigInt; and numbers made of its words. */
const mask = 0xffffffffn;

/** The four words of one counter. */
function block(index: bigint, stream: bigint, key: readonly [number, number]): number[] {
  let [a, b, c, d] = [index & mask, index >> 32n, stream & mask, stream >> 32n];
  let [k0, k1] = [BigInt(key[0]), BigInt(key[1])];
  for (let round = 0; round < 10; round++) {
    const p = a * 0xd2511f53n;
    const q = c * 0xcd9e8d57n;
    [a, b, c, d] = [(q >> 32n) ^ b ^ k0, q & mask, (p >> 32n) ^ d ^ k1, p & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [a, b, c, d].map(Number);
}

/** [key low, key high, stream]. */
export type Key = readonly [number, number, number];

/** Word `w` of counter `i` of each batch of 16 counters. */
function word(key: Key, batch: number, i: number, w: number): number {
  return block(BigInt(batch * 16 + i), BigInt(key[2]), [key[0], key[1]])[w]!;
}

/** 64 bits of element e: a first and a second word, then a third and a fourth. */
function long(key: Key, e: number): bigint {
  const [batch, place] = [Math.floor(e / 32), e % 32];
  const half = place < 16 ? 0 : 2;
  return BigInt(word(key, batch, place % 16, half)) | (BigInt(word(key, batch, place % 16, half + 1)) << 32n);
}

const list = (n: number, f: (e: number) => number): number[] => Array.from({ length: n }, (_, e) => f(e));

export function uniform(key: Key, n: number, single: boolean): number[] {
  if (!single) return list(n, (e) => Number(long(key, e) >> 11n) * 2 ** -53);
  return list(n, (e) => {
    const place = e % 64;
    return (word(key, Math.floor(e / 64), place % 16, Math.floor(place / 16)) >>> 8) * 2 ** -24;
  });
}

export const integers = (key: Key, n: number, low: number, size: number): number[] =>
  list(n, (e) => low + Number((long(key, e) * BigInt(size)) >> 64n));

/** Box and Muller: of each pair of uniform numbers the cosine and, 16 elements on, the sine. */
export function normal(key: Key, n: number, single: boolean): number[] {
  return list(n, (e) => {
    const [batch, place] = [Math.floor(e / (single ? 64 : 32)), e % (single ? 64 : 32)];
    const i = place % 16;
    const half = single ? 2 * Math.floor(place / 32) : 0;
    let radius: number;
    let turn: number;
    if (single) {
      // The bits become a float32 before they are scaled.
      radius = Math.fround(Math.fround(word(key, batch, i, half) >>> 1) + 0.5) * 2 ** -31;
      turn = Math.fround(word(key, batch, i, half + 1) | 0) * 2 ** -32;
    } else {
      const longWord = (w: number) => BigInt(word(key, batch, i, w)) | (BigInt(word(key, batch, i, w + 1)) << 32n);
      radius = (Number(longWord(0) >> 11n) + 0.5) * 2 ** -53;
      turn = Number(BigInt.asIntN(64, longWord(2)) >> 11n) * 2 ** -53;
    }
    const sine = place % 32 >= 16;
    return Math.sqrt(-2 * Math.log(radius)) * (sine ? Math.sin(2 * Math.PI * turn) : Math.cos(2 * Math.PI * turn));
  });
}
