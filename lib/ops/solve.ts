import { named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { type Shape, sameShape } from "../core/shape.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { general } from "../engine/rule.js";
import { eye, zerosLike } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { stack } from "./join.js";
import * as m from "./matrix.js";
import { transposed } from "./matrix.js";

const second = ([, b]: readonly Tensor[]): Shape => b!.shape;

interface Triangle {
  readonly upper: boolean;
  readonly unit: boolean;
}
const part = (x: Tensor, t: Triangle): Tensor => (t.upper ? m.upper(x, t.unit) : m.lower(x, t.unit));

const triangularRow: m.Run<Triangle> = m.linalgRow<Triangle>(
  "triangularSolve",
  2,
  general(["out", "x"], {
    vjp: (g, [x, a], { params }, needs) => {
      const gb = triangularRow([transposed(a), g], { ...params, upper: !params.upper });
      return [needs[0] ? part(gb.matmul(transposed(x)), params).neg() : null, gb];
    },
    jvp: ([ta, tb], [x, a], { params }) => {
      const moved = ta ? part(ta, params).matmul(x).neg() : null;
      return triangularRow([a, tb === null ? moved! : moved === null ? tb! : tb!.add(moved)], params);
    },
  }),
  second,
  ({ upper, unit }) => [Number(upper), Number(unit)],
);

export interface TriangularOptions {
  /** Whether a is upper triangular; default false. */
  readonly upper?: boolean | undefined;
  /** Whether to solve a x = b; if false, x a = b. Default true. */
  readonly left?: boolean | undefined;
  /** Whether the diagonal is not read but taken to be ones; default false. */
  readonly unitriangular?: boolean | undefined;
}

/**
 * Solves a x = b for a triangular matrix `a`; its other triangle is not read.
 * @shape a [.., n, n] and b [.., n, k] give [.., n, k]; with `left: false` b is [.., k, n]. Batches broadcast.
 * @gradient a⁻ᵀ g for b; for a, minus its product with xᵀ, restricted to the triangle.
 * @throws ERR_SHAPE where a is not square or b does not fit; ERR_DTYPE for integers; ERR_ARGUMENT for a zero on the diagonal.
 * @source Giles, Collected matrix derivative results for forward and reverse mode AD, 2008.
 * @example triangularSolve(tensor([[2, 0], [1, 1]]), tensor([[2], [3]])).toArray(); // [[1], [2]]
 */
export function triangularSolve(a: Tensor, b: Tensor, options?: TriangularOptions): Tensor {
  const op = "triangularSolve";
  const given = checkOptions<TriangularOptions>(op, options, [], ["upper", "left", "unitriangular"]);
  const { upper = false, left = true, unitriangular: unit = false } = given;
  m.needSquare(op, a, "the triangle");
  m.needMatrix(op, b, "the right side");
  if (!left) {
    const solved = triangularSolve(transposed(a), transposed(b), { upper: !upper, unitriangular: unit });
    return transposed(solved);
  }
  return m.system(op, a, b, (x, y) => triangularRow([x, y], { upper, unit }));
}

const solveRow: m.Run<undefined> = m.linalgRow<undefined>(
  "solve",
  2,
  general(["out", "x"], {
    vjp: (g, [x, a], _, needs) => {
      const gb = solveRow([transposed(a), g], undefined);
      return [needs[0] ? gb.matmul(transposed(x)).neg() : null, gb];
    },
    jvp: ([ta, tb], [x, a]) => {
      const moved = ta ? ta.matmul(x).neg() : null;
      return solveRow([a, tb === null ? moved! : moved === null ? tb! : tb!.add(moved)], undefined);
    },
  }),
  second,
  m.noAttrs,
);
const solved = (a: Tensor, b: Tensor): Tensor => solveRow([a, b], undefined);

/**
 * Solves a x = b by LU decomposition with row pivoting. As in PyTorch, b holds vectors instead of matrices if its rank
 * is 1, or if its shape is that of `a` without the last dimension.
 * @shape a [.., n, n] and b [.., n, k] give [.., n, k]; b [n] or [.., n] gives [.., n]. Batches broadcast.
 * @gradient a⁻ᵀ g for b, and minus its product with xᵀ for a.
 * @throws ERR_SHAPE if a is not square or b does not fit; ERR_DTYPE for integers; ERR_ARGUMENT for a singular matrix.
 * @source Giles, Collected matrix derivative results for forward and reverse mode AD, 2008.
 * @example solve(tensor([[2, 1], [1, 3]]), tensor([3, 4])).toArray(); // [1, 1]
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  m.needSquare("solve", a, "the matrix");
  needFloat("solve", needTensor("solve", b, "the right side"));
  if (b.ndim === 1 || sameShape(b.shape, a.shape.slice(0, -1)))
    return m.system("solve", a, b.unsqueeze(-1), solved).squeeze(-1);
  return m.system("solve", a, m.needMatrix("solve", b, "the right side"), solved);
}

const inverse = (a: Tensor): Tensor => m.system("inv", a, eye(m.rowsOf(a), { dtype: a.dtype as "float64" }), solved);

/**
 * The inverse matrix. Instead of multiplying by it, use {@link solve}, which is faster and more accurate.
 * @shape [.., n, n] gives [.., n, n].
 * @gradient -yᵀ g yᵀ for the result y.
 * @throws ERR_SHAPE if x is not square; ERR_DTYPE for integers; ERR_ARGUMENT for a singular matrix.
 * @example inv(tensor([[2, 0], [0, 4]])).toArray(); // [[0.5, 0], [0, 0.25]]
 */
export const inv = (x: Tensor): Tensor => named("inv", () => inverse(m.needSquare("inv", x)));

/** The trace of a⁻¹ t. */
const relative = (a: Tensor, t: Tensor): Tensor => m.sumOfMatrix(m.onDiagonal(solveRow([a, t], undefined)));

// With C the cofactors, dC = tr(a⁻¹ t) C - C tᵀ a⁻ᵀ, symmetric as it is a second derivative.
const cofactorsAlong = (t: Tensor, c: Tensor, a: Tensor): Tensor => {
  const inverted = named("det", () => transposed(inverse(a)));
  const trace = m.sumOfMatrix(inverted.mul(t)).unsqueeze(-1).unsqueeze(-1);
  return c.mul(trace).sub(c.matmul(transposed(t)).matmul(inverted));
};

const cofactorsRow: m.Run<undefined> = m.linalgRow<undefined>(
  "cofactors",
  1,
  general(["out", "x"], {
    vjp: (g, [c, a]) => [cofactorsAlong(g, c, a)],
    jvp: ([t], [c, a]) => cofactorsAlong(t!, c, a),
  }),
  ([a]) => a!.shape,
  m.noAttrs,
);

const detRow = m.linalgRow<undefined>(
  "det",
  1,
  general(["x"], {
    vjp: (g, [a]) => [cofactorsRow([a], undefined).mul(g.unsqueeze(-1).unsqueeze(-1))],
    jvp: ([t], [a]) => m.sumOfMatrix(cofactorsRow([a], undefined).mul(t!)),
  }),
  ([a]) => m.batchOf(a!),
  m.noAttrs,
);

/**
 * The determinant; 1 for a matrix of size 0.
 * @shape [.., n, n] gives [..].
 * @gradient g times the cofactors of x, also exact for singular matrices; a second derivative of those is ERR_ARGUMENT.
 * @throws ERR_SHAPE if x is not square; ERR_DTYPE for integers.
 * @source Giles, Collected matrix derivative results for forward and reverse mode AD, 2008.
 * @example det(tensor([[2, 1], [1, 3]])).item(); // 5
 */
export const det = (x: Tensor): Tensor => detRow([m.needSquare("det", x)], undefined);

const slogdetRow = m.linalgRow<undefined>(
  "slogdet",
  1,
  general(["x"], {
    vjp: (g, [a]) => named("slogdet", () => [transposed(inverse(a)).mul(g.narrow(-1, 1, 1).unsqueeze(-1))]),
    jvp: ([t], [a]) => {
      const d = named("slogdet", () => relative(a, t!));
      return stack([zerosLike(d), d], -1);
    },
  }),
  ([a]) => [...m.batchOf(a!), 2],
  m.noAttrs,
);

/** The sign of a determinant (0 for a singular matrix) and the logarithm of its absolute value. */
export interface LogDeterminant {
  /** -1, 0 or 1. */
  readonly sign: Tensor;
  /** log|det x|; -inf for a singular matrix. */
  readonly logabsdet: Tensor;
}

/**
 * The sign of the determinant and the logarithm of its absolute value, without overflow or underflow.
 * @shape [.., n, n] gives two tensors [..].
 * @gradient x⁻ᵀ times the gradient of logabsdet; ERR_ARGUMENT if x is singular. The sign has no gradient.
 * @throws ERR_SHAPE if x is not square; ERR_DTYPE for integers.
 * @source Giles, Collected matrix derivative results for forward and reverse mode AD, 2008.
 * @example slogdet(tensor([[0, 1], [1, 0]])).sign.item(); // -1
 */
export function slogdet(x: Tensor): LogDeterminant {
  const both = slogdetRow([m.needSquare("slogdet", x)], undefined);
  const one = (i: number): Tensor => both.narrow(-1, i, 1).squeeze(-1);
  return { sign: one(0), logabsdet: one(1) };
}

/** The lower triangle with half the diagonal: dL = L Φ(L⁻¹ dA L⁻ᵀ). */
const phi = (x: Tensor): Tensor => m.lower(x).sub(m.onDiagonal(x).mul(0.5));
const lowerSolve = (l: Tensor, b: Tensor): Tensor => triangularRow([l, b], { upper: false, unit: false });
const upperSolve = (u: Tensor, b: Tensor): Tensor => triangularRow([u, b], { upper: true, unit: false });
/** l⁻ᵀ x l⁻¹. */
const pulledBack = (l: Tensor, x: Tensor): Tensor => {
  const u = transposed(l);
  return transposed(upperSolve(u, transposed(upperSolve(u, x))));
};

const choleskyRow = m.linalgRow<undefined>(
  "cholesky",
  1,
  general(["out"], {
    vjp: (g, [l]) => [m.symmetric(pulledBack(l, phi(transposed(l).matmul(g))))],
    jvp: ([t], [l]) => {
      const inner = lowerSolve(l, transposed(lowerSolve(l, m.symmetric(t!))));
      return l.matmul(phi(inner));
    },
  }),
  ([a]) => a!.shape,
  m.noAttrs,
);

export interface CholeskyOptions {
  /** Whether the factor is the upper triangular one, the transpose of the lower; default false. */
  readonly upper?: boolean | undefined;
}

/**
 * The Cholesky factor of a symmetric positive definite matrix: the lower triangular l with l lᵀ = x and a positive
 * diagonal. Only the lower triangle of x is read.
 * @shape [.., n, n] gives [.., n, n].
 * @gradient the symmetric part of l⁻ᵀ Φ(lᵀ g) l⁻¹, where Φ keeps the lower triangle and half of the diagonal.
 * @throws ERR_SHAPE if x is not square; ERR_DTYPE for integers; ERR_ARGUMENT if x is not positive definite.
 * @source Murray, Differentiation of the Cholesky decomposition, 2016.
 * @example cholesky(tensor([[4, 2], [2, 2]])).toArray(); // [[2, 0], [1, 1]]
 */
export function cholesky(x: Tensor, options?: CholeskyOptions): Tensor {
  const { upper = false } = checkOptions<CholeskyOptions>("cholesky", options, [], ["upper"]);
  const l = choleskyRow([m.needSquare("cholesky", x)], undefined);
  return upper ? transposed(l) : l;
}

/**
 * Solves l lᵀ x = b with the factor l from {@link cholesky} (or uᵀ u x = b with `upper`).
 * @shape b [.., n, k] and l [.., n, n] give [.., n, k]. Batches broadcast.
 * @gradient through two triangular solves.
 * @throws ERR_SHAPE if the factor is not square or b does not fit; ERR_ARGUMENT for a zero on its diagonal.
 * @example choleskySolve(tensor([[8], [6]]), tensor([[2, 0], [1, 1]])).toArray(); // [[1], [2]]
 */
export function choleskySolve(b: Tensor, l: Tensor, options?: CholeskyOptions): Tensor {
  const op = "choleskySolve";
  const { upper = false } = checkOptions<CholeskyOptions>(op, options, [], ["upper"]);
  m.needMatrix(op, b, "the right side");
  m.needSquare(op, l, "the factor");
  return named(op, () =>
    m.system(op, upper ? transposed(l) : l, b, (low, y) => upperSolve(transposed(low), lowerSolve(low, y))),
  );
}
