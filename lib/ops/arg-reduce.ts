import { dtypes } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { axis, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import type { Tensor } from "../tensor/tensor.js";
import { reducedShape } from "./reduction.js";

interface ArgOptions {
  readonly keepdim?: boolean | undefined;
}
/** A reduction to indices: along one dimension, or into the flattened tensor. */
export type ArgReduction = (x: Tensor, dim?: number, options?: ArgOptions) => Tensor;

function argReduction(name: string): ArgReduction {
  const row = defineRow<{ dim: number; keepdim: boolean }>({
    name,
    family: "reduce",
    kernel: name,
    inputs: 1,
    accuracy: "exact",
    rule: { kind: "none", reason: "the result is an index" },
    replay: ([x], p) => run(x as Tensor, p.dim, p.keepdim),
    batch: { params: ({ dim, keepdim }) => ({ dim: dim + 1, keepdim }) },
  });
  const run = (x: Tensor, dim: number, keepdim: boolean): Tensor => {
    if ((x.shape[dim] ?? 1) === 0)
      fail("ERR_SHAPE", name, "nothing to reduce", "a dimension with elements", showShape(x.shape));
    const shape = reducedShape(x.shape, { dims: [dim], keepdim });
    return apply(row, [x], x.type, dtypes.int32, shape, [dim], { dim, keepdim });
  };
  return (x, dim, options) => {
    needTensor(name, x);
    const { keepdim } = checkOptions<ArgOptions>(name, options, [], ["keepdim"]);
    const at = dim === undefined ? 0 : axis(name, dim, x.ndim);
    if (dim === undefined || x.ndim === 0) return run(x.reshape([-1]), 0, false);
    return run(x, at, keepdim === true);
  };
}

/**
 * The index of the largest element along `dim`, or without it in the flattened x. Of equal elements the lowest index is
 * given; NaN counts as largest.
 * @shape that of x without `dim` (size 1 with `keepdim`); without `dim` []. @dtype int32. @gradient none.
 * @throws ERR_SHAPE over an empty dimension; ERR_AXIS for a dim out of range.
 * @example tensor([[1, 5], [7, 2]]).argmax(1).toArray(); // [1, 0]
 */
export const argmax: ArgReduction = argReduction("argmax");

/**
 * The index of the smallest element along `dim`, or without it in the flattened x. Of equal elements the lowest index
 * is given; NaN counts as smallest.
 * @shape that of x without `dim` (size 1 with `keepdim`); without `dim` []. @dtype int32. @gradient none.
 * @throws ERR_SHAPE over an empty dimension; ERR_AXIS for a dim out of range.
 * @example tensor([[1, 5], [7, 2]]).argmin(1).toArray(); // [0, 1]
 */
export const argmin: ArgReduction = argReduction("argmin");
