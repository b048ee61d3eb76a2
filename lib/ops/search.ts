/** Search in sorted vectors, and unique values. */
import { dtypes, holds } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { commonType, needOperand, needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import type { Operand } from "../engine/rule.js";
import { scalar } from "../tensor/from-data.js";
import type { Tensor } from "../tensor/tensor.js";
import { cat } from "./join.js";
import { bincount } from "./lookup.js";

const searchRow = defineRow<boolean>({
  name: "searchsorted",
  family: "index",
  kernel: "searchsorted",
  inputs: 2,
  accuracy: "exact",
  rule: { kind: "none", reason: "the result is an index" },
  replay: ([sorted, values], right) => search(sorted as Tensor, values as Tensor, right),
  batch: { broadcast: true },
});

/** Rows [.., n] and values [.., m]; either may lack leading dimensions, and is then broadcast. */
function search(sorted: Tensor, values: Tensor, right: boolean): Tensor {
  const lead = sorted.shape.slice(0, -1);
  const spread = sorted.ndim > values.ndim ? values.expand([...lead, values.shape[values.ndim - 1]!]) : values;
  const dense = [sorted.contiguous(), spread.contiguous()];
  return apply(searchRow, dense, sorted.type, dtypes.int32, spread.shape, [right ? 1 : 0], right);
}

export interface SearchOptions {
  /** Whether a value is inserted after equal elements instead of before them; default false. */
  readonly right?: boolean | undefined;
}

/** The int64 that has the same position among integers as the number, and on which side of equal ones it goes. */
function wholeValue(number: number, right: boolean): [value: number | bigint, right: boolean] {
  // An integer is below 2.5 if it is below 3.
  const n = right ? Math.floor(number) : Math.ceil(number);
  if (holds(dtypes.int64, n)) return [n, right];
  return n < 0 ? [BigInt(dtypes.int64.low), false] : [BigInt(dtypes.int64.end) - 1n, true];
}

/**
 * For each value its insertion position in a sorted vector, or in the matching row of `sorted`: how many elements are
 * below it, or with `right` below or equal to it. NaN counts as largest. Any number, also a fraction, can be searched
 * among integers.
 * @shape sorted [n] and values of any shape, or sorted [.., n] and values [.., m]; gives the shape of the values.
 * @dtype int32. @gradient none.
 * @throws ERR_SHAPE if rows and values do not match.
 * @example searchsorted(tensor([1, 3, 5]), tensor([0, 3, 9])).toArray(); // [0, 1, 3]
 */
export function searchsorted(sorted: Tensor, values: Operand, options?: SearchOptions): Tensor {
  const op = "searchsorted";
  needTensor(op, sorted);
  const { right: given = false } = checkOptions<SearchOptions>(op, options, [], ["right"]);
  const whole = typeof needOperand(op, values) === "number" && sorted.type.kind !== "float";
  const type = whole ? "int64" : commonType([sorted, values]).name;
  const [value, right] = whole ? wholeValue(values as number, given) : [values, given];
  const wanted = typeof value === "object" ? value.to(type) : scalar(value, { dtype: type });
  const rows = sorted.shape.slice(0, -1);
  if (sorted.ndim === 0 || (rows.length > 0 && (wanted.ndim === 0 || !sameShape(rows, wanted.shape.slice(0, -1)))))
    fail("ERR_SHAPE", op, "the rows do not fit the values", showShape(rows), showShape(wanted.shape.slice(0, -1)));
  // One row for all: inside vmap the batch axis of a list of values comes first.
  if (rows.length === 0) return search(sorted.to(type), wanted.reshape([-1]), right === true).reshape(wanted.shape);
  return search(sorted.to(type), wanted, right === true);
}

/** The result of {@link unique}: the distinct values, the index of each element among them, and counts. */
export interface Unique {
  /** The distinct values in ascending order. */
  readonly values: Tensor;
  /** For each element of x its index among the values (int32): `values.take(inverse)` equals x. */
  readonly inverse: Tensor;
  /** How often each value occurs (int64). */
  readonly counts: Tensor;
}

/**
 * The distinct elements of x in ascending order, the index of each element of x among them, and how often each occurs.
 * Every NaN counts as distinct. The number of distinct elements is read back into JavaScript, because it decides the
 * shape.
 * @shape values and counts [count]; inverse that of x.
 * @gradient the incoming gradient of each value, at its first occurrence.
 * @example unique(tensor([3, 1, 3])).counts.toArray(); // [1, 2]
 */
export function unique(x: Tensor): Unique {
  const flat = needTensor("unique", x).reshape([-1]);
  const { values, indices } = flat.sort();
  if (flat.numel === 0) return { values, inverse: indices.reshape(x.shape), counts: indices.to("int64") };
  const differs = values.narrow(0, 1, flat.numel - 1).ne(values.narrow(0, 0, flat.numel - 1));
  const first = cat([scalar(true).reshape([1]), differs]);
  const rank = first.cumsum(0).sub(1).to("int32");
  const inverse = rank.scatter(0, indices, rank).reshape(x.shape);
  return { values: values.maskedSelect(first), inverse, counts: bincount(rank) };
}
