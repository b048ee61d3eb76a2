/** What the tests of integer dtypes share: what each holds, exact values, numbers of every kind. */
import fc from "fast-check";
import { NablaError, type Tensor, tensor } from "nabla";
import { expect } from "vitest";

export type Whole = "bool" | "uint8" | "int32" | "int64";
export const ranges: Readonly<Record<Whole, readonly [low: bigint, high: bigint]>> = {
  bool: [0n, 1n],
  uint8: [0n, 255n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};
export const integers = ["uint8", "int32", "int64"] as const;
export const wholes = ["bool", ...integers] as const;
export const floats = ["float16", "bfloat16", "float32", "float64"] as const;

export const held = (type: Whole, n: number): boolean =>
  Number.isInteger(n) && n >= ranges[type][0] && n <= ranges[type][1];
/** Elements of an integer dtype: BigInts become it exactly. */
export const whole = (values: readonly bigint[], dtype: Whole): Tensor => tensor([...values], { dtype });
export const exact = (x: Tensor): bigint[] => Array.from(x.toTypedArray() as ArrayLike<number | bigint>, BigInt);
export const truths = (x: Tensor): boolean[] => Array.from(x.toTypedArray() as ArrayLike<number>, (v) => v !== 0);

export function errorOf(call: () => unknown): NablaError {
  try {
    call();
  } catch (error) {
    if (error instanceof NablaError) return error;
    throw error;
  }
  return expect.fail("accepted");
}
/** The result, or the code of the error. */
export function attempt<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (error instanceof NablaError) return error.code;
    throw error;
  }
}

/** Numbers of every kind, and many at the ends of the dtypes. */
const edges = [0, 1, 2, 255, 256, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64];
export const numbers = fc.oneof(
  fc.double(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(Infinity, -Infinity, Number.NaN, -0, 1e20, 1e30, 1e300, 5e-324, -5e-324),
  fc
    .tuple(fc.constantFrom(...edges), fc.constantFrom(1, -1), fc.constantFrom(-1, -0.5, 0, 0.5, 1))
    .map(([edge, sign, more]) => sign * edge + more),
  // The doubles next to the ends of int64.
  fc.constantFrom(2 ** 63 - 1024, -(2 ** 63) - 2048, -(2 ** 63) + 1024),
);
export const cases = fc.constantFrom(...wholes).chain((dtype) => {
  const [low, high] = ranges[dtype];
  const element = fc.oneof(fc.bigInt(low, high), fc.constantFrom(low, high, low + 1n, high - 1n, 0n, 1n));
  return fc.record({
    dtype: fc.constant(dtype),
    values: fc.array(element, { minLength: 1, maxLength: 9 }),
    n: numbers,
  });
});
