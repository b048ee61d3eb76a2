/** The options of the norms and their checks. */
import { needNumber } from "../core/arguments.js";
import { promote } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkShape, type Shape, sameShape, showShape } from "../core/shape.js";
import { needFloat, needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";

export interface RmsNormOptions {
  /** Multiplies the normalized x; of the normalized shape (for channels: [channels]). Default none. */
  readonly weight?: Tensor | null | undefined;
  /** Added to the variance (in RMS normalization, to the mean square). The default depends on the function. */
  readonly eps?: number | undefined;
}
export interface LayerNormOptions extends RmsNormOptions {
  /** Added at the end; of the normalized shape (for channels: [channels]). Default none. */
  readonly bias?: Tensor | null | undefined;
}

/** x, weight and bias in their promoted dtype. */
export function promoted(op: string, x: Tensor, others: readonly (Tensor | null | undefined)[]): (Tensor | null)[] {
  let { type } = needFloat(op, x);
  for (const other of others) if (other) type = promote(type, needFloat(op, other).type);
  return [x, ...others].map((one) => (one ? one.to(type.name) : null));
}

/** An optional weight or bias; ERR_SHAPE for another shape. */
export function factor(op: string, what: string, x: unknown, shape: Shape): Tensor | null {
  if (x === undefined || x === null) return null;
  const given = needTensor(op, x, what);
  if (!sameShape(given.shape, shape))
    fail("ERR_SHAPE", op, `${what} does not fit the input`, showShape(shape), showShape(given.shape));
  return given;
}

export function needEps(op: string, eps: unknown): number {
  return needNumber(op, "eps", eps, { least: 0 });
}

/** The checked `normalizedShape` of a norm over the last dimensions. */
export const normalizedSizes = (op: string, shape: number | readonly number[]): Shape => {
  const sizes = checkShape(op, typeof shape === "number" ? [shape] : shape);
  if (sizes.length === 0) fail("ERR_SHAPE", op, "nothing to normalise over", "at least one dimension", "[]");
  return sizes;
};
