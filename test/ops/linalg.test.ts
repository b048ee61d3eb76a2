/** Linear algebra against PyTorch, and what must hold of every decomposition whatever the matrix. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as nb from "nabla";
import { describe, expect, test } from "vitest";

const { tensor } = nb;
type Values = number | Values[];
interface Golden {
  readonly name: string;
  readonly inputs: Values[];
  readonly parts: Values[];
  readonly weights: Values[];
  readonly gradients: Values[];
}
const golden: { cases: Golden[] } = JSON.parse(readFileSync(new URL("./linalg-golden.json", import.meta.url), "utf8"));

const float64 = { dtype: "float64" } as const;
const transposed = (x: nb.Tensor): nb.Tensor => x.transpose(-2, -1);

/** What the script computes, by name. */
const functions: Readonly<Record<string, (...xs: nb.Tensor[]) => nb.Tensor[]>> = {
  cholesky: (x) => [nb.cholesky(x!.matmul(transposed(x!)).add(nb.eye(x!.size(-1), float64)))],
  triangularSolve: (a, b) => [nb.triangularSolve(a!, b!)],
  solve: (a, b) => [nb.solve(a!, b!)],
  inv: (a) => [nb.inv(a!)],
  det: (a) => [nb.det(a!)],
  slogdet: (a) => Object.values(nb.slogdet(a!)),
  qr: (a) => Object.values(nb.qr(a!)),
  eigh: (a) => Object.values(nb.eigh(a!.add(transposed(a!)))),
  svd: (a) => Object.values(nb.svd(a!)),
  pinv: (a) => [nb.pinv(a!)],
  lstsq: (a, b) => [nb.lstsq(a!, b!).solution, nb.lstsq(a!, b!).residuals],
};

function close(got: nb.Tensor, want: nb.Tensor, tolerance: number, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  if (got.numel > 0)
    expect(got.sub(want).abs().amax().item(), what).toBeLessThanOrEqual(tolerance * (1 + want.abs().amax().item()));
}

describe("as PyTorch", () => {
  test.each(golden.cases.map((row, i) => [`${i}: ${row.name}`, row] as const))("%s", (_, row) => {
    const inputs = row.inputs.map((values) => tensor(values, { ...float64, requiresGrad: true }));
    const parts = functions[row.name]!(...inputs);
    expect(parts).toHaveLength(row.parts.length);
    parts.forEach((part, i) => close(part, tensor(row.parts[i]!, float64), 1e-11, `part ${i}`));
    const loss = parts.map((part, i) => part.mul(tensor(row.weights[i]!, float64)).sum()).reduce((a, b) => a.add(b));
    loss.backward();
    inputs.forEach((x, i) => close(x.grad!, tensor(row.gradients[i]!, float64), 1e-9, `gradient ${i}`));
  });
});

/** Matrices [.., m, n]: random, of low rank, with equal rows, zeros, or of widely different scales. */
const matrices = fc
  .record({
    batch: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
    m: fc.integer({ min: 0, max: 9 }),
    n: fc.integer({ min: 0, max: 9 }),
    seed: fc.integer({ min: 0, max: 1e6 }),
    kind: fc.constantFrom("random", "low rank", "small integers", "equal rows", "zeros", "graded", "large", "small"),
    dtype: fc.constantFrom("float32" as const, "float64" as const),
  })
  .map(({ batch, m, n, seed, kind, dtype }) => {
    const generator = new nb.RandomGenerator(seed);
    const draw = (...shape: number[]): nb.Tensor => nb.randn([...batch, ...shape], { generator, dtype });
    const scales = (base: number): nb.Tensor =>
      tensor(
        Array.from({ length: n }, (_, j) => base ** j),
        { shape: [n], dtype },
      );
    const make: Record<string, () => nb.Tensor> = {
      random: () => draw(m, n),
      "low rank": () => draw(m, 1).matmul(draw(1, n)),
      "small integers": () => draw(m, n).round(),
      "equal rows": () => draw(1, n).expand([...batch, m, n]),
      zeros: () => nb.zeros([...batch, m, n], { dtype }),
      graded: () => draw(m, n).mul(scales(1e-3)),
      large: () => draw(m, n).mul(dtype === "float32" ? 1e37 : 1e306),
      small: () => draw(m, n).mul(dtype === "float32" ? 1e-37 : 1e-306),
    };
    return make[kind]!();
  });
const unit = (x: nb.Tensor): number => (x.dtype === "float32" ? 2 ** -23 : 2 ** -52);
const runs = { numRuns: 300, seed: 7 };

/** |a - b| within some units of the largest element of a. */
function near(a: nb.Tensor, b: nb.Tensor, what: string): void {
  expect(b.shape, what).toEqual(a.shape);
  if (a.numel === 0) return;
  const scale = a.abs().amax();
  const error = scale.item() === 0 ? b.abs().amax() : b.div(scale).sub(a.div(scale)).abs().amax();
  expect(error.item(), what).toBeLessThanOrEqual(64 * unit(a));
}
/** Columns of length 1, at right angles. */
function orthonormal(q: nb.Tensor, what: string): void {
  const product = transposed(q).matmul(q);
  near(nb.eye(q.size(-1), { dtype: q.dtype }).expand(product.shape), product, what);
}
const descending = (s: nb.Tensor): boolean =>
  s.numel === 0 ||
  s.size(-1) < 2 ||
  s
    .narrow(-1, 0, s.size(-1) - 1)
    .ge(s.narrow(-1, 1, s.size(-1) - 1))
    .all()
    .item() === 1;

describe("of every matrix", () => {
  test("x = q r, q orthonormal, r upper triangular", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const { q, r } = nb.qr(x);
        near(x, q.matmul(r), "q r");
        orthonormal(q, "q");
        const rows = nb.arange(r.size(-2)).unsqueeze(1);
        expect(
          nb
            .where(rows.gt(nb.arange(r.size(-1))), r, 0)
            .ne(0)
            .any()
            .item(),
        ).toBe(0);
      }),
      runs,
    );
  });

  test("x = u s vh, both orthonormal, s descending and not negative", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const { u, s, vh } = nb.svd(x);
        near(x, u.mul(s.unsqueeze(-2)).matmul(vh), "u s vh");
        orthonormal(u, "u");
        orthonormal(transposed(vh), "vh");
        expect(descending(s)).toBe(true);
        expect(s.lt(0).any().item()).toBe(0);
      }),
      runs,
    );
  });

  test("x + xᵀ = v w vᵀ, v orthonormal, w ascending", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const k = Math.min(x.size(-2), x.size(-1));
        const half = x.narrow(-2, 0, k).narrow(-1, 0, k).mul(0.5);
        const symmetric = half.add(transposed(half));
        const { values, vectors } = nb.eigh(symmetric);
        near(symmetric, vectors.mul(values.unsqueeze(-2)).matmul(transposed(vectors)), "v w vᵀ");
        orthonormal(vectors, "v");
        expect(descending(values.neg())).toBe(true);
      }),
      runs,
    );
  });
});

describe("the pseudoinverse and least squares", () => {
  const low = tensor(
    [
      [1, 2],
      [2, 4],
      [3, 6],
    ],
    float64,
  );
  test("of a matrix of rank 1", () => {
    const p = nb.pinv(low);
    near(low, low.matmul(p).matmul(low), "a p a");
    near(p, p.matmul(low).matmul(p), "p a p");
    const { rank, residuals, singularValues, solution } = nb.lstsq(low, nb.ones([3, 1], float64));
    expect(rank.item()).toBe(1);
    expect(rank.dtype).toBe("int64");
    expect(residuals.shape).toEqual([0]);
    expect(singularValues.shape).toEqual([2]);
    near(p.matmul(nb.ones([3, 1], float64)), solution, "least norm");
  });

  test("differentiable where singular values are equal", () => {
    nb.gradcheck((x: nb.Tensor) => nb.pinv(x), [nb.eye(3, float64)]);
  });

  test("a tolerance cuts", () => {
    const x = tensor(
      [
        [1, 0],
        [0, 0.1],
      ],
      float64,
    );
    expect(nb.pinv(x, { rtol: 0.5 }).toArray()).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(nb.lstsq(x, x, { rcond: 0.5 }).rank.item()).toBe(1);
  });
});

test("cholesky and its solution, upper as lower", () => {
  const x = tensor(
    [
      [4, 2],
      [2, 5],
    ],
    float64,
  );
  const upper = nb.cholesky(x, { upper: true });
  near(x, transposed(upper).matmul(upper), "uᵀ u");
  const b = tensor([[1], [2]], float64);
  near(nb.solve(x, b), nb.choleskySolve(b, upper, { upper: true }), "by the upper factor");
  near(nb.solve(x, b), b.choleskySolve(x.cholesky()), "by the lower factor");
});

test("det and slogdet of singular and of empty matrices; far outside of the dtype's range", () => {
  expect(nb.det(nb.ones([2, 2])).item()).toBe(0);
  expect(nb.slogdet(nb.ones([2, 2])).sign.item()).toBe(0);
  expect(nb.slogdet(nb.ones([2, 2])).logabsdet.item()).toBe(Number.NEGATIVE_INFINITY);
  expect(nb.det(nb.zeros([3, 0, 0])).toArray()).toEqual([1, 1, 1]);
  expect(nb.slogdet(nb.eye(40).mul(-1e10)).logabsdet.item()).toBeCloseTo(40 * Math.log(1e10), 3);
  const x = nb.ones([2, 2], { requiresGrad: true });
  expect(() => nb.slogdet(x).logabsdet.backward()).toThrow(/singular/);
});

describe("the derivative of det", () => {
  const minor = (a: readonly number[][], row: number, column: number): number[][] =>
    a.filter((_, i) => i !== row).map((values) => values.filter((_, j) => j !== column));
  const determinant = (a: readonly number[][]): number =>
    a.length === 0 ? 1 : a[0]!.reduce((sum, v, j) => sum + (j % 2 ? -v : v) * determinant(minor(a, 0, j)), 0);
  const cofactorsOf = (a: readonly number[][]): number[][] =>
    a.map((row, i) => row.map((_, j) => ((i + j) % 2 ? -1 : 1) * determinant(minor(a, i, j))));

  /** Whole numbers, of a rank. */
  const ofRank = (n: number, rank: number): number[][] => {
    const at = (i: number, j: number, seed: number): number => ((i * 7 + j * 11 + seed * 13 + i * j * 3) % 9) - 4;
    return Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) =>
        Array.from({ length: rank }, (_, k) => at(i, k, 1) * at(j, k, 2)).reduce((a, b) => a + b, 0),
      ),
    );
  };
  const sizes = [1, 2, 3, 4, 5, 6].flatMap((n) => [n, n - 1, n - 2, 0].filter((r) => r >= 0).map((r) => [n, r]));

  test.each(sizes)("of a matrix of size %d and rank %d is its cofactors, in both modes", (n, rank) => {
    const a = ofRank(n!, rank!);
    const want = tensor(cofactorsOf(a), float64);
    const x = tensor(a, float64);
    // Minors are sums of products of n - 1 elements, which may cancel.
    const size = Math.max(1, ...a.flat().map(Math.abs)) ** (n! - 1);
    const near = (got: nb.Tensor, wanted: nb.Tensor, tolerance: number, what: string): void =>
      close(got.div(size), wanted.div(size), tolerance, what);
    near(nb.grad((m: nb.Tensor) => nb.det(m))(x), want, 1e-13, "reverse");
    const t = tensor(ofRank(n!, 1), float64).add(nb.eye(n!, float64));
    const [, along] = nb.jvp(nb.det, [x], [t]);
    near(along, want.mul(t).sum(), 1e-12, "forward");
    const batch = nb.stack([x, nb.eye(n!, float64), x.mul(-2)]);
    const all = nb.vmap(nb.grad((m: nb.Tensor) => nb.det(m)))(batch);
    near(all.at(0), want, 1e-13, "in a batch");
    near(all.at(2), want.mul((-2) ** (n! - 1)), 1e-12, "in a batch, scaled");
    near(
      nb
        .grad((m: nb.Tensor) => nb.det(m))(x.to("float32"))
        .to("float64"),
      want,
      1e-6,
      "float32",
    );
  });

  test("has derivatives of its own where the matrix is regular", () => {
    const x = tensor(
      [
        [2, 1, 0.5],
        [-1, 3, 1],
        [0, 1, -2],
      ],
      float64,
    );
    expect(nb.gradcheck(nb.det, [x], { order: 2 })).toBe(true);
    const curvature = (m: nb.Tensor): nb.Tensor => nb.hvp(nb.det, [m], [nb.ones([3, 3], float64)])[1][0];
    expect(() => curvature(nb.ones([3, 3], float64))).toThrow(/^det: .*singular/);
  });
});

test("the eigenvalues of the identity have a gradient, its eigenvectors an infinite one", () => {
  const x = nb.eye(3, float64);
  x.requiresGrad = true;
  nb.eigh(x).values.sum().backward();
  expect(x.grad!.toArray()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  const g = nb.grad(
    nb
      .eigh(x)
      .vectors.mul(nb.arange(9).reshape([3, 3]))
      .sum(),
    [x],
  )[0];
  expect(g!.isfinite().all().item()).toBe(0);
});

test("svd of a singular matrix whose rounding errors depend on each other down to nothing", () => {
  const x = tensor(
    [
      [0, 0, 0],
      [-1, 0, 0],
      [2, 0, -2],
    ],
    float64,
  );
  const { u, s, vh } = nb.svd(x);
  near(x, u.mul(s).matmul(vh), "u s vh");
  expect(s.at(2).item()).toBe(0);
});
