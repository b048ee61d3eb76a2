/** Integer tensors beside any number, against exact arithmetic. */
import fc from "fast-check";
import * as nb from "nabla";
import { type DType, full, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import {
  attempt,
  cases,
  errorOf,
  exact,
  held,
  integers,
  numbers,
  ranges,
  truths,
  type Whole,
  whole,
} from "./integers.js";

describe("comparisons of integers with numbers", () => {
  // A BigInt and a number are compared by their values.
  const comparisons = {
    eq: [nb.eq, (a: bigint, b: number) => a <= b && a >= b],
    ne: [nb.ne, (a: bigint, b: number) => !(a <= b && a >= b)],
    lt: [nb.lt, (a: bigint, b: number) => a < b],
    le: [nb.le, (a: bigint, b: number) => a <= b],
    gt: [nb.gt, (a: bigint, b: number) => a > b],
    ge: [nb.ge, (a: bigint, b: number) => a >= b],
  } as const;
  const opposite = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;
  const names = Object.keys(comparisons) as (keyof typeof comparisons)[];

  test.each(names)("%s is exact for any number on either side, and in vmap", (name) => {
    const [call, of] = comparisons[name];
    fc.assert(
      fc.property(cases, ({ dtype, values, n }) => {
        const x = whole(values, dtype);
        const expected = values.map((v) => of(v, n));
        expect(truths(call(x, n))).toEqual(expected);
        expect(truths(comparisons[opposite[name]][0](n, x))).toEqual(expected);
        expect(truths(nb.vmap((row: Tensor) => call(row, n))(x))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("as users meet them", () => {
    const u8 = tensor(Uint8Array.of(0, 255));
    expect(u8.lt(256).toArray()).toEqual([true, true]);
    expect(u8.eq(256).toArray()).toEqual([false, false]);
    expect(u8.ge(-1).toArray()).toEqual([true, true]);
    expect(u8.gt(Infinity).toArray()).toEqual([false, false]);
    expect(u8.ne(Number.NaN).toArray()).toEqual([true, true]);
    expect(tensor(Int32Array.of(0, 1)).eq(0.5).toArray()).toEqual([false, false]);
    expect(
      tensor(BigInt64Array.of(2n ** 63n - 1n))
        .lt(2 ** 63)
        .toArray(),
    ).toEqual([true]);
    expect(
      tensor(BigInt64Array.of(2n ** 53n + 1n))
        .eq(2 ** 53)
        .toArray(),
    ).toEqual([false]);
    expect(tensor([true, false]).lt(0.5).toArray()).toEqual([false, true]);
    expect(u8.lt(256).dtype).toBe("bool");
    expect(full([0, 2], 1, { dtype: "uint8" }).lt(256).shape).toEqual([0, 2]);
  });

  test("the truth of a number is not that of what a dtype holds of it", () => {
    const u8 = tensor(Uint8Array.of(0, 3));
    for (const number of [256, 0.5, -1, 1e30, Number.NaN, Infinity]) {
      expect(u8.logicalAnd(number).toArray()).toEqual([false, true]);
      expect(nb.logicalOr(number, u8).toArray()).toEqual([true, true]);
    }
    expect(u8.logicalOr(0).toArray()).toEqual([false, true]);
    expect(tensor([1]).logicalAnd(1e-300).toArray()).toEqual([true]);
  });

  test("the labels that a loss leaves out may be numbers that their dtype does not hold", () => {
    const logits = nb.zeros([2, 200]);
    const target = tensor(Uint8Array.of(156, 3)); // 156 is -100 to uint8
    expect(nb.nn.functional.crossEntropy(logits, target, { ignoreIndex: -100 }).item()).toBeCloseTo(Math.log(200), 5);
  });

  test("searchsorted finds the place of any number among integers", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ dtype, values, n }, right) => {
        const sorted = [...values].sort((a, b) => (a < b ? -1 : Number(a > b)));
        // NaN is above every number.
        const below = sorted.filter((v) => Number.isNaN(n) || v < n || (right && v <= n)).length;
        expect(nb.searchsorted(whole(sorted, dtype), n, { right }).item()).toBe(below);
      }),
      { numRuns: 300 },
    );
  });
});

describe("bounds of integers", () => {
  /** The results for x, or ERR_DTYPE where some element of the dtype would give one that it does not hold. */
  function bounded(dtype: Whole, values: readonly bigint[], low: number, high: number): bigint[] | string {
    if (Number.isNaN(low) || Number.isNaN(high)) return "ERR_DTYPE";
    const [least, most] = ranges[dtype];
    const f = (x: bigint): bigint | number => {
      const lifted = x < low ? low : x;
      return lifted > high ? high : lifted;
    };
    const near = [low, high].filter(Number.isFinite).flatMap((n) => [BigInt(Math.floor(n)), BigInt(Math.ceil(n))]);
    const points = [least, most, ...near].filter((x) => x >= least && x <= most);
    const fits = points.every((x) => typeof f(x) === "bigint" || held(dtype, f(x) as number));
    return fits ? values.map((x) => BigInt(f(x))) : "ERR_DTYPE";
  }
  const twice = cases.filter(({ dtype }) => dtype !== "bool");

  test("maximum, minimum and clamp are exact where every possible result fits, and refuse the others", () => {
    fc.assert(
      fc.property(twice, numbers, ({ dtype, values, n }, m) => {
        const x = whole(values, dtype);
        const of = (call: () => Tensor) =>
          attempt(() => {
            const y = call();
            expect(y.dtype).toBe(dtype);
            return exact(y);
          });
        const above = bounded(dtype, values, n, Infinity);
        const below = bounded(dtype, values, -Infinity, n);
        expect(of(() => x.maximum(n))).toEqual(above);
        expect(of(() => nb.maximum(n, x))).toEqual(above);
        expect(of(() => nb.vmap((row: Tensor) => row.maximum(n))(x))).toEqual(above);
        expect(of(() => x.minimum(n))).toEqual(below);
        expect(of(() => nb.minimum(n, x))).toEqual(below);
        if (Number.isNaN(n) || Number.isNaN(m)) return;
        expect(of(() => x.clamp({ min: n }))).toEqual(above);
        expect(of(() => x.clamp({ max: n }))).toEqual(below);
        expect(of(() => x.clamp({ min: n, max: m }))).toEqual(bounded(dtype, values, n, m));
        expect(of(() => nb.vmap((row: Tensor) => row.clamp({ min: n, max: m }))(x))).toEqual(
          bounded(dtype, values, n, m),
        );
      }),
      { numRuns: 250 },
    );
  });

  test("as users meet them", () => {
    const u8 = tensor(Uint8Array.of(0, 7, 255));
    expect(u8.minimum(300).toArray()).toEqual([0, 7, 255]);
    expect(u8.maximum(-5).toArray()).toEqual([0, 7, 255]);
    expect(u8.clamp({ min: -Infinity, max: Infinity }).toArray()).toEqual([0, 7, 255]);
    expect(tensor(Int32Array.of(1, -1)).clamp({ max: 3e9 }).toArray()).toEqual([1, -1]);
    expect(tensor(Int32Array.of(1, -1)).clamp({ min: -3e9, max: 3e9 }).toArray()).toEqual([1, -1]);
    expect(u8.clamp({ min: 1e9, max: 5 }).toArray()).toEqual([5, 5, 5]);
    expect(errorOf(() => u8.maximum(300)).message).toBe(
      'maximum: the number does not fit uint8; expected 0 to 255 (or use .to("int32")), got 300',
    );
    expect(errorOf(() => u8.clamp({ min: 300 })).message).toMatch(/^clamp: the number does not fit uint8/);
    expect(errorOf(() => tensor(Int32Array.of(1)).maximum(0.5)).code).toBe("ERR_DTYPE");
    // What it returns is a tensor of its own.
    const same = u8.minimum(300);
    same.assign(1);
    expect(u8.toArray()).toEqual([0, 7, 255]);
  });

  test("a bound may be a tensor beside a number of any size", () => {
    const x = tensor(Uint8Array.of(0, 100, 255));
    const bound = tensor(Uint8Array.of(50, 50, 50));
    expect(x.clamp({ min: bound, max: 300 }).toArray()).toEqual([50, 100, 255]);
    expect(x.clamp({ min: -1, max: bound }).toArray()).toEqual([0, 50, 50]);
    expect(x.clamp({ min: 300, max: bound }).toArray()).toEqual([50, 50, 50]);
    expect(errorOf(() => x.clamp({ min: bound, max: 60.5 })).code).toBe("ERR_DTYPE");
  });

  test("bool beside numbers becomes int64, or float beside a fraction", () => {
    const x = tensor([true, false]);
    expect(x.maximum(2).dtype).toBe("int64");
    expect(x.minimum(1e30).toArray()).toEqual([1, 0]);
    expect(x.maximum(0.5).toArray()).toEqual([1, 0.5]);
    expect(x.clamp({ min: -1e30, max: 1e30 }).toArray()).toEqual([1, 0]);
    expect(errorOf(() => x.add(1e30)).code).toBe("ERR_DTYPE");
  });
});

describe("arithmetic of integers with numbers", () => {
  const wrap = (dtype: Whole, x: bigint): bigint =>
    dtype === "uint8" ? BigInt.asUintN(8, x) : BigInt.asIntN(dtype === "int32" ? 32 : 64, x);
  const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : ((a % b) + b) % b);
  const ops = {
    add: [nb.add, (a: bigint, b: bigint) => a + b],
    sub: [nb.sub, (a: bigint, b: bigint) => a - b],
    mul: [nb.mul, (a: bigint, b: bigint) => a * b],
    remainder: [nb.remainder, remainder],
  } as const;

  test.each(Object.keys(ops) as (keyof typeof ops)[])("%s takes what the dtype holds and refuses the rest", (name) => {
    const [call, of] = ops[name];
    fc.assert(
      fc.property(cases, ({ dtype, values, n }) => {
        if (dtype === "bool") return;
        const x = whole(values, dtype);
        const fits = held(dtype, n);
        const of_ = (f: (v: bigint) => bigint) => (fits ? values.map((v) => wrap(dtype, f(v))) : "ERR_DTYPE");
        expect(attempt(() => exact(call(x, n)))).toEqual(of_((v) => of(v, BigInt(n))));
        expect(attempt(() => exact(call(n, x)))).toEqual(of_((v) => of(BigInt(n), v)));
        expect(attempt(() => exact(nb.vmap((row: Tensor) => call(row, n))(x)))).toEqual(of_((v) => of(v, BigInt(n))));
      }),
      { numRuns: 300 },
    );
  });

  test("as users meet it", () => {
    const u8 = tensor(Uint8Array.of(10, 20));
    expect(u8.div(256).toArray()).toEqual([10 / 256, 20 / 256]);
    expect(u8.lerp(300, 0.5).dtype).toBe("float32");
    const { code, message } = errorOf(() => u8.add(-1));
    expect(code).toBe("ERR_DTYPE");
    expect(message).toBe(
      'add: the number does not fit uint8; expected 0 to 255 (or use .sub(1) or .to("int32")), got -1',
    );
    expect(errorOf(() => u8.sub(-1)).message).toContain(".add(1)");
    expect(errorOf(() => nb.sub(-1, u8)).message).not.toContain(".add(1)");
    expect(errorOf(() => tensor(BigInt64Array.of(1n)).add(1e30)).message).toContain('.to("float64")');
    for (const call of [
      () => tensor(Int32Array.of(1)).mul(1e20),
      () => u8.pow(-1),
      () => u8.add(Infinity),
      () => u8.mul(Number.NaN),
      () => nb.where(tensor([true, false]), u8, 256),
      () => nb.where(tensor([true, false]), -1, u8),
    ])
      expect(errorOf(call).code).toBe("ERR_DTYPE");
  });
});

describe("derivatives beside integers are those beside the same floats", () => {
  const { add, sub, mul, div, pow, maximum, minimum, remainder, atan2, logaddexp, lerp, clamp } = nb;
  type Call = (x: Tensor, low: Tensor, high: Tensor) => Tensor;
  const binaries = { add, sub, mul, div, pow, maximum, minimum, remainder, atan2, logaddexp };
  const calls: Readonly<Record<string, Call>> = {
    ...Object.fromEntries(
      Object.entries(binaries).flatMap(([name, f]): [string, Call][] => [
        [`${name}, first`, (x, y) => f(x, y)],
        [`${name}, second`, (x, y) => f(y, x)],
      ]),
    ),
    "lerp from": (x, a) => lerp(x, a, 0.25),
    "lerp to": (x, a) => lerp(a, x, 0.25),
    "lerp weight": (x, a, b) => lerp(b, a, x),
    "clamp of": (x, a, b) => clamp(x, { min: a, max: b }),
    "clamp min": (x, a, b) => clamp(a, { min: x, max: b }),
    "clamp max": (x, a, b) => clamp(b, { min: a, max: x }),
  };
  test.each(Object.keys(calls))("%s", (name) => {
    const x = tensor([0.75, 2.5, 4.25], { dtype: "float64" });
    for (const dtype of integers) {
      const slopes = [dtype, "float64"].map((type) => {
        const [low, high] = [
          [1, 3, 2],
          [200, 17, 101],
        ].map((values) => tensor(values, { dtype: type as DType }));
        const first = nb.grad((z: Tensor) => calls[name]!(z, low!, high!).sum());
        const second = nb.grad((z: Tensor) => first(z).mul(z).sum());
        return [first, second].map((f) => f(x).toArray());
      });
      expect(slopes[0]).toEqual(slopes[1]);
    }
  });
  test("and where they are large", () => {
    const slope = nb.grad((z: Tensor) => z.atan2(tensor(Uint8Array.of(200))).sum());
    expect(slope(tensor([0], { dtype: "float64" })).item()).toBe(1 / 200);
    const weight = nb.grad((z: Tensor) => nb.lerp(tensor(Uint8Array.of(10)), tensor(Uint8Array.of(3)), z).sum());
    expect(weight(tensor([0.5])).toArray()).toEqual([-7]);
  });
});
