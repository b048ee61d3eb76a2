/** Shared by the ops of linear algebra: checks, and parts of a matrix. */
import type { DTypeRow } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { broadcast, numel, type Shape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import type { Flops } from "../engine/cost.js";
import { meeting, roundedOnce } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineRow, type Row } from "../engine/row.js";
import type { Rule } from "../engine/rule.js";
import { arange, eye } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { where } from "./binary.js";

/** @internal Each matrix transposed. */
export const transposed = (x: Tensor): Tensor => x.transpose(-2, -1);
/** @internal */
export const rowsOf = (x: Tensor): number => x.shape[x.ndim - 2]!;
/** @internal */
export const columnsOf = (x: Tensor): number => x.shape[x.ndim - 1]!;
/** @internal The leading dimensions. */
export const batchOf = (x: Tensor): Shape => x.shape.slice(0, -2);

/** @internal ERR_ARGUMENT, ERR_DTYPE or ERR_SHAPE unless x is a float tensor of matrices. */
export function needMatrix(op: string, x: unknown, what = "the input"): Tensor {
  const matrix = needFloat(op, needTensor(op, x, what));
  if (matrix.ndim < 2) fail("ERR_SHAPE", op, `${what} is no matrix`, "rank 2 or more", showShape(matrix.shape));
  return matrix;
}

/** @internal The same, and ERR_SHAPE unless the matrices are square. */
export function needSquare(op: string, x: unknown, what = "the input"): Tensor {
  const matrix = needMatrix(op, x, what);
  if (rowsOf(matrix) !== columnsOf(matrix))
    fail("ERR_SHAPE", op, `${what} is not square`, "[.., n, n]", showShape(matrix.shape));
  return matrix;
}

/** @internal `f` of both operands of a linear system, in one dtype and with broadcast batches. */
export function system(op: string, a: Tensor, b: Tensor, f: (a: Tensor, b: Tensor) => Tensor): Tensor {
  if (rowsOf(b) !== columnsOf(a))
    fail("ERR_SHAPE", op, "the right side does not fit", `[.., ${columnsOf(a)}, k]`, showShape(b.shape));
  const batch = broadcast(op, batchOf(a), batchOf(b));
  return roundedOnce([a, b], (...both) => {
    const type = meeting(both).name;
    const [left, right] = both.map((x) => x.to(type).expand([...batch, rowsOf(x), columnsOf(x)]));
    return f(left!, right!);
  });
}

const apart = (x: Tensor): Tensor =>
  arange(rowsOf(x))
    .unsqueeze(1)
    .sub(arange(columnsOf(x)));
/** @internal The elements on and below the diagonal, or below it where `strict`; zeros elsewhere. */
export const lower = (x: Tensor, strict = false): Tensor => where(apart(x).ge(strict ? 1 : 0), x, 0);
/** @internal The elements on and above the diagonal, or above it where `strict`; zeros elsewhere. */
export const upper = (x: Tensor, strict = false): Tensor => where(apart(x).le(strict ? -1 : 0), x, 0);
/** @internal The diagonal; zeros elsewhere. */
export const onDiagonal = (x: Tensor): Tensor => where(apart(x).eq(0), x, 0);
/** @internal The matrix with a diagonal of zeros. */
export const offDiagonal = (x: Tensor): Tensor => where(apart(x).eq(0), 0, x);
/** @internal The diagonal, as a vector. */
export const diagonalOf = (x: Tensor): Tensor => onDiagonal(x).sum(-1);
/** @internal The vector on the diagonal of a matrix. */
export const onto = (v: Tensor): Tensor => v.unsqueeze(-1).mul(eye(v.shape[v.ndim - 1]!, { dtype: v.dtype }));
/** @internal The symmetric part. */
export const symmetric = (x: Tensor): Tensor => x.add(transposed(x)).mul(0.5);
/** @internal */
export const sumOfMatrix = (x: Tensor): Tensor => x.sum([-2, -1]);

/** Runs a row on checked operands. */
export type Run<P> = (operands: readonly Tensor[], params: P) => Tensor;

/**
 * Floating-point operations for a matrix [m, n], and k right sides. Where an algorithm iterates, an estimate for the usual
 * number of sweeps.
 * @source Golub and Van Loan, Matrix computations, 4th edition, 2013.
 */
const flopsOf: Readonly<Record<string, (m: number, n: number, k: number) => number>> = {
  cholesky: (_, n) => n ** 3 / 3,
  triangularSolve: (_, n, k) => n ** 2 * k,
  solve: (_, n, k) => (2 / 3) * n ** 3 + 2 * n ** 2 * k,
  det: (_, n) => (2 / 3) * n ** 3,
  slogdet: (_, n) => (2 / 3) * n ** 3,
  cofactors: (_, n) => 24 * n ** 3,
  qr: (m, n) => 4 * Math.max(m, n) * Math.min(m, n) ** 2 - (4 / 3) * Math.min(m, n) ** 3,
  eigh: (_, n) => 9 * n ** 3,
  svd: (m, n) => 14 * Math.max(m, n) * Math.min(m, n) ** 2 + 8 * Math.min(m, n) ** 3,
  pinv: (m, n) => 16 * Math.max(m, n) * Math.min(m, n) ** 2 + 8 * Math.min(m, n) ** 3,
};

function ofMatrices(name: string): Flops {
  const count = flopsOf[name]!;
  return ({ inputs }) => {
    const shape = inputs[0]!.shape;
    const [m, n, k] = [shape.at(-2)!, shape.at(-1)!, inputs[1]?.shape.at(-1) ?? 0];
    return Math.round(numel(shape.slice(0, -2)) * count(m, n, k));
  };
}

/** @internal A row over contiguous operands; `shapeOf` is the shape of the kernel's result. */
export function linalgRow<P>(
  name: string,
  inputs: number,
  rule: Rule<P>,
  shapeOf: (operands: readonly Tensor[]) => Shape,
  attrsOf: (params: P) => readonly number[],
): Run<P> {
  const run: Run<P> = (operands, params) => {
    const dense = operands.map((x) => x.contiguous());
    const type: DTypeRow = dense[0]!.type;
    return apply(row, dense, type, type, shapeOf(operands), attrsOf(params), params);
  };
  const row: Row<P> = defineRow<P>({
    name,
    family: "linalg",
    kernel: name,
    inputs,
    flops: ofMatrices(name),
    accuracy: "tree",
    rule,
    replay: (operands, params) => run(operands as Tensor[], params),
    batch: {},
  });
  return run;
}
/** @internal */
export const noAttrs = (): readonly number[] => [];
