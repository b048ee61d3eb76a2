/** Triangles and diagonals of matrices. */
import { needInteger } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { axis, checkShape, showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import { arange } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { fresh } from "./fresh.js";
import { embed, sliceRange } from "./slice.js";

export interface TriangleOptions {
  /** The diagonal that bounds the triangle, inclusive; 0 (default) is the main one, positive ones are above it. */
  readonly diagonal?: number | undefined;
}

function triangle(op: string, x: Tensor, options: TriangleOptions | undefined, upper: boolean): Tensor {
  needTensor(op, x);
  const { diagonal = 0 } = checkOptions<TriangleOptions>(op, options, ["diagonal"]);
  needInteger(op, "the diagonal", diagonal);
  if (x.ndim < 2) fail("ERR_SHAPE", op, "not a matrix", "rank 2 or more", showShape(x.shape));
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const above = arange(columns).sub(arange(rows).unsqueeze(1));
  const bound = Math.min(Math.max(diagonal, -rows), columns);
  const kept = upper ? above.ge(bound) : above.le(bound);
  return x.dtype === "bool" ? x.logicalAnd(kept) : kept.where(x, 0);
}

/**
 * The lower triangle of the last two dimensions; zeros above the diagonal.
 * @shape that of x.
 * @gradient the lower triangle of the incoming gradient.
 * @throws ERR_SHAPE below rank 2.
 * @example ones([2, 2]).tril().toArray(); // [[1, 0], [1, 1]]
 */
export const tril = (x: Tensor, options?: TriangleOptions): Tensor => triangle("tril", x, options, false);

/**
 * The upper triangle of the last two dimensions; zeros below the diagonal.
 * @shape that of x.
 * @gradient the upper triangle of the incoming gradient.
 * @throws ERR_SHAPE below rank 2.
 * @example ones([2, 2]).triu({ diagonal: 1 }).toArray(); // [[0, 1], [0, 0]]
 */
export const triu = (x: Tensor, options?: TriangleOptions): Tensor => triangle("triu", x, options, true);

export interface DiagonalOptions {
  /** The diagonal; 0 (default) is the main one, positive ones are above it, negative ones below. */
  readonly offset?: number | undefined;
  /** The dimension of the rows; default 0. */
  readonly dim1?: number | undefined;
  /** The dimension of the columns; default 1. */
  readonly dim2?: number | undefined;
}

/** The row-major offset of a diagonal in a matrix with that many columns; its elements are columns + 1 apart. */
const beginning = (offset: number, columns: number): number => (offset >= 0 ? offset : -offset * columns);

/**
 * The diagonal of two dimensions, as the last dimension of the result. A view if x is contiguous, else a copy.
 * @shape that of x without `dim1` and `dim2`, and then the length of the diagonal.
 * @gradient the incoming gradient on the diagonal, zeros elsewhere.
 * @throws ERR_SHAPE below rank 2; ERR_AXIS if both dims are the same.
 * @example tensor([[1, 2], [3, 4]]).diagonal().toArray(); // [1, 4]
 */
export function diagonal(x: Tensor, options?: DiagonalOptions): Tensor {
  needTensor("diagonal", x);
  const known = ["offset", "dim1", "dim2"] as const;
  const { offset = 0, dim1 = 0, dim2 = 1 } = checkOptions<DiagonalOptions>("diagonal", options, known);
  needInteger("diagonal", "the offset", offset);
  if (x.ndim < 2) fail("ERR_SHAPE", "diagonal", "not a matrix", "rank 2 or more", showShape(x.shape));
  const dims = [axis("diagonal", dim1, x.ndim), axis("diagonal", dim2, x.ndim)];
  if (dims[0] === dims[1]) fail("ERR_AXIS", "diagonal", "a dim is given twice", "distinct dims", showShape(dims));
  const matrices = x.movedim(dims, [-2, -1]);
  const [rows, columns] = matrices.shape.slice(-2) as [number, number];
  const length = Math.max(offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns), 0);
  const start = length === 0 ? 0 : beginning(offset, columns);
  return sliceRange(matrices.flatten(-2), { dim: x.ndim - 2, start, length, step: columns + 1 });
}

/**
 * For a vector, the square matrix with the vector on a diagonal; for a matrix, its diagonal.
 * @gradient the incoming gradient's diagonal, or zeros off the diagonal.
 * @throws ERR_SHAPE for other ranks.
 * @example tensor([1, 2]).diag().toArray(); // [[1, 0], [0, 2]]
 */
export function diag(x: Tensor, options?: TriangleOptions): Tensor {
  needTensor("diag", x);
  const { diagonal: offset = 0 } = checkOptions<TriangleOptions>("diag", options, ["diagonal"]);
  needInteger("diag", "the diagonal", offset);
  if (x.ndim === 2) return fresh(diagonal(x, { offset }), x);
  if (x.ndim !== 1) fail("ERR_SHAPE", "diag", "neither a list nor a matrix", "rank 1 or 2", showShape(x.shape));
  const size = x.numel + Math.abs(offset);
  const range = { dim: 0, start: beginning(offset, size), length: x.numel, step: size + 1 };
  return embed(x, checkShape("diag", [size * size]), range).reshape([size, size]);
}

/**
 * The sum of the main diagonal of a matrix. Integers and bool give int64.
 * @shape [n, m] gives [].
 * @gradient the incoming gradient on the diagonal, zeros elsewhere.
 * @throws ERR_SHAPE unless x is a matrix.
 * @example tensor([[1, 2], [3, 4]]).trace().item(); // 5
 */
export function trace(x: Tensor): Tensor {
  if (needTensor("trace", x).ndim !== 2) fail("ERR_SHAPE", "trace", "not a matrix", "rank 2", showShape(x.shape));
  return diagonal(x).sum();
}
