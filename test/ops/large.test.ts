/** Results too large for the cache, which are written by streaming stores: the same bits as piece by piece, to the last element. */
import { arange, type DType, equal, tensor } from "nabla";
import { describe, expect, it } from "vitest";

const n = 2 ** 23 + 5;

describe("results of 16 MB and more", () => {
  const x = arange(n).remainder(1013);
  const pieces = [0, 1, 4095, 32768, n - 3].map((start) => [start, Math.min(start + 40_000, n)] as const);
  const ops = {
    "a sum with a vector that repeats": (lo: number, hi: number) => x.narrow(0, lo, hi - lo).add(tensor([3])),
    "an affine map": (lo: number, hi: number) => x.narrow(0, lo, hi - lo).mul(-2),
    "a function": (lo: number, hi: number) =>
      x
        .narrow(0, lo, hi - lo)
        .sub(500)
        .div(20)
        .gelu(),
    "a cast": (lo: number, hi: number) => x.narrow(0, lo, hi - lo).to("int64" satisfies DType),
    "a reversal": (lo: number, hi: number) =>
      x
        .flip(0)
        .narrow(0, lo, hi - lo)
        .relu(),
  };
  for (const [name, op] of Object.entries(ops))
    it(name, () => {
      const whole = op(0, n);
      for (const [lo, hi] of pieces) expect(equal(whole.narrow(0, lo, hi - lo), op(lo, hi))).toBe(true);
    });
});
