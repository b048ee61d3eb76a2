/** Comparing tensors whose numbers are near the largest and the smallest of their dtype. */
import type { Tensor } from "nabla";
import { expect } from "vitest";

export type Op = (x: Tensor) => Tensor;
export const values = (x: Tensor): number[] => Array.from(x.toTypedArray(), Number);

/** Within a few units of the dtype's last place, of the largest value. */
export function near(got: Tensor, want: readonly number[], what: string, units = 32): void {
  const least = got.dtype === "float64" ? 2 ** -52 : 2 ** -23;
  const subnormal = got.dtype === "float64" ? 2 ** -1074 : 2 ** -149;
  const size = Math.max(...want.map(Math.abs));
  values(got).forEach((value, i) => {
    if (!(Math.abs(value - want[i]!) <= units * Math.max(least * size, subnormal)))
      expect.fail(`${what}: ${values(got)} instead of ${want}`);
  });
}
