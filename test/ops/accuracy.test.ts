import { readFileSync } from "node:fs";
import { matmul, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";

interface Case {
  readonly op: string;
  readonly kind: string;
  readonly shape: number[];
  readonly dim: number;
  readonly numpy: { readonly max: number; readonly mean: number };
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(new URL("./accuracy.json", import.meta.url), "utf8"));

/** The numbers of accuracy.py's `hashed`. */
function hashed(i: number, seed: number): number {
  let h = Math.imul(i + seed * 1000003 + 1, 2654435761);
  h = Math.imul(h ^ (h >>> 15), 2246822519);
  return (h ^ (h >>> 13)) >>> 0;
}
const kinds: Record<string, (u: number, i: number, seed: number) => number> = {
  uniform: (u) => u,
  alternating: (u, i) => (i % 2 === 0 ? u : -u),
  magnitudes: (u, i, seed) => (u - 0.5) * 2 ** ((hashed(i, seed + 1) % 21) - 10),
  offset: (u) => u + 1000,
};
const data = (kind: string, n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => kinds[kind]!(hashed(i, seed) / 2 ** 32, i, seed));

/** The sum of f(i) in double, with what each addition loses carried along (Neumaier). */
function total(n: number, f: (i: number) => number): number {
  let [sum, lost] = [0, 0];
  for (let i = 0; i < n; i++) {
    const x = f(i);
    const next = sum + x;
    lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** What each op gives for the n elements x(0), x(1), ... of a line, in double. */
const references: Record<string, (n: number, x: (i: number) => number) => number[]> = {
  sum: (n, x) => [total(n, x)],
  mean: (n, x) => [total(n, x) / n],
  var: (n, x) => {
    const mean = total(n, x) / n;
    return [total(n, (i) => (x(i) - mean) ** 2) / (n - 1)];
  },
  norm: (n, x) => [Math.sqrt(total(n, (i) => x(i) ** 2))],
  logsumexp: (n, x) => {
    let top = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < n; i++) top = Math.max(top, x(i));
    return [Math.log(total(n, (i) => Math.exp(x(i) - top))) + top];
  },
  cumsum: (n, x) => {
    let sum = 0;
    return Array.from({ length: n }, (_, i) => {
      sum += x(i);
      return sum;
    });
  },
};

/** Results beside what they should be, line by line or product by product. */
function run({ op, kind, shape, dim }: Case): { got: Float32Array; wanted: Float64Array } {
  if (op === "matmul") {
    const [m, k, n] = shape as [number, number, number];
    const [a, b] = [data(kind, m * k, 1), data(kind, k * n, 5)];
    const of = (x: Float32Array, rows: number, columns: number): Tensor => tensor(x, { shape: [rows, columns] });
    const got = matmul(of(a, m, k), of(b, k, n)).toTypedArray() as Float32Array;
    const at = (i: number): number => {
      const [row, column] = [Math.floor(i / n), i % n];
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[row * k + l]! * b[l * n + column]!;
      return sum;
    };
    return { got, wanted: Float64Array.from({ length: m * n }, (_, i) => at(i)) };
  }
  const [height, width] = shape as [number, number];
  const x = data(kind, height * width, 1);
  const f = tensor(x, { shape }) as unknown as Record<string, (dim: number | { dim: number }) => Tensor>;
  const result = f[op]!(op === "norm" ? { dim } : dim); // a number alone may be norm's order
  const lines = dim === 0 ? result.t() : result; // line after line
  const [count, n, step, stride] = dim === 0 ? [width, height, width, 1] : [height, width, 1, width];
  const wanted = Array.from({ length: count }, (_, line) =>
    references[op]!(n, (i) => x[line * stride + i * step]!),
  ).flat();
  return { got: lines.contiguous().toTypedArray() as Float32Array, wanted: Float64Array.from(wanted) };
}

/** The references of the two sides differ in their last bits. */
const slack = 1 + 1e-6;

/** How far the nearest float32 numbers can be from a number of this size: no float32 result is sure to be nearer. */
const halfUlp = (x: number): number => 2 ** (Math.floor(Math.log2(Math.abs(x))) - 24);

function errors(of: Case): { max: number; mean: number; least: number; largest: number } {
  const { got, wanted } = run(of);
  expect(got.length).toBe(wanted.length);
  let [max, sum, least, largest] = [0, 0, 0, 0];
  got.forEach((value, i) => {
    const error = Math.abs(value - wanted[i]!);
    const half = wanted[i] === 0 ? 0 : halfUlp(wanted[i]!);
    max = Math.max(max, error);
    sum += error;
    largest = Math.max(largest, half);
    least += half;
  });
  return { max, mean: sum / got.length, least: least / got.length, largest };
}

/** Where both sides round at the same places, or in one chain, which of the two is nearer in one case is chance. */
const onTheWhole = ["matmul", "logsumexp", "norm"];

describe("float32 results are as near to float64 ones as NumPy's, or as float32 allows", () => {
  const titled = cases.map((of): [string, Case] => [`${of.op} ${of.kind} [${of.shape}] dim ${of.dim}`, of]);
  test.each(titled.filter(([, { op }]) => !onTheWhole.includes(op)))("%s", (_, of) => {
    const { max, mean, least, largest } = errors(of);
    expect(max, "largest error").toBeLessThanOrEqual(Math.max(of.numpy.max * slack, largest));
    expect(mean, "mean error").toBeLessThanOrEqual(Math.max(of.numpy.mean * slack, least));
  });
  test.each(onTheWhole)("%s, in the geometric mean of all cases", (op) => {
    const own = cases.filter((of) => of.op === op);
    const ratios = own.map((of) => Math.log(errors(of).mean / of.numpy.mean));
    expect(own.length).toBeGreaterThan(10);
    expect(Math.exp(ratios.reduce((a, b) => a + b) / own.length)).toBeLessThanOrEqual(1);
  });
});
