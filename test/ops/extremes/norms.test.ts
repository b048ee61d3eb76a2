/** Norms, and what is divided by them, of numbers whose squares are out of range; derivatives in both modes. */
import * as nb from "nabla";
import { describe, expect, test } from "vitest";
import { near, type Op, values } from "./near.js";

const { tensor } = nb;

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

type Case = readonly [name: string, f: Op, degree: 0 | 1, shape: readonly number[]];
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
