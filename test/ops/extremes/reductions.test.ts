/** Sums, products and other reductions whose partial results are out of range. */
import * as nb from "nabla";
import { describe, expect, test } from "vitest";
import { near, values } from "./near.js";

const { tensor } = nb;

describe("products fit where their partial products do not", () => {
  const rows: ["float32" | "float64", number[]][] = [
    ["float32", [1e30, 1e30, 1e-30, 1e-30]],
    ["float32", [1e-30, 1e-30, 1e30, 1e30]],
    ["float32", [1e-20, 1.5e-20, 1e35, 3e4]],
    ["float32", Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 2 : 0.5) ** (i < 50 ? 120 : -120) * (1 + i / 64))],
    ["float64", [1e200, 1e200, 1e-200, -1e-200]],
    ["float64", [1e-200, 1e-200, 1e200, 1e200]],
    ["float64", [1e-160, 1.5e-160, 1e300, 3e19]],
  ];
  test.each(rows)("%s of %j", (dtype, row) => {
    const x = tensor(row, { dtype });
    const bits = Array.from(x.toTypedArray(), Number);
    // By logarithms of positive numbers, and signs.
    const sign = bits.reduce((s, v) => s * Math.sign(v), 1);
    const product = (of: number[]): number => of.map((v) => Math.log2(Math.abs(v))).reduce((sum, v) => sum + v, 0);
    const want = sign * 2 ** product(bits);
    const relative = dtype === "float32" ? 1e-5 : 1e-12;
    const both = nb.stack([x, nb.full([row.length], 2 ** (60 / row.length), { dtype })]);
    const long = nb.cat([x, nb.ones([70000], { dtype })]);
    for (const got of [x.prod(), both.prod(1).at(0), both.t().contiguous().prod(0).at(0), long.prod()])
      expect(Math.abs(got.item() / want - 1)).toBeLessThan(relative);
    const gradient = values(nb.grad((v: nb.Tensor) => v.prod())(x));
    const others = bits.map((v, i) => sign * Math.sign(v) * 2 ** product(bits.toSpliced(i, 1)));
    const most = dtype === "float32" ? 3.4e38 : Number.MAX_VALUE;
    others.forEach((other, i) => {
      if (Math.abs(other) > most) expect(gradient[i]).toBe(Math.sign(other) * Infinity);
      else if (Math.abs(other) > 2e-38) expect(Math.abs(gradient[i]! / other - 1)).toBeLessThan(relative);
    });
    // The other row is what it is alone.
    expect(both.prod(1).at(1).item()).toBe(both.at(1).prod().item());
  });

  // Each thread has flags of its own.
  test.each([
    ["float32", 2 ** 100],
    ["float64", 2 ** 1000],
  ] as const)("whichever thread multiplies, %s", (dtype, large) => {
    const parts = 32;
    const part = 65536;
    const x = nb.ones([parts, part], { dtype });
    const back = tensor([large, large, 1 / large, 1 / large], { dtype });
    for (let i = 0; i < parts; i++) {
      const some = x.at(i).narrow(0, 0, 4);
      some.assign(back);
      expect(x.prod().item(), `part ${i} of a row`).toBe(1);
      expect(values(x.prod(1)), `row ${i}`).toEqual(new Array(parts).fill(1));
      some.assign(1);
    }
    const columns = nb.ones([4, parts * 1024], { dtype });
    for (let i = 0; i < parts; i++) {
      const some = columns.narrow(1, i * 1024, 1);
      some.assign(back.reshape([4, 1]));
      expect(columns.prod(0).ne(1).sum().item(), `column ${i * 1024}`).toBe(0);
      some.assign(1);
    }
    // No part leaves the range: only their product does.
    x.narrow(0, 0, 4)
      .narrow(1, 0, 1)
      .assign(back.reshape([4, 1]));
    expect(x.prod().item()).toBe(1);
  });

  test("zeros, infinities and NaN", () => {
    const large = [1e30, 1e30];
    expect(
      tensor([...large, 0])
        .prod()
        .item(),
    ).toBe(0);
    expect(
      tensor([...large, 1])
        .prod()
        .item(),
    ).toBe(Infinity);
    expect(
      tensor([...large, Infinity, 0])
        .prod()
        .item(),
    ).toBeNaN();
    expect(tensor([-1e-30, 1e-30]).prod().item()).toBe(-0);
    const gradient = (row: number[]): number[] => values(nb.grad((v: nb.Tensor) => v.prod())(tensor(row)));
    expect(gradient([0, 2, 3])).toEqual([6, 0, 0]);
    expect(gradient([0, 2, 0])).toEqual([0, 0, 0]);
  });

  test("det", () => {
    for (const dtype of ["float32", "float64"] as const) {
      const large = dtype === "float32" ? 1e38 : 1e300;
      const sizes = Array.from({ length: 16 }, (_, i) => (i < 8 ? large : 1 / large));
      expect(nb.tensor(sizes, { dtype }).diag().det().item()).toBeCloseTo(1, 4);
    }
  });
});

describe.each(["float32", "float64"] as const)("cumprod of %s", (dtype) => {
  test("fits where its partial products do not", () => {
    const row = dtype === "float32" ? 2 ** 100 : 2 ** 1000;
    const large = new Array(12).fill(row);
    const small = large.map((v) => 1 / v);
    const both = nb.stack([tensor([...large, ...small], { dtype }), tensor([...small, ...large], { dtype })]);
    const up = [row, ...new Array(21).fill(Infinity), row, 1];
    const down = [1 / row, ...new Array(21).fill(0), 1 / row, 1];
    expect(both.cumprod(1).toArray()).toEqual([up, down]);
    expect(both.t().contiguous().cumprod(0).t().toArray()).toEqual([up, down]);
    // Each thread has flags of its own.
    for (let i = 0; i < 16; i++) {
      const many = nb.ones([16, 24], { dtype }).repeat([256, 1]).contiguous();
      many.at(i * 256).assign(both.at(0));
      expect(
        many
          .cumprod(1)
          .at(i * 256)
          .toArray(),
        `row ${i * 256}`,
      ).toEqual(up);
    }
  });

  test("zeros, infinities, NaN, and signs", () => {
    const product = (...row: number[]): number[] => values(tensor(row, { dtype }).cumprod(0));
    const most = dtype === "float32" ? 2 ** 127 : 2 ** 1023;
    const rest = new Array(10).fill(most);
    const infinite = new Array(9).fill(Infinity);
    expect(product(...rest, 0, 1)).toEqual([most, ...infinite, 0, 0]);
    expect(product(...rest, -1)).toEqual([most, ...infinite, -Infinity]);
    expect(product(...rest, Infinity, 0)).toEqual([most, ...infinite, Infinity, NaN]);
    expect(product(0, most, Infinity)).toEqual([0, 0, NaN]);
    expect(product(NaN, 1)).toEqual([NaN, NaN]);
  });
});

test("linspace between ends whose difference overflows", () => {
  const m = Number.MAX_VALUE;
  const between = (count: number): number[] => values(nb.linspace(-m, m, count, { dtype: "float64" }));
  expect(between(1)).toEqual([-m]);
  expect(between(2)).toEqual([-m, m]);
  expect(between(5)).toEqual([-m, -m / 2, 0, m / 2, m]);
});

describe("sums of float64 whose partial sums overflow", () => {
  const m = Number.MAX_VALUE;
  test("sum and cumsum", () => {
    const x = tensor([m, m, -m, -m / 2, 1], { dtype: "float64" });
    expect(x.sum().item()).toBe(m / 2);
    expect(values(x.cumsum(0))).toEqual([m, Infinity, m, m / 2, m / 2]);
    const columns = nb.stack([x, x.mul(0).add(1)], 1);
    expect(columns.cumsum(0).at(3).toArray()).toEqual([m / 2, 4]);
    expect(values(tensor([1, Infinity, -Infinity, 2], { dtype: "float64" }).cumsum(0))).toEqual([
      1,
      Infinity,
      NaN,
      NaN,
    ]);
  });
});

test.each([
  ["float32", 2 ** 127 * (2 - 2 ** -23)],
  ["float64", Number.MAX_VALUE],
] as const)("means of windows of the largest %s", (dtype, m) => {
  const x = nb.full([1, 2, 4, 4], m, { dtype }).clone();
  expect(values(nb.avgPool2d(x, 2))).toEqual(new Array(8).fill(m));
  expect(values(nb.adaptiveAvgPool2d(x, 1))).toEqual([m, m]);
  const some = nb.cat([x, nb.ones([1, 1, 4, 4], { dtype })], 1);
  expect(nb.avgPool2d(some, 4).flatten().toArray()).toEqual([m, m, 1]);
  const planes = nb.ones([1, 64, 64, 64], { dtype });
  for (let i = 0; i < 64; i++) {
    const plane = planes.narrow(1, i, 1);
    plane.assign(m);
    expect(nb.avgPool2d(planes, 64).flatten().toArray(), `plane ${i}`).toEqual(
      Array.from({ length: 64 }, (_, p) => (p === i ? m : 1)),
    );
    plane.assign(1);
  }
  const infinite = tensor([Infinity, m, NaN, m], { dtype }).reshape([1, 1, 2, 2]);
  expect(values(nb.avgPool2d(infinite, [1, 2]))).toEqual([Infinity, NaN]);
});

test("logsumexp of extremes, and its gradient", () => {
  const f = (x: nb.Tensor): nb.Tensor => x.logsumexp(1);
  const x = tensor([
    [3e38, 3e38, -3e38],
    [-3e38, -3e38, -3e38],
    [1e-40, -Infinity, -3e38],
  ]);
  expect(values(f(x))).toEqual([3e38, -3e38, 1e-40].map(Math.fround));
  const gradient = nb.grad((v: nb.Tensor) => f(v).sum())(x);
  near(gradient.at(0), [0.5, 0.5, 0], "gradient");
  near(gradient.at(2), [1, 0, 0], "gradient");
  const none = tensor([
    [-Infinity, -Infinity],
    [Infinity, 1],
    [NaN, 1],
  ]);
  expect(values(f(none))).toEqual([-Infinity, Infinity, NaN]);
});

test("quantile between infinities", () => {
  const x = tensor([-Infinity, -Infinity, 1, Infinity, Infinity]);
  expect(values(x.quantile([0, 0.125, 0.5, 0.875, 1]))).toEqual([-Infinity, -Infinity, 1, Infinity, Infinity]);
});
