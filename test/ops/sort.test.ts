/** Rows that are long enough for threads to share, and selections that pass over most of a row. */
import "./laws/seven-threads.js";
import { setNumThreads, tensor } from "nabla";
import { afterEach, describe, expect, it } from "vitest";

const n = 200_000;
afterEach(() => setNumThreads(2));

/** Numbers with many equals, some NaN, both zeros and infinities. */
const values = Float32Array.from({ length: n }, (_, i) => {
  const x = (Math.imul(i + 1, 0x9e3779b1) >>> 16) - 32768;
  if (i % 9973 === 0) return Number.NaN;
  if (i % 7919 === 0) return x > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return i % 101 === 0 ? (x > 0 ? 0 : -0) : x / 64;
});
const rank = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x);
const compare = (i: number, j: number): number => {
  const [a, b] = [values[i]!, values[j]!];
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return rank(a) === rank(b) ? 0 : rank(a) - rank(b);
};
const ascending = Uint32Array.from(values, (_, i) => i).sort((i, j) => compare(i, j) || i - j);
const descending = Uint32Array.from(values, (_, i) => i).sort((i, j) => -compare(i, j) || i - j);

describe("orders of long rows", () => {
  for (const count of [1, 2, 7])
    it(`are stable and right on ${count} threads`, () => {
      setNumThreads(count);
      const x = tensor(values);
      expect(x.argsort().toTypedArray()).toEqual(Int32Array.from(ascending));
      expect(x.argsort({ descending: true }).toTypedArray()).toEqual(Int32Array.from(descending));
    });

  it("select the first few, the lowest index among equals", () => {
    const x = tensor(values);
    for (const k of [1, 10, 3000, n / 4 + 1]) {
      expect(x.topk(k).indices.toTypedArray()).toEqual(Int32Array.from(descending.subarray(0, k)));
      expect(x.topk(k, { largest: false }).indices.toTypedArray()).toEqual(Int32Array.from(ascending.subarray(0, k)));
    }
  });

  it("go along a first dimension, and know integers of all widths", () => {
    const pair = tensor(values).nanToNum().clamp({ min: -500, max: 500 });
    const columns = pair.reshape([n / 2, 2]);
    const whole = columns.to("int64").argsort(0).toTypedArray() as Int32Array;
    const first = columns.to("int32").at("..., 0").argsort().toTypedArray();
    expect(whole.filter((_, i) => i % 2 === 0)).toEqual(first);
    const bytes = pair.abs().remainder(200).to("uint8");
    expect(bytes.argsort().toTypedArray()).toEqual(bytes.to("float64").argsort().toTypedArray());
  });
});
