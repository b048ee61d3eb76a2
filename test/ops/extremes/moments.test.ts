/** Means, variances and deviations that fit their dtype, though what they are computed from does not. */
import * as nb from "nabla";
import { describe, expect, test } from "vitest";
import { near, type Op, values } from "./near.js";

const { tensor } = nb;

describe("means, variances and deviations fit where their results do", () => {
  const largest = {
    float32: 2 ** 127 * (2 - 2 ** -23),
    float64: Number.MAX_VALUE,
    float16: 65504,
    bfloat16: 2 ** 127 * (2 - 2 ** -7),
  };
  type Dtype = keyof typeof largest;
  const dtypes = Object.keys(largest) as Dtype[];

  /** f over one dimension, two, and all, in rows, columns and parts of rows: all give the same value. */
  function everywhere(
    row: readonly number[],
    dtype: Dtype,
    f: (x: nb.Tensor, dim?: number | number[]) => nb.Tensor,
  ): number[] {
    const x = tensor([...row], { dtype });
    const both = nb.stack([x, x]);
    const nested = both.reshape([2, 2, row.length / 2]);
    const long = x.expand([40000, row.length]).contiguous();
    return [
      f(x),
      f(both, 1),
      f(both.t().contiguous(), 0),
      f(both.t(), 0),
      f(nested, [1, 2]),
      f(nested.movedim(0, 1).contiguous(), [0, 2]),
      f(long.t().contiguous().reshape([1, -1]), 1),
    ].flatMap(values);
  }

  test.each(dtypes)("mean of the largest %s", (dtype) => {
    const m = largest[dtype];
    for (const [row, want] of [
      [[m, m, m, m], m],
      [[m, m, m, -m], m / 2],
      [[-m, -m, -m, -m], -m],
    ] as const)
      for (const got of everywhere(row, dtype, (x, dim) => x.mean(dim)))
        if (dtype === "float64") expect(Math.abs(got / want - 1)).toBeLessThan(2 ** -51);
        else expect(got).toBe(want);
    const x = tensor([m, m, m, m], { dtype });
    expect(values(nb.grad((v: nb.Tensor) => v.mean())(x))).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(
      nb
        .vmap((v: nb.Tensor) => v.mean())(nb.stack([x, x]))
        .toArray(),
    ).toEqual([m, m]);
    expect(nb.jvp((v: nb.Tensor) => v.mean(), [x], [x])[1].item()).toBe(m);
    for (const given of [Infinity, -Infinity, NaN])
      for (const got of everywhere([m, given, 1, 2], dtype, (v, dim) => v.mean(dim))) expect(got).toBe(given);
  });

  test("mean of float32", () => {
    expect(tensor([3e38, 3e38]).mean().item()).toBe(Math.fround(3e38));
    expect(tensor([3e38, 3e38, -3e38, -3e38]).mean().item()).toBe(0);
  });

  test("a sum over dimensions apart is rounded once", () => {
    const x = tensor([3e38, 3e38, 1, 1, -3e38, -3e38, 1, 1]).reshape([2, 2, 2]);
    expect(values(x.sum([0, 2]))).toEqual([0, 4]);
  });

  const deviating: [Dtype, number[], number][] = [
    ["float32", [3e38, 2.9e38], 1e37 / Math.SQRT2],
    ["float32", [2.2e38, -1e38, 2.2e38, 2.2e38], 1.6e38],
    ["float32", [3e38, -3e38, 3e38, 3e38], 3e38],
    ["float32", [3.4e38, -3.4e38, 0, 0], 3.4e38 * Math.sqrt(2 / 3)],
    ["float32", [1e-30, 3e-30], Math.SQRT2 * 1e-30],
    ["float64", [1.7e308, 1.6e308], 1e307 / Math.SQRT2],
    ["float64", [1.1e308, -0.6e308, 1.1e308, 1.1e308], 0.85e308],
    ["float64", [1.5e308, -1.5e308, 1.5e308, 1.5e308], 1.5e308],
    ["float64", [1e-300, 3e-300], Math.SQRT2 * 1e-300],
    ["float16", [60000, -60000, 60000, 60000], 60000],
  ];
  test.each(deviating)("std in %s of %j", (dtype, row, want) => {
    const units = 2 ** { float32: -21, float64: -49, float16: -9, bfloat16: -6 }[dtype];
    const given = row.length === 2 ? row : [...row];
    for (const got of everywhere(given, dtype, (x, dim) => x.std(dim)).slice(0, -1))
      expect(Math.abs(got / want - 1)).toBeLessThan(units);
    const x = tensor(given, { dtype });
    const mean = given.reduce((sum, v) => sum + v / given.length, 0);
    const slopes = given.map((v) => (v / want - mean / want) / (given.length - 1));
    const f = (v: nb.Tensor): nb.Tensor => v.std();
    near(nb.grad(f)(x), slopes, "gradient", dtype.startsWith("float3") || dtype === "float64" ? 32 : 2 ** 16);
    near(
      nb
        .vmap(nb.grad(f))(nb.stack([x, x]))
        .at(0),
      slopes,
      "in vmap",
      dtype === "float32" || dtype === "float64" ? 32 : 2 ** 16,
    );
    const direction = given.map((_, i) => i + 1);
    const [, along] = nb.jvp(f, [x], [tensor(direction, { dtype })]);
    const slope = slopes.reduce((sum, v, i) => sum + v * direction[i]!, 0);
    expect(Math.abs(along.item() - slope)).toBeLessThan(16 * units);
  });

  test("std of NaN, infinities, and of one element", () => {
    expect(tensor([NaN, 1]).std().item()).toBeNaN();
    expect(tensor([Infinity, 1]).std().item()).toBeNaN();
    expect(tensor([1]).std().item()).toBeNaN();
    expect(
      values(
        tensor([
          [1, 3],
          [1.5e38, -1.5e38],
        ]).std(1, { correction: 0 }),
      ),
    ).toEqual([1, Math.fround(1.5e38)]);
    expect(
      values(
        tensor([
          [1, 1],
          [2, 2],
        ]).std(1),
      ),
    ).toEqual([0, 0]);
  });

  test.each([
    ["float32", 2.5e19],
    ["float64", 1.8e154],
  ] as const)("var in %s of deviations whose squares overflow", (dtype, d) => {
    const row = [d, 0, 0, 0, 0, 0, 0, 0];
    const want = (d / 8) * d;
    for (const got of everywhere(row, dtype, (x, dim) => x.var(dim)).slice(0, -1)) expect(got / want).toBeCloseTo(1, 6);
    near(
      nb.grad((v: nb.Tensor) => v.var())(tensor(row, { dtype })),
      row.map((v) => (2 * (v - d / 8)) / 7),
      "gradient",
    );
    expect(tensor([d, 0, 0, 0], { dtype }).var({ correction: 0 }).item() / ((d / 16) * 3 * d)).toBeCloseTo(1, 6);
  });
});

describe("the gradient of what does not fit", () => {
  const [most, least] = [3.4e38, 2 ** -149];
  const [mostDouble, leastDouble] = [1.7e308, 2 ** -1074];
  const root = Math.SQRT1_2;
  const cases: [string, "float32" | "float64", number[], Op, number[]][] = [
    ["std", "float32", [most, -most], (x) => x.std(), [root, -root]],
    ["std", "float64", [mostDouble, -mostDouble], (x) => x.std(), [root, -root]],
    ["norm", "float32", [most, most], (x) => x.norm(), [root, root]],
    ["norm", "float64", [mostDouble, -mostDouble], (x) => x.norm(), [root, -root]],
  ];
  test.each(cases)("%s in %s of %j", (_, dtype, row, f, want) => {
    const x = tensor(row, { dtype });
    expect(f(x).item()).toBe(Infinity);
    near(nb.grad(f)(x), want, "gradient");
    near(
      nb
        .vmap(nb.grad(f))(nb.stack([x, x]))
        .at(1),
      want,
      "in vmap",
    );
    const leaf = x.clone();
    leaf.requiresGrad = true;
    f(leaf).backward({ createGraph: true });
    near(leaf.grad!, want, "recorded");
    near(nb.jvp(f, [x], [tensor([1, 0], { dtype })])[1], [want[0]!], "along a tangent");
  });

  const tiny: [string, "float32" | "float64", number[], Op, number[]][] = [
    ["std", "float32", [least, 0], (x) => x.std(), [root, -root]],
    ["std", "float64", [leastDouble, 0], (x) => x.std(), [root, -root]],
    ["norm", "float32", [least, least], (x) => x.norm(), [root, root]],
    ["norm", "float64", [leastDouble, leastDouble], (x) => x.norm(), [root, root]],
  ];
  test.each(tiny)("%s in %s of %j", (_, dtype, row, f, want) => {
    near(nb.grad(f)(tensor(row, { dtype })), want, "gradient");
  });

  test("rows that fit keep their bits beside rows that do not", () => {
    const rows = [
      [most, -most, 1],
      [1, 2, 4],
      [least, 0, least],
    ];
    for (const f of [(x: nb.Tensor) => x.std(-1), (x: nb.Tensor) => x.norm({ dim: -1 })]) {
      const all = nb.grad((x: nb.Tensor) => f(x).sum())(tensor(rows));
      rows.forEach((row, i) => {
        expect(values(all.at(i))).toEqual(values(nb.grad(f)(tensor(row))));
      });
    }
  });
});
