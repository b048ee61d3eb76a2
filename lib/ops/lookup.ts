/** Lookup and counting by index, composed of indexSelect, indexAdd and scatter. */
import { needInteger } from "../core/arguments.js";
import { describe, fail, named, showBounds } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { checkShape, numel, sameShape, showShape } from "../core/shape.js";
import { needIndex, needTensor } from "../engine/operand.js";
import type { Operand } from "../engine/rule.js";
import { arange, onesLike, zeros } from "../tensor/create.js";
import { scalar } from "../tensor/from-data.js";
import type { Tensor } from "../tensor/tensor.js";
import { asElement } from "./element.js";
import { type Entry, entriesOf, type Index } from "./index-entries.js";
import { addAt, place, select } from "./index-rows.js";
import { at, viewed } from "./indexing.js";
import { jointPlaces, type Places } from "./joint-places.js";

export interface EmbeddingOptions {
  /** The index of a row that gets no gradient. */
  readonly paddingIdx?: number | undefined;
}

/**
 * The rows of `weight` at the indices.
 * @shape index [..] and weight [n, d] give [.., d]. @dtype that of the weight.
 * @gradient for the weight the incoming gradient, accumulated at the indices; none at `paddingIdx`.
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless the index is an integer tensor; ERR_SHAPE unless the weight
 * is a matrix.
 * @example embedding(tensor([1, 0], { dtype: "int32" }), tensor([[1, 2], [3, 4]])).toArray(); // [[3, 4], [1, 2]]
 */
export function embedding(index: Tensor, weight: Tensor, options?: EmbeddingOptions): Tensor {
  needIndex("embedding", index);
  if (needTensor("embedding", weight, "the weight").ndim !== 2)
    fail("ERR_SHAPE", "embedding", "the weight must be a matrix", "rank 2", showShape(weight.shape));
  const [count, size] = weight.dims(2);
  const { paddingIdx } = checkOptions<EmbeddingOptions>("embedding", options, ["paddingIdx"]);
  const rows = named("embedding", () => select(weight, 0, index.reshape([-1]), false)).reshape([...index.shape, size]);
  if (paddingIdx === undefined) return rows;
  const row = needInteger("embedding", "paddingIdx", paddingIdx);
  if (row < -count || row >= count)
    fail("ERR_INDEX", "embedding", "paddingIdx is not a row", showBounds(-count, count - 1), String(row));
  return index
    .ne(row < 0 ? row + count : row)
    .unsqueeze(-1)
    .where(rows, rows.detach());
}

export interface OneHotOptions {
  /** The number of classes; default the largest index + 1, for which the indices are read back into JavaScript. */
  readonly numClasses?: number | undefined;
}

/**
 * One-hot vectors: for each index a vector with 1 at that position and zeros elsewhere. Without `numClasses` the
 * indices are read back into JavaScript, because they decide the shape.
 * @shape that of the index, and then the number of classes. @dtype int64. @gradient none.
 * @throws ERR_INDEX for an index that is not a class; ERR_DTYPE unless the index is an integer tensor.
 * @example oneHot(tensor([0, 2], { dtype: "int32" })).toArray(); // [[1, 0, 0], [0, 0, 1]]
 */
export function oneHot(index: Tensor, options?: OneHotOptions): Tensor {
  needIndex("oneHot", index);
  const { numClasses } = checkOptions<OneHotOptions>("oneHot", options, ["numClasses"]);
  if (numClasses === undefined && index.numel === 0)
    fail("ERR_ARGUMENT", "oneHot", "no index says how many classes there are", "numClasses", "no index");
  const count =
    numClasses === undefined ? largest("oneHot", index) + 1 : needInteger("oneHot", "numClasses", numClasses, 0);
  const shape = checkShape("oneHot", [...index.shape, count]);
  return named("oneHot", () => {
    const classOf = index.unsqueeze(-1);
    const [zero, one] = [scalar(0, { dtype: "int64" }), onesLike(classOf, { dtype: "int64" })];
    return place(zero.expand(shape), classOf, one, { dim: index.ndim, fromEnd: false, add: false });
  });
}

/** The largest of some integers, none of which may be negative. */
function largest(op: string, x: Tensor): number {
  const [low, high] = [x.amin().item(), x.amax().item()];
  if (low < 0) fail("ERR_INDEX", op, "an index is out of range", "at least 0", String(low));
  return high;
}

/**
 * The elements of the flattened x at the given indices; negative ones count from the end.
 * @shape that of the index. @dtype that of x.
 * @gradient the incoming gradient, accumulated at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless the index is an integer tensor.
 * @example tensor([[5, 6], [7, 8]]).take(tensor([3, 0], { dtype: "int32" })).toArray(); // [8, 5]
 */
export function take(x: Tensor, index: Tensor): Tensor {
  needTensor("take", x);
  needIndex("take", index);
  return named("take", () => select(x.reshape([-1]), 0, index.reshape([-1]), true).reshape(index.shape));
}

export interface IndexPutOptions {
  /** Whether values are added to the elements instead of replacing them; default false. */
  readonly accumulate?: boolean | undefined;
}

/**
 * A copy of x with values written at `indices`: an array of the arguments of `x.at(...)`, so that the values replace
 * `x.at(...indices)`. Where positions repeat, the last value is kept, or with `accumulate` all are added, in order.
 * Masks and tensors of rank 0 are read back into JavaScript, as in `x.at`.
 * @shape that of x; the value broadcasts to what is indexed. @dtype that of x.
 * @gradient for x the incoming gradient, 0 where it was overwritten; for the value its elements at the indices (exact
 * unless positions repeat without `accumulate`).
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless index tensors are integer or bool, and for a value that
 * x's integer dtype does not hold; ERR_SHAPE if the value does not broadcast.
 * @example zeros([3]).indexPut([[2, 0]], tensor([5, 6])).toArray(); // [6, 0, 5]
 * @example zeros([2, 3]).indexPut(["::-1", 1], tensor([5, 6])).toArray(); // [[0, 6, 0], [0, 5, 0]]
 */
export function indexPut(x: Tensor, indices: readonly Index[], value: Operand, options?: IndexPutOptions): Tensor {
  needTensor("indexPut", x);
  if (!Array.isArray(indices) || indices.length === 0)
    fail("ERR_ARGUMENT", "indexPut", "the indices are not valid", "a list of what x.at takes", describe(indices));
  const { accumulate = false } = checkOptions<IndexPutOptions>("indexPut", options, [], ["accumulate"]);
  const entries = entriesOf("indexPut", indices, x.ndim);
  return named("indexPut", () => {
    const { first, end, index } = placesIn(x, entries);
    const rest = x.shape.slice(end);
    const lead = numel(x.shape.slice(0, first));
    const width = numel(rest);
    const element = asElement("indexPut", x, value);
    const source = typeof element === "number" ? scalar(element, { dtype: x.dtype }) : element;
    const values = source.expand([...x.shape.slice(0, first), ...index.shape, ...rest]);
    const flat = x.reshape([lead, numel(x.shape.slice(first, end)), width]);
    const list = index.reshape([-1]);
    const put = values.reshape([lead, list.numel, width]);
    const out = accumulate
      ? flat.indexAdd(1, list, put)
      : flat.scatter(1, list.unsqueeze(1).expand([lead, list.numel, width]), put);
    return out.reshape(x.shape);
  });
}

/** The positions in x that an index refers to. */
function placesIn(x: Tensor, entries: readonly Entry[]): Places {
  const { part, lists } = viewed("indexPut", x, entries);
  if (part === x && lists.length > 0) return jointPlaces("indexPut", x.shape, lists);
  return { first: 0, end: x.ndim, index: at(arange(x.numel).reshape(x.shape), ...entries) };
}

export interface BincountOptions {
  /** The weight of each element; default 1. */
  readonly weights?: Tensor | undefined;
  /** The minimum length of the result; default 0. */
  readonly minlength?: number | undefined;
  /** The length of the result. Without it the elements are read back into JavaScript. */
  readonly length?: number | undefined;
}

/**
 * Counts how often each value occurs in a vector of nonnegative integers. Without `length` the elements are read back
 * into JavaScript, because they decide the shape.
 * @shape [length]; without it [largest element + 1], or [minlength] if that is larger. @dtype int64, or that of the
 * weights.
 * @gradient for the weights the elements of the incoming gradient at x.
 * @throws ERR_INDEX for a negative element, and one of `length` or more; ERR_ARGUMENT for both `length` and
 * `minlength`; ERR_DTYPE unless x is an integer tensor; ERR_SHAPE unless it has rank 1.
 * @example bincount(tensor([1, 1, 3], { dtype: "int32" })).toArray(); // [0, 2, 0, 1]
 * @example bincount(tensor([1, 1, 3], { dtype: "int32" }), { length: 5 }).toArray(); // [0, 2, 0, 1, 0]
 */
export function bincount(x: Tensor, options?: BincountOptions): Tensor {
  needIndex("bincount", x);
  const given = checkOptions<BincountOptions>("bincount", options, ["weights", "minlength", "length"]);
  const { weights, minlength = 0 } = given;
  needInteger("bincount", "minlength", minlength, 0);
  if (given.length !== undefined) {
    needInteger("bincount", "length", given.length, 0);
    if (given.minlength !== undefined)
      fail("ERR_ARGUMENT", "bincount", "two lengths", "length or minlength", `${given.length} and ${minlength}`);
  }
  if (x.ndim !== 1) fail("ERR_SHAPE", "bincount", "not a list", "rank 1", showShape(x.shape));
  const each = weights === undefined ? onesLike(x, { dtype: "int64" }) : needTensor("bincount", weights, "the weights");
  if (!sameShape(each.shape, x.shape))
    fail("ERR_SHAPE", "bincount", "the weights do not fit", showShape(x.shape), showShape(each.shape));
  const length = given.length ?? Math.max(x.numel === 0 ? 0 : largest("bincount", x) + 1, minlength);
  const none = zeros(checkShape("bincount", [length]), { dtype: each.dtype });
  return named("bincount", () => addAt(none, 0, x, each, false));
}
