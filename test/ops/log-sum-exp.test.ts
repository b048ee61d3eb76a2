/** The digits of log-sum-exp, near 0 above all, in every layout and dtype, and its derivatives. */
import * as nb from "nabla";
import { describe, expect, test } from "vitest";

const { tensor } = nb;
const round = Math.fround;
const values = (x: nb.Tensor): number[] => Array.from(x.toTypedArray(), Number);

/** exp(x - top), without the rounding of the difference. */
function expOfDifference(x: number, top: number): number {
  const d = x - top;
  const back = d + top;
  return Math.exp(d) * (1 + (x - back - (top - (back - d))));
}

/** In double: the largest plus log1p of what the others add; `size` is that of the smaller term. */
function exact(row: readonly number[]): { value: number; size: number } {
  const top = row.reduce((a, b) => (Number.isNaN(a) || a > b ? a : b));
  if (!Number.isFinite(top)) return { value: top, size: 0 };
  const at = row.indexOf(top);
  let sum = 0;
  let lost = 0; // what rounding takes from the sum
  row.forEach((x, i) => {
    if (i === at) return;
    const e = expOfDifference(x, top) + lost;
    lost = e - (sum + e - sum);
    sum += e - lost;
  });
  const rest = Math.log1p(sum);
  return { value: top + rest, size: Math.min(Math.abs(top), rest) };
}

const bits = { float32: 23, float64: 52, float16: 10, bfloat16: 7 };
type Dtype = keyof typeof bits;
const least = { float32: -126, float64: -1022, float16: -14, bfloat16: -126 };
const ulp = (x: number, dtype: Dtype): number =>
  2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), least[dtype]) - bits[dtype]);

/** Within 8 ulp of the exact value; in float64, where double itself is the reference, of the larger of value and terms. */
function near(got: nb.Tensor, rows: readonly (readonly number[])[], dtype: Dtype, what: string): void {
  const found = values(got);
  expect(found).toHaveLength(rows.length);
  found.forEach((y, i) => {
    const { value, size } = exact(rows[i]!);
    if (!Number.isFinite(value)) return expect(y, `${what}, ${i}`).toBe(value);
    if (dtype !== "float64" && Math.abs(value) < 1e-37)
      return expect(Math.abs(y), `${what}, ${i}`).toBeLessThan(1.01e-37);
    const error = Math.abs(y - value) / ulp(dtype === "float64" ? Math.max(size, Math.abs(value)) : value, dtype);
    if (!(error <= 8)) expect.fail(`${what}, ${i}: ${y} is ${error} ulp from ${value}`);
  });
}

/** Numbers from -1 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 1073741824 - 1;
  };
}

/** Rows of n elements whose log-sum-exp is anything, near 0, or as near to 0 as rounding lets it be. */
function rowsOf(n: number, count: number, dtype: Dtype): number[][] {
  const next = numbers(n * 7919 + 1);
  const rows = Array.from({ length: count }, (_, r) => {
    const spread = [0.5, 4, 30, 200][r % 4]!;
    const row = Array.from({ length: n }, () => next() * spread);
    const { value } = exact(row);
    const level = [value, value - 1e-3, value + 0.3, value + 40, 0, value - 90][r % 6]!;
    return row.map((x) => x - level);
  });
  return rows.map((row) => values(tensor(row, { dtype: "float64" }).to(dtype)));
}

const dtypes: Dtype[] = ["float32", "float64", "float16", "bfloat16"];
describe.each(dtypes)("in %s", (dtype) => {
  test.each([2, 3, 5, 31, 32, 33, 100, 1000, 5000])("rows of %d elements, over any dimensions", (n) => {
    const count = n > 1000 ? 12 : 70;
    const rows = rowsOf(n, count, dtype);
    const x = tensor(rows, { dtype: "float64" }).to(dtype);
    near(x.logsumexp(1), rows, dtype, "last");
    expect(x.logsumexp(1, { keepdim: true }).shape).toEqual([count, 1]);
    near(x.logsumexp(1, { keepdim: true }), rows, dtype, "kept");
    near(x.t().contiguous().logsumexp(0), rows, dtype, "first");
    near(x.t().logsumexp(0), rows, dtype, "first of a view");
    near(x.t().contiguous().t().logsumexp(1), rows, dtype, "last of a view");
    const pairs = tensor(rows.slice(0, count - (count % 2)), { dtype: "float64" }).to(dtype);
    const middle = pairs.reshape([count >> 1, 2, n]);
    near(middle.movedim(2, 1).contiguous().logsumexp(1), rows.slice(0, pairs.shape[0]), dtype, "middle");
    if (n % 5 !== 0) return;
    const split = x.reshape([count, 5, n / 5]);
    near(split.logsumexp([1, 2]), rows, dtype, "two dimensions");
    near(split.movedim(0, 1).contiguous().logsumexp([0, 2]), rows, dtype, "two apart");
    near(split.movedim(0, 2).contiguous().logsumexp([0, 1]), rows, dtype, "the first two");
  });

  test("a row in parts", () => {
    const rows = rowsOf(150000, 6, dtype);
    for (const row of rows) near(tensor(row, { dtype: "float64" }).to(dtype).logsumexp(), [row], dtype, "all");
    const x = tensor(rows, { dtype: "float64" }).to(dtype);
    near(x.logsumexp(1), rows, dtype, "rows");
    near(x.t().contiguous().logsumexp(0), rows, dtype, "columns");
  });

  test("infinities, NaN and nothing", () => {
    for (const width of [2, 40]) {
      const fill = (a: number, b: number): number[] => Array.from({ length: width }, (_, i) => (i === 1 ? b : a));
      const rows = [
        fill(-Infinity, -Infinity),
        fill(-Infinity, 0.25),
        fill(1, Infinity),
        fill(Infinity, -Infinity),
        fill(NaN, 1),
        fill(1, NaN),
        fill(Infinity, NaN),
        fill(-Infinity, NaN),
      ];
      const x = tensor(rows, { dtype });
      const want = [-Infinity, 0.25, Infinity, Infinity, NaN, NaN, NaN, NaN];
      expect(values(x.logsumexp(1))).toEqual(want);
      expect(values(x.t().contiguous().logsumexp(0))).toEqual(want);
    }
    expect(values(nb.zeros([2, 0], { dtype }).logsumexp(1))).toEqual([-Infinity, -Infinity]);
    expect(nb.zeros([0, 2], { dtype }).logsumexp(1).shape).toEqual([0]);
    expect(nb.grad((v: nb.Tensor) => v.logsumexp(1).sum())(nb.zeros([2, 0], { dtype })).shape).toEqual([2, 0]);
    expect(tensor(3, { dtype }).logsumexp().item()).toBe(3);
  });
});

test("the loss of one class against another is that of logSoftmax and softplus", () => {
  const small = Math.log1p(Math.exp(-16));
  for (const got of [
    tensor([0, -16]).logsumexp().item(),
    -tensor([0, -16]).logSoftmax(0).toArray()[0]!,
    nb.softplus(tensor([-16])).item(),
    nb.logaddexp(tensor([0]), tensor([-16])).item(),
    -tensor([16]).logSigmoid().item(),
  ])
    expect(Math.abs(got - small)).toBeLessThanOrEqual(2 * ulp(small, "float32"));
  expect(
    tensor([round(-Math.LN2), round(-Math.LN2)])
      .logsumexp()
      .item(),
  ).toBe(round(round(-Math.LN2) + Math.LN2));
});

describe("derivatives", () => {
  const next = numbers(5);
  const shapes: [string, number[], number | number[]][] = [
    ["last", [3, 40], 1],
    ["short", [30, 3], 1],
    ["first", [40, 3], 0],
    ["middle", [3, 5, 9], 1],
    ["two", [3, 5, 9], [1, 2]],
    ["two apart", [3, 5, 9], [0, 2]],
    ["none", [3, 2], []],
  ];
  test.each(shapes)("%s: the softmax, in both modes, recorded and in vmap", (_, shape, dim) => {
    const size = shape.reduce((a, b) => a * b);
    const x = tensor(Array.from({ length: size }, () => next() * 3)).reshape(shape);
    const f = (v: nb.Tensor): nb.Tensor => v.logsumexp(dim);
    const y = f(x);
    const weights = tensor(Array.from({ length: y.numel }, () => next())).reshape(y.shape);
    const kept = x.logsumexp(dim, { keepdim: true });
    const softmax = x.to("float64").sub(kept.to("float64")).exp();
    const want = softmax.mul(weights.reshape(kept.shape));
    const close = (got: nb.Tensor, to: nb.Tensor, what: string): void =>
      expect(got.to("float64").sub(to).abs().amax().item(), what).toBeLessThan(2e-6);
    const weighed = (v: nb.Tensor): nb.Tensor => f(v).mul(weights).sum();
    const reverse = nb.grad(weighed)(x);
    close(reverse, want, "reverse");
    const leaf = x.clone();
    leaf.requiresGrad = true;
    weighed(leaf).backward({ createGraph: true });
    expect(values(leaf.grad!)).toEqual(values(reverse));
    const tangent = tensor(Array.from({ length: size }, () => next())).reshape(shape);
    const [, forward] = nb.jvp(f, [x], [tangent]);
    close(forward, softmax.mul(tangent).sum(dim), "forward");
    const batched = nb.vmap(nb.grad(weighed))(nb.stack([x, x.mul(2)]));
    close(batched.at(0), want, "in vmap");
    expect(nb.gradcheck(weighed, [x.to("float64")], { order: 2 })).toBe(true);
  });

  test("where a softmax is anything but one of the largest", () => {
    const gradient = nb.grad((v: nb.Tensor) => v.logsumexp())(tensor([0, -16, -80]));
    const total = 1 + Math.exp(-16) + Math.exp(-80);
    [1, Math.exp(-16), Math.exp(-80)].forEach((e, i) => {
      const want = e / total;
      expect(Math.abs(values(gradient)[i]! - want)).toBeLessThanOrEqual(4 * ulp(want, "float32"));
    });
  });
});
