/** How near a result must be to the reference. */
import type { DType, Tensor } from "nabla";
import { table } from "nabla/internal";
import { expect } from "vitest";
import { type Arr, count } from "../../reference/array.js";
import type { Case, Sample } from "../cases/case.js";
import { read } from "./inputs.js";
import { isFloat } from "./law.js";

/** The distance to the next number of the dtype, at x. */
function unit(x: number, dtype: DType): number {
  const [digits, least] = dtype === "float32" ? [23, -126] : [52, -1022];
  if (!Number.isFinite(x) || x === 0) return 2 ** (least - digits);
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), least) - digits);
}

const wrap: Readonly<Record<string, (x: number) => number>> = {
  int32: (x) => x | 0,
  uint8: (x) => x & 255,
  int64: (x) => Number(BigInt.asIntN(64, BigInt(x))),
  bool: (x) => x,
  float32: Math.fround,
  float64: (x) => x,
};

export const accuracyOf = (op: string, of: Case): NonNullable<Case["accuracy"]> => {
  const accuracy = of.accuracy ?? table.get(of.row ?? op)?.accuracy;
  if (accuracy === undefined) throw new Error(`${op}: neither the case nor a row says how exact it is`);
  return accuracy as NonNullable<Case["accuracy"]>;
};

/** How far the element may be from `want`, or 0 for the same number. */
function allowed(op: string, of: Case, sample: Sample, dtype: DType, scale: number | undefined, want: number): number {
  const accuracy = accuracyOf(op, of);
  if (!isFloat(dtype) || accuracy === "exact") return 0;
  const single = dtype === "float32";
  const measure = unit(Math.max(Math.abs(want), of.floor ?? 0), dtype);
  if (!single && of.double !== undefined) return of.double * measure;
  if (accuracy === "tree")
    return (8 + Math.sqrt(sample.terms ?? 1)) * (single ? 2 ** -24 : 2 ** -53) * (scale ?? Math.abs(want));
  return (single ? accuracy : 16) * measure;
}

/** Fails unless every element of `got` is as near to `want` as promised. */
export function expectNear(op: string, of: Case, sample: Sample, got: Tensor, want: Arr, scale: Arr | undefined): void {
  expect(got.shape, "shape").toEqual(want.shape);
  const { dtype } = got;
  const have = read(got).data;
  const wrong: string[] = [];
  for (let i = 0; i < count(want.shape); i++) {
    const exact = want.data[i]!;
    const rounded = wrap[dtype]!(exact);
    const value = have[i]!;
    if (Object.is(value, rounded) || (value === 0 && rounded === 0 && !isFloat(dtype))) continue;
    const margin = allowed(op, of, sample, dtype, scale?.data[i], exact);
    // The largest number is as good as infinity where the exact result is between them.
    const near = Math.abs(value - exact) <= margin || (margin > 0 && Math.abs(value - rounded) <= margin);
    const edge =
      !Number.isFinite(value) &&
      Math.abs(exact) > (dtype === "float32" ? 3.40282e38 : 1.797693e308) &&
      Math.sign(value) === Math.sign(exact);
    const zeros = margin > 0 && value === 0 && rounded === 0;
    if (!near && !(edge && margin > 0) && !zeros)
      wrong.push(`${i}: ${value}, not ${exact} (${(Math.abs(value - exact) / unit(exact, dtype)).toFixed(1)} units)`);
  }
  expect(wrong.slice(0, 5), `${wrong.length} of ${have.length} in ${dtype}`).toEqual([]);
}
