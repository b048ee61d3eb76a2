/** Ranges that integer dtypes hold, and weights and probabilities that are none. */
import * as nb from "nabla";
import { type DType, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { errorOf, exact, floats } from "./integers.js";

describe("arange", () => {
  test("refuses what its dtype does not hold", () => {
    expect(nb.arange(250, 256, { dtype: "uint8" }).toArray()).toEqual([250, 251, 252, 253, 254, 255]);
    for (const call of [
      () => nb.arange(250, 257, { dtype: "uint8" }),
      () => nb.arange(3, -2, -1, { dtype: "uint8" }),
      () => nb.arange(2 ** 31 - 1, 2 ** 31 + 1),
      () => nb.arange(3, { dtype: "bool" }),
      () => nb.arange(2 ** 63, 2 ** 63 + 4096, 2048, { dtype: "int64" }),
    ])
      expect(errorOf(call).message).toMatch(/^arange: a number does not fit/);
    expect(nb.arange(2, { dtype: "bool" }).toArray()).toEqual([false, true]);
  });
  test("cuts no fraction", () => {
    expect(errorOf(() => nb.arange(0, 3, 0.5, { dtype: "int64" })).message).toContain("got 0.5");
    expect(errorOf(() => nb.arange(0.5, 3, { dtype: "int32" })).code).toBe("ERR_DTYPE");
    // The end is no element.
    expect(nb.arange(0, 2.5, { dtype: "int32" }).toArray()).toEqual([0, 1, 2]);
  });
  test("counts in int64 beyond 2^53", () => {
    expect(exact(nb.arange(2 ** 53, 2 ** 53 + 4, 2, { dtype: "int64" }))).toEqual([2n ** 53n, 2n ** 53n + 2n]);
    expect(exact(nb.arange(-(2 ** 63), -(2 ** 63) + 4096, 2048, { dtype: "int64" }))).toEqual([
      -(2n ** 63n),
      -(2n ** 63n) + 2048n,
    ]);
  });
});

describe("random numbers", () => {
  const last: Readonly<Record<DType, number>> = {
    bool: 1,
    uint8: 255,
    int32: 2 ** 31 - 1,
    int64: 2 ** 53 - 2,
    float16: 2 ** 11,
    bfloat16: 2 ** 8,
    float32: 2 ** 24,
    float64: 2 ** 53 - 2,
  };
  test.each(Object.keys(last) as DType[])("randint gives %s only what it holds exactly", (dtype) => {
    const end = last[dtype] + 1;
    const x = nb.randint(end - 3 < 0 ? 0 : end - 3, end, [50], { dtype });
    expect(x.dtype).toBe(dtype);
    expect(Math.max(...Array.from(x.toTypedArray() as ArrayLike<number | bigint>, Number))).toBe(end - 1);
    if (end < 2 ** 53 - 1) expect(errorOf(() => nb.randint(0, end + 1, [3], { dtype })).code).toBe("ERR_DTYPE");
  });
  test("randint refuses negative numbers for uint8 and bool, and ranges that are too long", () => {
    expect(errorOf(() => nb.randint(-1, 2, [3], { dtype: "uint8" })).code).toBe("ERR_DTYPE");
    expect(errorOf(() => nb.randint(-1, 2, [3], { dtype: "bool" })).code).toBe("ERR_DTYPE");
    const most = Number.MAX_SAFE_INTEGER;
    expect(errorOf(() => nb.randint(-most, most, [3], { dtype: "int64" })).code).toBe("ERR_ARGUMENT");
  });
  test.each([-0.1, 1.1, Number.NaN, Infinity])("bernoulli refuses %s", (p) => {
    for (const dtype of floats)
      expect(errorOf(() => tensor([0.5, p], { dtype }).bernoulli()).code).toBe("ERR_ARGUMENT");
    const batched = nb.vmap((x: Tensor) => x.bernoulli(), { randomness: "different" });
    expect(errorOf(() => batched(tensor([0.5, p]))).code).toBe("ERR_ARGUMENT");
  });
  test("bernoulli takes 0, 1 and nothing", () => {
    expect(tensor([0, 1]).bernoulli().toArray()).toEqual([0, 1]);
    expect(nb.zeros([0, 3]).bernoulli().shape).toEqual([0, 3]);
  });
  test.each([-1, Number.NaN, Infinity])("multinomial refuses the weight %s", (weight) => {
    for (const replacement of [true, false])
      expect(errorOf(() => tensor([1, weight, 1]).multinomial(1, { replacement })).code).toBe("ERR_ARGUMENT");
  });
  test("multinomial refuses weights that add up to 0, and takes the largest", () => {
    expect(errorOf(() => nb.zeros([3]).multinomial(1)).code).toBe("ERR_ARGUMENT");
    const generator = new nb.RandomGenerator(1);
    const large = tensor([1e308, 1e308, 1e308], { dtype: "float64" });
    const counts = nb.bincount(large.multinomial(3000, { replacement: true, generator }), { minlength: 3 });
    for (const count of counts.toArray() as number[]) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
