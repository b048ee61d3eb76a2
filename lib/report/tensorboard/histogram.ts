import type { Histogram } from "./schema.js";

/** Sign, exponent and the three highest bits of the mantissa: eight buckets for each power of two. */
const shift = 20;
const buckets = 2 ** (32 - shift);
const half = buckets / 2;

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
/** The float32 that begins with these bits. */
function floatAt(bucket: number): number {
  bits[0] = bucket << shift;
  return float[0]!;
}

/** How the finite values are distributed: buckets whose width is an eighth of a power of two. null where there are none. */
export function histogramOf(values: Float32Array): Histogram | null {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Float64Array(buckets);
  let [num, sum, sumSquares, min, max] = [0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    counts[words[i]! >>> shift]!++;
    num++;
    sum += value;
    sumSquares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (num === 0) return null;
  const bucketLimit: number[] = [];
  const bucket: number[] = [];
  const push = (limit: number, count: number): void => {
    bucketLimit.push(limit);
    bucket.push(count);
  };
  const add = (index: number, low: number, high: number): void => {
    const count = counts[index]!;
    if (count === 0) return;
    if (bucketLimit.length > 0 && bucketLimit.at(-1)! < low) push(low, 0);
    push(Math.min(high, Number.MAX_VALUE), count);
  };
  for (let i = buckets - 1; i >= half; i--) add(i, floatAt(i + 1), floatAt(i));
  for (let i = 0; i < half; i++) add(i, floatAt(i), floatAt(i + 1));
  return { min, max, num, sum, sumSquares, bucketLimit, bucket };
}
