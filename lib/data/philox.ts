const m0 = 0xd2511f53;
const m1 = 0xcd9e8d57;
const w0 = 0x9e3779b9;
const w1 = 0xbb67ae85;

/** The high 32 bits of a product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Philox 4x32-10: four random words, a function of the counter and the key. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = [multiplyHigh(m0, a), Math.imul(m0, a) >>> 0];
    const [high1, low1] = [multiplyHigh(m1, c), Math.imul(m1, c) >>> 0];
    [a, b, c, d] = [(high1 ^ b ^ k0) >>> 0, low1, (high0 ^ d ^ k1) >>> 0, low0];
    k0 = (k0 + w0) >>> 0;
    k1 = (k1 + w1) >>> 0;
  }
  return Uint32Array.of(a, b, c, d);
}

/** Random words of a seed and an epoch. */
export function wordsOf(seed: number, epoch: number): () => number {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32)] as const;
  let words = new Uint32Array();
  let used = 0;
  let block = 0;
  return () => {
    if (used === words.length) {
      words = philox([block++, 0, epoch >>> 0, Math.floor(epoch / 2 ** 32)], key) as Uint32Array<ArrayBuffer>;
      used = 0;
    }
    return words[used++]!;
  };
}
