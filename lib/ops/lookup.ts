/** Ops that look rows and elements up by index, and count them: made of indexSelect, indexAdd and scatter. */
import { describe, fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { broadcast, checkShape, numel, type Shape, sameShape, showShape } from "../core/shape.js";
import { allLanes } from "../engine/lanes.js";
import { needIndex, needInteger, needTensor } from "../engine/operand.js";
import type { Operand } from "../engine/rule.js";
import { arange, onesLike, scalar, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { asElement } from "./element.js";

/** ERR_INDEX unless every element of an integer tensor lies in [low, end). */
function within(op: string, index: Tensor, low: number, end: number): void {
  const all = allLanes(index);
  if (all.numel === 0) return;
  for (const bound of [all.amin().item(), all.amax().item()])
    if (bound < low || bound >= end)
      fail("ERR_INDEX", op, "an index is out of range", `${low} to ${end - 1}`, String(bound));
}

export interface EmbeddingOptions {
  /** A row through which no gradient flows. */
  readonly paddingIdx?: number | undefined;
}

/**
 * The rows of `weight` at the indices.
 * @shape that of the index, and then that of a row.
 * @gradient for the weight, added up at the indices; none at `paddingIdx`.
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
  within("embedding", index, 0, count);
  const rows = weight.indexSelect(0, index.reshape([-1])).reshape([...index.shape, size]);
  if (paddingIdx === undefined) return rows;
  const row = needInteger("embedding", "paddingIdx", paddingIdx);
  if (row < -count || row >= count)
    fail("ERR_INDEX", "embedding", "paddingIdx is not a row", `${-count} to ${count - 1}`, String(row));
  return index
    .ne(row < 0 ? row + count : row)
    .unsqueeze(-1)
    .where(rows, rows.detach());
}

export interface OneHotOptions {
  /** The number of classes, the largest index and one unless given. */
  readonly numClasses?: number | undefined;
}

/**
 * For each index a list with 1 at that place and zeros elsewhere. int64.
 * @shape that of the index, and then the number of classes.
 * @throws ERR_INDEX for an index that is not a class; ERR_DTYPE unless the index is an integer tensor.
 * @example oneHot(tensor([0, 2], { dtype: "int32" })).toArray(); // [[1, 0, 0], [0, 0, 1]]
 */
export function oneHot(index: Tensor, options?: OneHotOptions): Tensor {
  needIndex("oneHot", index);
  const { numClasses } = checkOptions<OneHotOptions>("oneHot", options, ["numClasses"]);
  if (numClasses === undefined && index.numel === 0)
    fail("ERR_ARGUMENT", "oneHot", "no index says how many classes there are", "numClasses", "no index");
  const count = needInteger("oneHot", "numClasses", numClasses ?? index.amax().item() + 1, 0);
  within("oneHot", index, 0, count);
  return index.unsqueeze(-1).eq(arange(count)).to("int64");
}

/**
 * The elements of the flattened x at the given indices (negative: from the end).
 * @shape that of the index.
 * @gradient added up at the indices.
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless the index is an integer tensor.
 * @example tensor([[5, 6], [7, 8]]).take(tensor([3, 0], { dtype: "int32" })).toArray(); // [8, 5]
 */
export function take(x: Tensor, index: Tensor): Tensor {
  needTensor("take", x);
  needIndex("take", index);
  within("take", index, -x.numel, x.numel);
  return x
    .reshape([-1])
    .indexSelect(0, index.reshape([-1]))
    .reshape(index.shape);
}

export interface IndexPutOptions {
  /** Whether values are added to what is there; they replace it unless given. */
  readonly accumulate?: boolean | undefined;
}

/**
 * x with values put where the indices point: one integer tensor for each of the first dimensions, broadcast together, or
 * masks, which stand for the indices of their true elements. Where places repeat, the last value is kept, or with
 * `accumulate` all add up, in order.
 * @shape that of x; the value broadcasts to what is indexed. @dtype that of x.
 * @gradient the incoming gradient, but for what was written over; and its elements at the indices for the value (exact
 * where places do not repeat, or with `accumulate`).
 * @throws ERR_INDEX for an index out of range; ERR_DTYPE unless indices are integer or bool tensors, and for a value that
 * x's integer dtype does not hold; ERR_SHAPE.
 * @example zeros([3]).indexPut([tensor([2, 0], { dtype: "int32" })], tensor([5, 6])).toArray(); // [6, 0, 5]
 */
export function indexPut(x: Tensor, indices: readonly Tensor[], value: Operand, options?: IndexPutOptions): Tensor {
  needTensor("indexPut", x);
  if (!Array.isArray(indices) || indices.length === 0)
    fail("ERR_ARGUMENT", "indexPut", "the indices are not valid", "a list of index tensors", describe(indices));
  const { accumulate = false } = checkOptions<IndexPutOptions>("indexPut", options, ["accumulate"]);
  const lists: Tensor[] = [];
  for (const index of indices as readonly Tensor[]) {
    if (needTensor("indexPut", index, "an index").dtype !== "bool") lists.push(needIndex("indexPut", index));
    else {
      const span = x.shape.slice(lists.length, lists.length + index.ndim);
      if (!sameShape(span, index.shape))
        fail("ERR_SHAPE", "indexPut", "a mask does not fit the dimensions", showShape(span), showShape(index.shape));
      lists.push(...index.nonzero().unbind(1));
    }
  }
  if (lists.length > x.ndim)
    fail("ERR_INDEX", "indexPut", "too many indices", `at most ${x.ndim}`, String(lists.length));
  lists.reduce((shape: Shape, index) => broadcast("indexPut", shape, index.shape), []);
  const lead = x.shape.slice(0, lists.length);
  const rest = x.shape.slice(lists.length);
  const at = lists.reduce((flat: Tensor, index, d) => {
    const size = lead[d]!;
    within("indexPut", index, -size, size);
    const wide = index.to("int64");
    return flat.mul(size).add(wide.lt(0).where(wide.add(size), wide));
  }, scalar(0n));
  const element = asElement("indexPut", x, value);
  const source = typeof element === "number" ? scalar(element, { dtype: x.dtype }) : element;
  const width = numel(rest);
  const rows = x.reshape([numel(lead), width]);
  const values = named("indexPut", () => source.expand([...at.shape, ...rest])).reshape([at.numel, width]);
  const list = at.reshape([-1]);
  const out = accumulate
    ? rows.indexAdd(0, list, values)
    : rows.scatter(0, list.unsqueeze(1).expand([at.numel, width]), values);
  return out.reshape(x.shape);
}

export interface BincountOptions {
  /** What each element counts for; 1 unless given. */
  readonly weights?: Tensor | undefined;
  /** The least length of the result. */
  readonly minlength?: number | undefined;
}

/**
 * How often each number occurs in a list of integers of at least 0. int64; with weights their dtype.
 * @shape a list as long as the largest number and one, or `minlength` if that is more.
 * @gradient for the weights, the elements of the incoming gradient at x.
 * @throws ERR_INDEX for a negative number; ERR_DTYPE unless x is an integer tensor; ERR_SHAPE unless it is a list.
 * @example bincount(tensor([1, 1, 3], { dtype: "int32" })).toArray(); // [0, 2, 0, 1]
 */
export function bincount(x: Tensor, options?: BincountOptions): Tensor {
  needIndex("bincount", x);
  const { weights, minlength = 0 } = checkOptions<BincountOptions>("bincount", options, ["weights", "minlength"]);
  needInteger("bincount", "minlength", minlength, 0);
  if (x.ndim !== 1) fail("ERR_SHAPE", "bincount", "not a list", "rank 1", showShape(x.shape));
  const each = weights === undefined ? onesLike(x, { dtype: "int64" }) : needTensor("bincount", weights, "the weights");
  if (!sameShape(each.shape, x.shape))
    fail("ERR_SHAPE", "bincount", "the weights do not fit", showShape(x.shape), showShape(each.shape));
  const length = Math.max(x.numel === 0 ? 0 : x.amax().item() + 1, minlength);
  within("bincount", x, 0, length);
  return zeros(checkShape("bincount", [length]), { dtype: each.dtype }).indexAdd(0, x, each);
}
