/** Matrix decompositions, and functions of singular values: pseudoinverse and least squares. */

import { needNumber } from "../core/arguments.js";
import { promote } from "../core/dtype.js";
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { broadcast, showShape } from "../core/shape.js";
import { unwrapBatched } from "../engine/batched.js";
import { general } from "../engine/rule.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { where } from "./binary.js";
import { cat } from "./join.js";
import * as m from "./matrix.js";
import { transposed } from "./matrix.js";
import { triangularSolve } from "./solve.js";

/** The rows of one of the matrices that are stacked vertically in a result. */
const rows = (x: Tensor, start: number, count: number): Tensor => x.narrow(-2, start, count);

/** q and r, stacked vertically, as the row computes them. */
const split = (packed: Tensor): { q: Tensor; r: Tensor } => {
  const n = m.columnsOf(packed);
  const size = m.rowsOf(packed) - n;
  return { q: rows(packed, 0, size), r: rows(packed, size, n) };
};

// With C = Qᵀ dA R⁻¹ and T its upper triangle plus the transpose of what is below: dR = T R, dQ = dA R⁻¹ - Q T.
const qrRow = m.linalgRow<undefined>(
  "qr",
  1,
  general(["out"], {
    vjp: (g, [packed]) => {
      const { q, r } = split(packed);
      const { q: gq, r: gr } = split(g);
      const mixed = r.matmul(transposed(m.upper(gr))).sub(transposed(gq).matmul(q));
      const sum = gq.add(q.matmul(m.lower(mixed).add(transposed(m.lower(mixed, true)))));
      return [transposed(named("qr", () => triangularSolve(r, transposed(sum), { upper: true })))];
    },
    jvp: ([t], [packed]) => {
      const { q, r } = split(packed);
      const w = transposed(named("qr", () => triangularSolve(transposed(r), transposed(t!))));
      const c = transposed(q).matmul(w);
      const turn = m.upper(c).add(transposed(m.lower(c, true)));
      return cat([w.sub(q.matmul(turn)), turn.matmul(r)], -2);
    },
  }),
  ([a]) => [...m.batchOf(a!), m.rowsOf(a!) + m.columnsOf(a!), m.columnsOf(a!)],
  m.noAttrs,
);

/** x = q r. */
export interface QR {
  /** Orthonormal columns. */
  readonly q: Tensor;
  /** Upper triangular. */
  readonly r: Tensor;
}

/**
 * The reduced QR decomposition x = q r with orthonormal columns q and upper triangular r, by Householder reflections.
 * The signs on r's diagonal are those of LAPACK.
 * @shape [.., m, n] gives q [.., m, k] and r [.., k, n], k the smaller of m and n.
 * @gradient (gq + q copyltu(r grᵀ - gqᵀ q)) r⁻ᵀ for m >= n, where copyltu mirrors the lower triangle; for m < n that of
 * the first m columns, with r's other columns as qᵀ x. ERR_ARGUMENT if those columns are linearly dependent.
 * @throws ERR_SHAPE for rank below 2; ERR_DTYPE for integers.
 * @source Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2018.
 * @example qr(tensor([[3, 1], [4, 2]])).r.at(0).toArray(); // [-5, -2.2]
 */
export function qr(x: Tensor): QR {
  const height = m.rowsOf(m.needMatrix("qr", x));
  const width = m.columnsOf(x);
  if (width <= height) return split(qrRow([x], undefined));
  // Half precision in float32: r's other columns need q before it is rounded.
  const wide = x.to(x.type.compute.name);
  const { q, r } = qr(wide.narrow(-1, 0, height));
  const others = transposed(q).matmul(wide.narrow(-1, height, width - height));
  return { q: q.to(x.dtype), r: cat([r, others], -1).to(x.dtype) };
}

/** x / y, where 0 / 0 counts as 0. */
const ratio = (x: Tensor, y: Tensor): Tensor => x.div(where(x.eq(0).logicalAnd(y.eq(0)), 1, y));
/** y[j] - y[i] at [i, j]. */
const gaps = (y: Tensor): Tensor => y.unsqueeze(-2).sub(y.unsqueeze(-1));

const eighRow = m.linalgRow<undefined>(
  "eigh",
  1,
  general(["out"], {
    vjp: (g, [packed]) => {
      const { values, vectors } = spectrum(packed);
      const { values: gw, vectors: gv } = spectrum(g);
      const turn = ratio(m.offDiagonal(transposed(vectors).matmul(gv)), gaps(values));
      return [m.symmetric(vectors.matmul(turn.add(m.onto(gw))).matmul(transposed(vectors)))];
    },
    jvp: ([t], [packed]) => {
      const { values, vectors } = spectrum(packed);
      const moved = transposed(vectors).matmul(m.symmetric(t!)).matmul(vectors);
      const turn = ratio(m.offDiagonal(moved), gaps(values));
      return cat([m.diagonalOf(moved).unsqueeze(-2), vectors.matmul(turn)], -2);
    },
  }),
  ([a]) => [...m.batchOf(a!), m.rowsOf(a!) + 1, m.rowsOf(a!)],
  m.noAttrs,
);

/** x = vectors diag(values) vectorsᵀ. */
export interface Spectrum {
  /** The eigenvalues in ascending order. */
  readonly values: Tensor;
  /** The eigenvectors, as columns. */
  readonly vectors: Tensor;
}
const spectrum = (packed: Tensor): Spectrum => ({
  values: rows(packed, 0, 1).squeeze(-2),
  vectors: rows(packed, 1, m.columnsOf(packed)),
});

/**
 * The eigenvalues of a symmetric matrix in ascending order, and orthonormal eigenvectors as columns, computed by Jacobi
 * rotations. Only the lower triangle is read. In each vector the element of largest absolute value is positive.
 * @shape [.., n, n] gives values [.., n] and vectors [.., n, n].
 * @gradient symmetric: v (diag(gw) + (vᵀ gv) / (w[j] - w[i])) vᵀ, the second term only off the diagonal. It is
 * undefined for vectors of equal eigenvalues, where it divides by 0 (0 / 0 counts as 0). A gradient through the
 * eigenvalues alone is always defined.
 * @throws ERR_SHAPE if x is not square; ERR_DTYPE for integers; ERR_ARGUMENT for NaN or infinity.
 * @source Giles, Collected matrix derivative results for forward and reverse mode AD, 2008.
 * @example eigh(tensor([[2, 0], [0, 1]])).values.toArray(); // [1, 2]
 */
export const eigh = (x: Tensor): Spectrum => spectrum(eighRow([m.needSquare("eigh", x)], undefined));

/** x = u diag(s) vh. */
export interface SVD {
  /** The left singular vectors, as columns. */
  readonly u: Tensor;
  /** The singular values in descending order. */
  readonly s: Tensor;
  /** The right singular vectors, as rows. */
  readonly vh: Tensor;
}
const singular = (packed: Tensor): SVD => {
  const n = m.columnsOf(packed);
  const height = m.rowsOf(packed) - n - 1;
  return { u: rows(packed, 0, height), s: rows(packed, height, 1).squeeze(-2), vh: rows(packed, height + 1, n) };
};

/** The singular values as fractions of the largest, so that their squares fit the dtype. */
function relative(s: Tensor): { readonly part: Tensor; readonly times: Tensor } {
  const first = s.detach().narrow(-1, 0, Math.min(1, m.columnsOf(s)));
  const times = first.eq(0).where(1, first);
  return { part: s.div(times), times };
}

const svdRow = m.linalgRow<undefined>(
  "svd",
  1,
  general(["out"], {
    vjp: (g, [packed]) => {
      const { u, s, vh } = singular(packed);
      const { u: gu, s: gs, vh: gvh } = singular(g);
      const uu = transposed(u).matmul(gu);
      const vv = vh.matmul(transposed(gvh));
      const { part, times } = relative(s);
      const squares = gaps(part.square());
      const inner = ratio(uu.sub(transposed(uu)), squares)
        .mul(part.unsqueeze(-2))
        .add(ratio(vv.sub(transposed(vv)), squares).mul(part.unsqueeze(-1)))
        .div(times.unsqueeze(-1));
      const sides = u.matmul(inner.add(m.onto(gs)));
      // The part of u's gradient orthogonal to its columns, if m > n.
      const outside = m.rowsOf(u) > m.columnsOf(u) ? ratio(gu.sub(u.matmul(uu)), s.unsqueeze(-2)) : null;
      return [(outside === null ? sides : sides.add(outside)).matmul(vh)];
    },
    jvp: ([t], [packed]) => {
      const { u, s, vh } = singular(packed);
      const tv = t!.matmul(transposed(vh));
      const p = transposed(u).matmul(tv);
      const { part, times } = relative(s);
      const squares = gaps(part.square());
      const q = p.div(times.unsqueeze(-1));
      const right = q.mul(part.unsqueeze(-2));
      const left = q.mul(part.unsqueeze(-1));
      const du = u.matmul(ratio(m.offDiagonal(right.add(transposed(right))), squares));
      const dv = ratio(m.offDiagonal(left.add(transposed(left))), squares);
      const outside = m.rowsOf(u) > m.columnsOf(u) ? ratio(tv.sub(u.matmul(p)), s.unsqueeze(-2)) : null;
      const ds = m.diagonalOf(p).unsqueeze(-2);
      return cat([outside === null ? du : du.add(outside), ds, transposed(dv).matmul(vh)], -2);
    },
  }),
  ([a]) => [...m.batchOf(a!), m.rowsOf(a!) + 1 + m.columnsOf(a!), m.columnsOf(a!)],
  m.noAttrs,
);

/**
 * The reduced singular value decomposition x = u diag(s) vh, by Jacobi rotations: singular values in descending order,
 * orthonormal columns u and rows vh. In each column of u (for a wide x, each row of vh) the element of largest absolute
 * value is positive.
 * @shape [.., m, n] gives u [.., m, k], s [.., k] and vh [.., k, n], k the smaller of m and n.
 * @gradient through s it is u diag(gs) vh. Through u and vh it divides by differences of squared singular values, so it
 * is undefined for vectors of equal singular values, and of zero ones if x is not square (0 / 0 counts as 0).
 * @throws ERR_SHAPE for rank below 2; ERR_DTYPE for integers; ERR_ARGUMENT for NaN or infinity.
 * @source Townsend, Differentiating the singular value decomposition, 2016.
 * @example svd(tensor([[0, 3], [2, 0]])).s.toArray(); // [3, 2]
 */
export function svd(x: Tensor): SVD {
  const tall = m.rowsOf(m.needMatrix("svd", x)) >= m.columnsOf(x);
  const { u, s, vh } = singular(svdRow([tall ? x : transposed(x)], undefined));
  return tall ? { u, s, vh } : { u: transposed(vh), s, vh: transposed(u) };
}

const pinvRow = m.linalgRow<number>(
  "pinv",
  1,
  general(["out", "x"], {
    vjp: (g, [p, a]) => {
      const [pt, gt] = [transposed(p), transposed(g)];
      const first = pt.matmul(g).matmul(pt).neg();
      const second = gt
        .sub(a.matmul(p.matmul(gt)))
        .matmul(p)
        .matmul(pt);
      const third = pt.matmul(p).matmul(gt.sub(gt.matmul(p).matmul(a)));
      return [first.add(second).add(third)];
    },
    jvp: ([t], [p, a]) => {
      const [pt, tt] = [transposed(p), transposed(t!)];
      const first = p.matmul(t!).matmul(p).neg();
      const second = p.matmul(pt).matmul(tt.sub(tt.matmul(a).matmul(p)));
      const third = tt
        .sub(p.matmul(a.matmul(tt)))
        .matmul(pt)
        .matmul(p);
      return first.add(second).add(third);
    },
  }),
  ([a]) => [...m.batchOf(a!), m.columnsOf(a!), m.rowsOf(a!)],
  (tolerance) => [tolerance],
);

/** The default of the relative tolerance for singular values. */
const tolerance = (op: string, name: string, x: Tensor, given: number | undefined): number =>
  given === undefined
    ? Math.max(m.rowsOf(x), m.columnsOf(x)) * (x.dtype === "float64" ? 2 ** -52 : 2 ** -23)
    : needNumber(op, name, given);

export interface PinvOptions {
  /**
   * Singular values up to this fraction of the largest count as 0; default: the larger size times the dtype's epsilon.
   */
  readonly rtol?: number | undefined;
}

const pseudoinverse = (x: Tensor, limit: number): Tensor =>
  m.rowsOf(x) >= m.columnsOf(x) ? pinvRow([x], limit) : transposed(pinvRow([transposed(x)], limit));

/**
 * The Moore-Penrose pseudoinverse, computed from the singular values.
 * @shape [.., m, n] gives [.., n, m].
 * @gradient exact where the rank does not change nearby.
 * @throws ERR_SHAPE for rank below 2; ERR_DTYPE for integers; ERR_ARGUMENT for NaN or infinity.
 * @source Golub and Pereyra, The differentiation of pseudo-inverses, 1973.
 * @example pinv(tensor([[2, 0], [0, 0]])).toArray(); // [[0.5, 0], [0, 0]]
 */
export function pinv(x: Tensor, options?: PinvOptions): Tensor {
  const { rtol } = checkOptions<PinvOptions>("pinv", options, ["rtol"]);
  m.needMatrix("pinv", x);
  return pseudoinverse(x, tolerance("pinv", "rtol", x, rtol));
}

export interface LstsqOptions {
  /**
   * Singular values up to this fraction of the largest count as 0; default: the larger size times the dtype's epsilon.
   */
  readonly rcond?: number | undefined;
}

/** A least-squares solution, and properties of the system. */
export interface LeastSquares {
  /** The solution of least norm. */
  readonly solution: Tensor;
  /** The rank: the number of nonzero singular values (int64). */
  readonly rank: Tensor;
  /** The singular values of a. */
  readonly singularValues: Tensor;
  /** The squared residual of each column; empty unless `a` has full rank and more rows than columns. */
  readonly residuals: Tensor;
}

/**
 * The least-squares solution x of a x = b, computed by the pseudoinverse; `a` may be rank-deficient. If `a` has more
 * rows than columns, its rank is read back into JavaScript, because it decides the shape of the residuals.
 * @shape a [.., m, n] and b [.., m, k] give solution [.., n, k], rank [..], singularValues [.., min(m, n)] and residuals
 * [.., k] or [0]. Batches broadcast.
 * @gradient of the solution and the residuals: that of {@link pinv}. Rank and singular values are constants.
 * @throws ERR_SHAPE if b does not fit; ERR_DTYPE for integers; ERR_ARGUMENT for NaN or infinity.
 * @source Golub and Pereyra, The differentiation of pseudo-inverses, 1973.
 * @example lstsq(tensor([[1], [1]]), tensor([[1], [3]])).solution.item(); // 2
 */
export function lstsq(a: Tensor, b: Tensor, options?: LstsqOptions): LeastSquares {
  const { rcond } = checkOptions<LstsqOptions>("lstsq", options, ["rcond"]);
  m.needMatrix("lstsq", a, "the matrix");
  m.needMatrix("lstsq", b, "the right side");
  if (m.rowsOf(a) !== m.rowsOf(b))
    fail("ERR_SHAPE", "lstsq", "the right side does not fit", `[.., ${m.rowsOf(a)}, k]`, showShape(b.shape));
  broadcast("lstsq", m.batchOf(a), m.batchOf(b));
  const limit = tolerance("lstsq", "rcond", a, rcond);
  const type = promote(a.type, b.type);
  const [left, right] = [a.to(type.compute.name), b.to(type.compute.name)];
  const solution = named("lstsq", () => pseudoinverse(left, limit)).matmul(right);
  const singularValues = named("lstsq", () => svd(left.detach()).s);
  const most = singularValues.narrow(-1, 0, Math.min(1, m.columnsOf(singularValues.unsqueeze(0))));
  const rank = singularValues.gt(most.mul(limit)).sum(-1);
  const full = m.rowsOf(a) > m.columnsOf(a) && unwrapBatched(rank).eq(m.columnsOf(a)).all().item() === 1;
  const residuals = full ? left.matmul(solution).sub(right).square().sum(-2) : zeros([0]);
  const rounded = (x: Tensor): Tensor => x.to(type.name);
  return {
    solution: rounded(solution),
    rank,
    singularValues: rounded(singularValues),
    residuals: rounded(residuals),
  };
}
