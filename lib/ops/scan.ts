/** Scans along a dimension, always from first to last. float32 is accumulated in float64. */
import { apply } from "../engine/apply.js";
import { needTensor } from "../engine/operand.js";
import { type Accuracy, defineRow, type Row } from "../engine/row.js";
import { general, type Rule } from "../engine/rule.js";
import { filled } from "../tensor/allocate.js";
import type { Tensor } from "../tensor/tensor.js";
import { after, withAxis } from "./along.js";
import { cat } from "./join.js";

interface Along {
  readonly dim: number;
}

function scan(name: string, inputs: number, accuracy: Accuracy, rule: Rule<Along>): Row<Along> {
  const row: Row<Along> = defineRow<Along>({
    name,
    family: "reduce",
    kernel: name,
    inputs,
    accuracy,
    rule,
    replay: (operands, { dim }) => run(row, operands as readonly Tensor[], dim),
    batch: { params: after },
  });
  return row;
}

function run(row: Row<Along>, inputs: readonly Tensor[], dim: number): Tensor {
  const dense = inputs.map((x) => x.contiguous());
  const { type, shape } = dense[0]!;
  return apply(row, dense, type, type, shape, [dim], { dim });
}

function scanned(row: Row<Along>, x: Tensor, dim: number): Tensor {
  needTensor(row.name, x);
  return withAxis(row.name, x.type.kind === "float" ? x : x.to("int64"), dim, (y, at) => run(row, [y], at));
}

/** The elements shifted by one along a dimension, with `first` in front. */
function later(x: Tensor, dim: number, first: number): Tensor {
  const size = x.shape[dim]!;
  if (size === 0) return x;
  const front = filled("cat", first, x.type, []).expand(x.shape.with(dim, 1));
  return cat([front, x.narrow(dim, 0, size - 1)], dim);
}

/** `y[j] = a[j] y[j - 1] + b[j]`, from `y[0] = b[0]`. */
const linearScan = (a: Tensor, b: Tensor, dim: number): Tensor => run(linearRow, [a, b], dim);

/** The transpose of a linear scan in b: `h[j] = g[j] + a[j + 1] h[j + 1]`. */
const scanBack = (a: Tensor, g: Tensor, dim: number): Tensor =>
  linearScan(later(a.flip(dim), dim, 0), g.flip(dim), dim).flip(dim);

const linearRow: Row<Along> = scan(
  "linearScan",
  2,
  "tree",
  general(["out", "x"], {
    vjp: (g, [y, a], { params: { dim } }) => {
      const h = scanBack(a, g, dim);
      return [h.mul(later(y, dim, 0)), h];
    },
    jvp: ([ta, tb], [y, a], { params: { dim } }) => {
      const byA = ta ? ta.mul(later(y, dim, 0)) : null;
      return linearScan(a, byA === null ? tb! : tb ? byA.add(tb) : byA, dim);
    },
  }),
);

const sumRow = scan("cumsum", 1, "tree", {
  kind: "linear",
  transpose: (g, { params: { dim } }) => g.flip(dim).cumsum(dim).flip(dim),
});

// y[j] = x[j] y[j - 1]: its derivative is a linear scan, without division.
const prodRow = scan(
  "cumprod",
  1,
  "tree",
  general(["out", "x"], {
    vjp: (g, [y, x], { params: { dim } }) => [scanBack(x, g, dim).mul(later(y, dim, 1))],
    jvp: ([t], [y, x], { params: { dim } }) => linearScan(x, t!.mul(later(y, dim, 1)), dim),
  }),
);

/**
 * Cumulative sums along a dimension.
 * @shape that of x. @dtype that of x; integers and bool give int64.
 * @gradient the reverse cumulative sums of the incoming gradient.
 * @throws ERR_AXIS for a dim out of range.
 * @example tensor([1, 2, 3]).cumsum(0).toArray(); // [1, 3, 6]
 */
export const cumsum = (x: Tensor, dim: number): Tensor => scanned(sumRow, x, dim);

/**
 * Cumulative products along a dimension. A product that fits the dtype is right also where an earlier one does not.
 * @shape that of x. @dtype that of x; integers and bool give int64.
 * @gradient for each element the sum, over the products that contain it, of the products of their other elements; exact
 * also where elements are 0.
 * @throws ERR_AXIS for a dim out of range.
 * @example tensor([2, 3, 4]).cumprod(0).toArray(); // [2, 6, 24]
 */
export const cumprod = (x: Tensor, dim: number): Tensor => scanned(prodRow, x, dim);
