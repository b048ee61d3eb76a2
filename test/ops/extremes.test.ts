/** Moments and lengths of numbers whose squares are out of range, and their derivatives in both modes. */
import * as nb from "nabla";
import { describe, expect, test } from "vitest";

const { tensor } = nb;
type Rows = (x: nb.Tensor) => nb.Tensor;
const values = (x: nb.Tensor): number[] => Array.from(x.toTypedArray(), Number);

/** Within a few units of the dtype's last place, of the largest value. */
function near(got: nb.Tensor, want: readonly number[], what: string, units = 32): void {
  const least = got.dtype === "float64" ? 2 ** -52 : 2 ** -23;
  const subnormal = got.dtype === "float64" ? 2 ** -1074 : 2 ** -149;
  const size = Math.max(...want.map(Math.abs));
  values(got).forEach((value, i) => {
    if (!(Math.abs(value - want[i]!) <= units * Math.max(least * size, subnormal)))
      expect.fail(`${what}: ${values(got)} instead of ${want}`);
  });
}

// Powers of two by which float32 and float64 are scaled: squares overflow, or underflow, or the numbers are subnormal.
const scales = [
  ["float32", 2 ** 66],
  ["float32", 2 ** 120],
  ["float32", 2 ** -80],
  ["float64", 2 ** 530],
  ["float64", 2 ** 1000],
  ["float64", 2 ** -560],
] as const;
const subnormals = [
  ["float32", 2 ** -135],
  ["float64", 2 ** -1040],
] as const;

const data = [1.5, -2.25, 0.75, 3, -1, 0.5];
const tangent = [0.5, 1, -0.25, 2, 0.75, -1];

type Case = readonly [name: string, f: Rows, degree: 0 | 1, shape: readonly number[]];
const reference = (values: readonly number[], shape: readonly number[]): nb.Tensor =>
  tensor(values, { dtype: "float64" }).reshape(shape);

/** f of x times a power of two is f(x) times its `degree`-th power. */
function valuesScale([, f, degree, shape]: Case, dtype: "float32" | "float64", scale: number): void {
  const x = reference(data, shape);
  const want = values(f(x)).map((v) => v * scale ** degree);
  near(f(x.mul(scale).to(dtype)), want, `${dtype} times ${scale}`);
}

/** The gradient scales by the power that is one less: in reverse, recorded, and in forward mode. */
function slopesScale([, f, degree, shape]: Case, dtype: "float32" | "float64", scale: number): void {
  const x = reference(data, shape);
  const t = reference(tangent, shape);
  const scaled = x.mul(scale).to(dtype);
  const slope = scale ** (degree - 1);
  const weighed = (v: nb.Tensor): nb.Tensor => {
    const y = f(v);
    return y.mul(nb.arange(1, y.numel + 1, { dtype }).reshape(y.shape)).sum();
  };
  const what = `${dtype} times ${scale}`;
  const want = values(nb.grad(weighed)(x)).map((v) => v * slope);
  near(nb.grad(weighed)(scaled), want, `${what}: gradient`, 256);
  const leaf = scaled.clone();
  leaf.requiresGrad = true;
  weighed(leaf).backward({ createGraph: true });
  near(leaf.grad!, want, `${what}: recorded gradient`, 256);
  const [, along] = nb.jvp(f, [x], [t]);
  const [, forward] = nb.jvp(f, [scaled], [t.to(dtype)]);
  near(
    forward,
    values(along).map((v) => v * slope),
    `${what}: along a tangent`,
    256,
  );
}

const ops: readonly Case[] = [
  ["norm", (x) => x.norm({ dim: 1 }), 1, [2, 3]],
  ["norm of all", (x) => x.norm(), 1, [6]],
  ["norm of one", (x) => x.norm({ dim: 1 }), 1, [6, 1]],
  ["norm of columns", (x) => x.norm({ dim: 0 }), 1, [2, 3]],
  ["norm of outer dimensions", (x) => x.norm({ dim: [0, 2] }), 1, [2, 1, 3]],
  ["norm of order 1", (x) => x.norm({ ord: 1, dim: 1 }), 1, [2, 3]],
  ["norm of order 3", (x) => x.norm({ ord: 3, dim: 1 }), 1, [2, 3]],
  ["norm of order 0.5", (x) => x.norm({ ord: 0.5, dim: 0 }), 1, [2, 3]],
  ["norm of order -1", (x) => x.norm({ ord: -1 }), 1, [6]],
  ["std", (x) => x.std(1), 1, [2, 3]],
  ["std, the divisor n", (x) => x.std({ correction: 0 }), 1, [6]],
  ["layerNorm", (x) => nb.layerNorm(x, 3, { eps: 0 }), 0, [2, 3]],
  [
    "layerNorm with weight and bias",
    (x) => {
      const weight = tensor([0.5, 2, -1], { dtype: x.dtype as "float64" });
      return nb.layerNorm(x, 3, { weight, bias: weight.mul(2), eps: 0 });
    },
    0,
    [2, 3],
  ],
  ["rmsNorm", (x) => nb.rmsNorm(x, 6, { eps: 0 }), 0, [1, 6]],
  [
    "rmsNorm with a weight",
    (x) => nb.rmsNorm(x, 3, { weight: tensor([0.5, 2, -1], { dtype: x.dtype as "float64" }), eps: 0 }),
    0,
    [2, 3],
  ],
  ["groupNorm", (x) => nb.groupNorm(x, 1, { eps: 0 }), 0, [2, 3]],
  ["batchNorm of columns", (x) => nb.batchNorm(x, null, null, { training: true, eps: 0 }), 0, [3, 2]],
  ["batchNorm of planes", (x) => nb.batchNorm(x, null, null, { training: true, eps: 0 }), 0, [1, 2, 3]],
  ["normalize", (x) => nb.nn.functional.normalize(x, { eps: 0 }), 0, [2, 3]],
  ["normalize by the norm of order 1", (x) => nb.nn.functional.normalize(x, { p: 1, eps: 0 }), 0, [2, 3]],
  ["normalize by the norm of order 3", (x) => nb.nn.functional.normalize(x, { p: 3, eps: 0 }), 0, [2, 3]],
  ["cosineSimilarity", (x) => nb.nn.functional.cosineSimilarity(x, x.flip(1).mul(0.5), { eps: 0 }), 0, [2, 3]],
];

describe.each(ops)("%s", (...op) => {
  test.each(scales)("of %s times %d", (dtype, scale) => {
    valuesScale(op, dtype, scale);
    slopesScale(op, dtype, scale);
  });
});

// Here lengths, and differences from the mean, overflow, though deviations and normalized values fit.
const largest = [
  ["float32", 2 ** 126],
  ["float64", 2 ** 1022],
] as const;
describe.each(ops.filter(([name]) => /^std|Norm|^normalize|^cosine/.test(name)))("%s", (...op) => {
  test.each(largest)("of %s times %d", (dtype, scale) => {
    valuesScale(op, dtype, scale);
    slopesScale(op, dtype, scale);
  });
});

// What divides by a number of the dtype itself would inherit the few digits of that.
const inDouble = ["norm", "std", "layerNorm", "layerNorm with weight and bias", "rmsNorm", "groupNorm"];
describe.each(ops.filter(([name]) => inDouble.includes(name)))("%s", (...op) => {
  test.each(subnormals)("of %s times %d", (dtype, scale) => valuesScale(op, dtype, scale));
});

describe("among ordinary rows", () => {
  const row = [1e20, -1e20, 1e20, 0];
  const wanted = [0.904534, -1.507557, 0.904534, -0.301511];
  const ordinary = [1, 2, 3, 5];
  const rows = [ordinary, row, ordinary, ordinary, row, ordinary, row];
  const alone = (w: nb.Tensor) => (x: nb.Tensor) => nb.layerNorm(x, 4, { weight: w, bias: w });

  test("extreme rows are right and leave the others, and what weights get of them, as they are", () => {
    const w = tensor([1, 2, 3, 4], { requiresGrad: true });
    const x = tensor(rows, { requiresGrad: true });
    const y = alone(w)(x);
    rows.forEach((given, i) => {
      expect(values(y.at(i))).toEqual(values(alone(w)(tensor([given]))));
    });
    near(nb.layerNorm(tensor([row]), 4), wanted, "layerNorm", 1e3);
    const g = tensor(rows.map((_, i) => [1, -i, 0.5, 2]));
    y.mul(g).sum().backward();
    const standard = nb.layerNorm(tensor(rows), 4);
    near(w.grad!, values(standard.mul(g).sum(0).add(g.sum(0))), "the gradient of the weight");
    rows.forEach((given, i) => {
      const one = nb.grad((v: nb.Tensor) => alone(w.detach())(v).mul(g.at(i)).sum())(tensor([given]));
      expect(values(x.grad!.at(i))).toEqual(values(one));
    });
  });

  test("batchNorm's running values take what fits them", () => {
    const [mean, variance] = [nb.zeros([2]), nb.zeros([2])];
    const x = tensor([
      [1e20, 1],
      [-1e20, 2],
      [1e20, 3],
      [0, 5],
    ]);
    const y = nb.batchNorm(x, mean, variance, { training: true, momentum: 1 });
    near(y.narrow(1, 0, 1), wanted, "batchNorm", 1e3);
    near(y.narrow(1, 1, 1), values(nb.layerNorm(tensor([[1, 2, 3, 5]]), 4)), "the other channel");
    expect(mean.toArray()).toEqual([Math.fround(0.25e20), 2.75]);
    expect(values(variance)[0]).toBe(Infinity);
  });

  test("batchNorm by running values far from the numbers", () => {
    const [mean, variance] = [tensor([-3e38, 0]), tensor([3e38, 1])];
    const x = tensor([[3e38, 1]], { requiresGrad: true });
    near(
      nb.batchNorm(x.detach(), mean, variance),
      [(6e38 - 0) / Math.sqrt(3e38), 1 / Math.sqrt(1 + 1e-5)],
      "batchNorm",
    );
  });

  test("a default eps outweighs tiny rows", () => {
    const tiny = tensor([[1e-30, -1e-30, 2e-30]]);
    near(
      nb.layerNorm(tiny, 3),
      values(tiny).map((v) => (v - 2e-30 / 3) / Math.sqrt(1e-5)),
      "layerNorm",
    );
  });

  test("NaN and infinite elements give NaN, and equal elements 0", () => {
    expect(values(nb.layerNorm(tensor([[1, NaN, 2]]), 3))).toEqual([NaN, NaN, NaN]);
    expect(values(nb.layerNorm(tensor([[1, Infinity, 2]]), 3))).toEqual([NaN, NaN, NaN]);
    expect(values(nb.layerNorm(tensor([[2e20, 2e20]]), 2))).toEqual([0, 0]);
  });
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

test("the norm of float64 takes what fits beside what does not", () => {
  const x = tensor(
    [
      [3e200, 4e200],
      [3, 4],
      [3e-200, 4e-200],
      [0, 0],
      [Infinity, 1],
      [NaN, 1],
    ],
    { dtype: "float64" },
  );
  const got = values(x.norm({ dim: 1 }));
  expect(got[0]! / 5e200).toBeCloseTo(1, 14);
  expect(got[1]).toBe(5);
  expect(got[2]! / 5e-200).toBeCloseTo(1, 14);
  expect(got.slice(3)).toEqual([0, Infinity, NaN]);
});

test("quantile between infinities", () => {
  const x = tensor([-Infinity, -Infinity, 1, Infinity, Infinity]);
  expect(values(x.quantile([0, 0.125, 0.5, 0.875, 1]))).toEqual([-Infinity, -Infinity, 1, Infinity, Infinity]);
});

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

  test("losses whose sum overflows", () => {
    const [x, zero] = [tensor([3e38, 3e38, 3e38]), nb.zeros([3])];
    const m = Math.fround(3e38);
    expect(nb.l1Loss(x, zero).item()).toBe(m);
    expect(nb.mseLoss(tensor([2.5e19, 0, 0]), zero).item() / (2.5e19 ** 2 / 3)).toBeCloseTo(1, 6);
    const rows = tensor([
      [0, 3e38],
      [0, 3e38],
      [1, 2],
    ]);
    const target = tensor([0, 0, -100], { dtype: "int32" });
    expect(nb.crossEntropy(rows, target).item()).toBe(m);
    expect(nb.nllLoss(rows.neg(), tensor([1, 1, -100], { dtype: "int32" })).item()).toBe(m);
    expect(nb.klDiv(x.neg().reshape([3, 1]), nb.ones([3, 1]), { reduction: "batchmean" }).item()).toBe(m);
  });
});

describe("the gradient of what does not fit", () => {
  const [most, least] = [3.4e38, 2 ** -149];
  const [mostDouble, leastDouble] = [1.7e308, 2 ** -1074];
  const root = Math.SQRT1_2;
  const cases: [string, "float32" | "float64", number[], Rows, number[]][] = [
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

  const tiny: [string, "float32" | "float64", number[], Rows, number[]][] = [
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
  const infinite = tensor([Infinity, m, NaN, m], { dtype }).reshape([1, 1, 2, 2]);
  expect(values(nb.avgPool2d(infinite, [1, 2]))).toEqual([Infinity, NaN]);
});

describe.each([
  ["float32", 3e38],
  ["float64", 1.6e308],
] as const)("elementwise near the largest %s", (dtype, given) => {
  const of = (...row: number[]): nb.Tensor => tensor(row, { dtype });
  const m = of(given).item();

  test("lerp", () => {
    const [a, b] = [of(-m, m, -m, m), of(m, -m, m, m)];
    near(a.lerp(b, of(0.5, 0.25, 0.75, 0.3)), [0, m / 2, m / 2, m], "lerp");
    expect(values(a.lerp(b, 0))).toEqual(values(a));
    expect(values(a.lerp(b, 1))).toEqual(values(b));
    near(nb.grad((w: nb.Tensor) => a.lerp(b, w).mul(0.25).sum())(of(0.25)), [m / 2], "by the weight");
    near(of(-m, m).quantile(0.5), [0], "quantile");
  });

  test("normalize and cosineSimilarity where the norm does not fit", () => {
    const { normalize, cosineSimilarity } = nb.nn.functional;
    const x = of(m, -m, m, m);
    near(normalize(x, 0), [0.5, -0.5, 0.5, 0.5], "normalize");
    near(
      normalize(x.reshape([2, 2]), 1, { eps: m }).flatten(),
      [1, -1, 1, 1].map((v) => v * Math.SQRT1_2),
      "eps",
    );
    near(cosineSimilarity(x, x.flip(0), 0), [0], "cosineSimilarity");
    near(cosineSimilarity(x, of(1, 1, 1, 1), 0), [0.5], "cosineSimilarity");
    if (dtype === "float32") near(normalize(x.to("bfloat16"), 0), [0.5, -0.5, 0.5, 0.5], "bfloat16");
  });

  test("softplus with a beta", () => {
    const f = (x: nb.Tensor): nb.Tensor => x.softplus({ beta: 10 });
    expect(values(f(of(m, -m)))).toEqual([m, 0]);
    expect(values(nb.grad((x: nb.Tensor) => f(x).sum())(of(m, -m, 0)))).toEqual([1, 0, 0.5]);
  });

  test("gradients of inverse functions", () => {
    const large = 2 ** Math.round(Math.log2(m) * 0.9);
    const slope = (f: Rows, ...x: number[]): nb.Tensor => nb.grad((v: nb.Tensor) => f(v).sum())(of(...x));
    near(
      slope((x) => x.asinh(), large, -large),
      [1 / large, 1 / large],
      "asinh",
    );
    near(
      slope((x) => x.acosh(), large),
      [1 / large],
      "acosh",
    );
    near(
      slope((x) => x.atan2(large), large, 0),
      [0.5 / large, 1 / large],
      "atan2 by y",
    );
    near(
      slope((x) => nb.tensor(-1 / large, { dtype }).atan2(x), 1 / large),
      [large / 2],
      "atan2 by x",
    );
    near(
      slope((x) => of(m).remainder(x), -m * 0.75),
      [2],
      "remainder",
    );
  });

  test("singular values", () => {
    const size = 2 ** Math.round(Math.log2(m) * 0.8);
    const a = of(3, 1, -2, 2, 0.5, 1).reshape([3, 2]);
    const f = (x: nb.Tensor): nb.Tensor => {
      const { u, s, vh } = x.svd();
      return s.sum().add(u.at(0, 0).add(vh.at(0, 1)).mul(s.at(0).detach()));
    };
    near(nb.grad(f)(a.mul(size)).flatten(), values(nb.grad(f)(a)), "gradient", 256);
  });

  test("gradients clipped across parameters", () => {
    for (const [size, maxNorm] of [
      [m, 1],
      [m / 4, 2],
    ] as const) {
      const parameters = [of(1, 1), of(1, 1)];
      for (const p of parameters) {
        p.requiresGrad = true;
        p.mul(of(size, -size)).sum().backward();
      }
      const norm = nb.optim.clipGradNorm(parameters, maxNorm).item();
      if (size === m) expect(norm).toBe(Infinity);
      else expect(norm / size / 2).toBeCloseTo(1, 6);
      for (const p of parameters) near(p.grad!, [maxNorm / 2, -maxNorm / 2], "clipped");
    }
    const small = of(1);
    small.requiresGrad = true;
    small.mul(1 / m).backward();
    expect(nb.optim.clipGradNorm(small, 1).item() * m).toBeCloseTo(1, 6);
  });
});
