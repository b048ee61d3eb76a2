/**
 * Reductions. Sums are added in a fixed order (a tree), so results depend neither on threads nor on the instruction
 * set.
 */
import { needNumber, refuse } from "../core/arguments.js";
import { type DTypeRow, defaultFloat, dtypes } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { axes, axis, numel, type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { perInput, perResult } from "../engine/cost.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needTensor } from "../engine/operand.js";
import { type Accuracy, defineKernel, defineRow, eitherHalf, type Row } from "../engine/row.js";
import { type Context, type Rule, save } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { onesLike } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { cat } from "./join.js";

export interface ReduceOptions {
  /** The dimension or dimensions to reduce; default all. */
  readonly dim?: number | readonly number[] | undefined;
  /** Whether reduced dimensions are kept with size 1; default false. */
  readonly keepdim?: boolean | undefined;
}
/** `dim`, or an options object. */
export type DimOrOptions = number | readonly number[] | ReduceOptions;

/** A reduction of one dimension, several, or all. `dim` is given as an argument or as an option. */
export type Reduction = (x: Tensor, dim?: DimOrOptions, options?: ReduceOptions) => Tensor;

interface Reduced {
  readonly dims: readonly number[];
  readonly keepdim: boolean;
  /** Replaces the divisor: the number of elements for means, 1 for roots of sums of squares. */
  readonly divisor?: number;
}

/** @internal Reads the trailing arguments `dim?, { dim, keepdim }?`. */
export function reduceArguments(op: string, rank: number, dim?: DimOrOptions, options?: ReduceOptions): Reduced {
  if (dim === undefined && options === undefined) return everything(rank);
  const inPlace = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given: ReduceOptions = checkOptions<ReduceOptions>(
    op,
    inPlace ? (dim as ReduceOptions) : options,
    ["dim"],
    ["keepdim"],
  );
  const named = inPlace || dim === undefined ? given.dim : (dim as number | readonly number[]);
  const dims = named === undefined ? Array.from({ length: rank }, (_, i) => i) : axes(op, named, rank);
  return { dims: rank === 0 ? [] : dims, keepdim: given.keepdim === true };
}

const everythingOf: Reduced[] = [];
/** The reduction of all dimensions of a rank, made once. */
function everything(rank: number): Reduced {
  everythingOf[rank] ??= { dims: Array.from({ length: rank }, (_, i) => i), keepdim: false };
  return everythingOf[rank];
}

function reducedShape(shape: Shape, { dims, keepdim }: Reduced): Shape {
  if (dims.length === shape.length && !keepdim) return scalar;
  const out: number[] = [];
  shape.forEach((size, i) => {
    if (!dims.includes(i)) out.push(size);
    else if (keepdim) out.push(1);
  });
  return out;
}
const scalar: Shape = [];

/** y with the reduced dimensions reinserted with size 1. */
const kept = (y: Tensor, c: Context<Reduced>): Tensor =>
  c.params.keepdim || y.ndim === 0 ? y : y.reshape(reducedShape(c.inputShapes[0]!, { ...c.params, keepdim: true }));

const mask = (dims: readonly number[]): number => dims.reduce((bits, dim) => bits + 2 ** dim, 0);

interface ReduceSpec {
  /** FLOPs for each element of the input; default 1. */
  readonly flops?: number;
  /** The name of the native kernel; default that of the row. */
  readonly kernel?: string;
  readonly accuracy: Accuracy;
  readonly rule: Rule<Reduced>;
  readonly type: (x: Tensor) => DTypeRow;
  /** Whether an empty reduction is an error. */
  readonly needsElements?: boolean;
  /** What the kernel divides its sums by. */
  readonly divisor?: (x: Tensor, p: Reduced) => number;
}

/** A row, and a call of it. */
function reductionRow(name: string, spec: ReduceSpec): (x: Tensor, p: Reduced) => Tensor {
  const row: Row<Reduced> = defineRow<Reduced>({
    name,
    family: "reduce",
    kernel: spec.kernel ?? name,
    flops: perInput(spec.flops ?? 1),
    inputs: 1,
    reads: eitherHalf(0),
    accuracy: spec.accuracy,
    rule: spec.rule,
    replay: ([x], p) => run(x as Tensor, p),
    batch: { params: (p) => ({ ...p, dims: p.dims.map((dim) => dim + 1) }) },
  });
  const run = (x: Tensor, p: Reduced): Tensor => {
    if (spec.needsElements === true)
      for (const dim of p.dims)
        if (x.shape[dim] === 0)
          fail("ERR_SHAPE", name, "nothing to reduce", "a dimension with elements", showShape(x.shape));
    const type = spec.type(x);
    const attrs = spec.divisor === undefined ? [mask(p.dims)] : [mask(p.dims), spec.divisor(x, p)];
    return apply(row, [x], type, type, reducedShape(x.shape, p), attrs, p);
  };
  return run;
}

function reduction(name: string, spec: ReduceSpec): Reduction {
  const run = reductionRow(name, spec);
  return (x, dim, options) => {
    needTensor(name, x);
    return run(x, reduceArguments(name, x.ndim, dim, options));
  };
}

const accumulator = (x: Tensor): DTypeRow => (x.type.kind === "float" ? x.type : dtypes.int64);
const same = (x: Tensor): DTypeRow => x.type;
const truth = (): DTypeRow => dtypes.bool;

/**
 * The sum over `dim` (default all dimensions).
 * @shape that of x without the reduced dimensions (size 1 with `keepdim`). @dtype that of x; integers and bool give
 * int64.
 * @gradient the incoming gradient, expanded to the shape of x.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 2], [3, 4]]).sum(0).toArray(); // [4, 6]
 */
export const sum: Reduction = reduction("sum", {
  accuracy: "tree",
  type: accumulator,
  rule: { kind: "linear", transpose: (g, c) => kept(g, c).expand(c.inputShapes[0]!) },
});

// Distributes g evenly among the elements that equal the extremum.
const extremeRule: Rule<Reduced> = {
  kind: "general",
  saves: save.x | save.out,
  vjp: (g, saved, c) => {
    const hits = saved[1]!.eq(kept(saved[0]!, c)).to(g.dtype);
    return [hits.mul(kept(g, c).div(hits.sum(c.params.dims, { keepdim: true })))];
  },
  jvp: ([t], saved, c) => {
    const hits = saved[1]!.eq(kept(saved[0]!, c)).to(t!.dtype);
    return hits
      .mul(t!)
      .sum(c.params.dims, { keepdim: c.params.keepdim })
      .div(hits.sum(c.params.dims, { keepdim: c.params.keepdim }));
  },
};

/**
 * The largest element over `dim` (default all dimensions); NaN if the elements contain NaN.
 * @shape as {@link sum}. @dtype that of x.
 * @gradient the incoming gradient, divided evenly among equal largest elements.
 * @throws ERR_SHAPE over an empty dimension; ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 5], [7, 2]]).amax(1).toArray(); // [5, 7]
 */
export const amax: Reduction = reduction("amax", {
  accuracy: "exact",
  type: same,
  rule: extremeRule,
  needsElements: true,
});

/**
 * The smallest element over `dim` (default all dimensions); NaN if the elements contain NaN.
 * @shape as {@link sum}. @dtype that of x.
 * @gradient the incoming gradient, divided evenly among equal smallest elements.
 * @throws ERR_SHAPE over an empty dimension; ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 5], [7, 2]]).amin(1).toArray(); // [1, 2]
 */
export const amin: Reduction = reduction("amin", {
  accuracy: "exact",
  type: same,
  rule: extremeRule,
  needsElements: true,
});

/** x with the reduced dimensions last and joined: [rows, n]. */
function reducedLast(x: Tensor, dims: readonly number[]): Tensor {
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  return x.permute([...kept, ...dims]).reshape([numel(kept.map((i) => x.shape[i]!)), count(x, dims)]);
}

/** For each element of a row the product of those before it, by doubling: log2(n) multiplications of rows. */
function productBefore(x: Tensor): Tensor {
  const [rows, n] = x.dims(2);
  const shifted = (y: Tensor, by: number) =>
    cat([onesLike(y.detach().narrow(1, 0, by)).reshape([rows, by]), y.narrow(1, 0, n - by)], 1);
  let y = shifted(x, 1);
  for (let by = 1; by < n; by *= 2) y = y.mul(shifted(y, by));
  return y;
}

/** The derivative of the product by each element: the product of all others, also where some are 0. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  const flat = reducedLast(x, dims);
  if (flat.numel === 0) return x;
  const others = productBefore(flat).mul(productBefore(flat.flip(1)).flip(1));
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  return others.reshape(order.map((i) => x.shape[i]!)).permute(x.shape.map((_, i) => order.indexOf(i)));
}

/**
 * The product over `dim` (default all dimensions).
 * @shape as {@link sum}. @dtype that of x; integers and bool give int64.
 * @gradient the product of the other elements, also where some are 0.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 2], [3, 4]]).prod(0).toArray(); // [3, 8]
 */
export const prod: Reduction = reduction("prod", {
  accuracy: "tree",
  type: accumulator,
  rule: {
    kind: "general",
    saves: save.x,
    vjp: (g, [, x], c) => [productOfOthers(x!, c.params.dims).mul(kept(g, c))],
    jvp: ([t], [, x], c) =>
      productOfOthers(x!, c.params.dims).mul(t!).sum(c.params.dims, { keepdim: c.params.keepdim }),
  },
});

const truthRule: Rule<Reduced> = { kind: "none", reason: "the result is a truth value" };
const allTrue = reduction("all", { accuracy: "exact", type: truth, rule: truthRule });
const anyTrue = reduction("any", { accuracy: "exact", type: truth, rule: truthRule });

/**
 * Whether all elements over `dim` (default all dimensions) are nonzero; true for an empty reduction.
 * @shape as {@link sum}. @dtype bool. @gradient none.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 0]).all().item(); // 0
 */
export const all: Reduction = (x, dim, options) => allTrue(needTensor("all", x).to("bool"), dim, options);

/**
 * Whether any element over `dim` (default all dimensions) is nonzero; false for an empty reduction.
 * @shape as {@link sum}. @dtype bool. @gradient none.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 0]).any().item(); // 1
 */
export const any: Reduction = (x, dim, options) => anyTrue(needTensor("any", x).to("bool"), dim, options);

/** The number of elements reduced to each result. */
const count = (x: Tensor, dims: readonly number[]): number => numel(dims.map((dim) => x.shape[dim]!));

/** @internal Integers and bool become the default float dtype. */
export const asFloat = (x: Tensor): Tensor => (x.type.kind === "float" ? x : x.to(defaultFloat().name));

const divisorOf = (shape: Shape, { dims, divisor }: Reduced): number =>
  divisor ?? numel(dims.map((dim) => shape[dim]!));

const meanOf = reductionRow("mean", {
  kernel: "sum",
  accuracy: "tree",
  type: same,
  divisor: (x, p) => divisorOf(x.shape, p),
  rule: {
    kind: "linear",
    transpose: (g, c) => {
      const shape = c.inputShapes[0]!;
      return kept(g.div(divisorOf(shape, c.params)), c).expand(shape);
    },
  },
});

/** @internal The sum of all elements, divided before it is rounded. */
export const sumOver = (x: Tensor, divisor: number): Tensor => meanOf(x, { ...everything(x.ndim), divisor });

/**
 * The arithmetic mean over `dim` (default all dimensions); NaN for an empty reduction. It does not overflow where only
 * the sum would.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient the incoming gradient / n, expanded to the shape of x.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 2, 6]).mean().item(); // 3
 */
export const mean: Reduction = (x, dim, options) =>
  meanOf(asFloat(needTensor("mean", x)), reduceArguments("mean", x.ndim, dim, options));

export interface VarianceOptions extends ReduceOptions {
  /** The divisor is n - correction; default 1 (Bessel's correction), as in PyTorch. */
  readonly correction?: number | undefined;
}

/** Calls f with x minus its mean, and with the dimensions to reduce and the divisor n - correction. */
function ofCentred(
  op: string,
  f: (centred: Tensor, p: Reduced) => Tensor,
  x: Tensor,
  dim?: DimOrOptions | VarianceOptions,
  options?: VarianceOptions,
): Tensor {
  needTensor(op, x);
  const inPlace = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given = checkOptions<VarianceOptions>(
    op,
    inPlace ? (dim as VarianceOptions) : options,
    ["dim", "correction"],
    ["keepdim"],
  );
  const named = inPlace || dim === undefined ? given.dim : (dim as number | readonly number[]);
  const { dims, keepdim } = reduceArguments(op, x.ndim, named === undefined ? undefined : named, {
    keepdim: given.keepdim,
  });
  const correction = needNumber(op, "the correction", given.correction ?? 1);
  const divisor = Math.max(count(x, dims) - correction, 0);
  return roundedOnce([asFloat(x)], (values) =>
    f(values.sub(values.mean(dims, { keepdim: true })), { dims, keepdim, divisor }),
  );
}

/** A reduction with a divisor of n - correction. */
export type VarianceReduction = (x: Tensor, dim?: DimOrOptions | VarianceOptions, options?: VarianceOptions) => Tensor;

/**
 * The variance over `dim` (default all dimensions), with the divisor n - correction (default 1). The method is
 * `x.var()`.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient 2 (x - mean) / (n - correction).
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example variance(tensor([1, 3])).item(); // 2
 */
export const variance: VarianceReduction = (x, dim, options) => ofCentred("var", meanSquare, x, dim, options);

/** @internal f, whose derivative is infinite at 0, with derivative 0 there. */
export function flatAtZero(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const zero = x.eq(0);
  return zero.where(0, f(zero.where(1, x)));
}

/**
 * The standard deviation, the square root of {@link variance}. It does not overflow where only squares or sums would.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient (x - mean) / ((n - correction) std), 0 where all elements are equal.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1, 3]).std({ correction: 0 }).item(); // 1
 */
export const std: VarianceReduction = (x, dim, options) => ofCentred("std", rootMeanSquare, x, dim, options);

/** Exponentials in the order in which x lies, shifted so that they do not overflow, and their sums. */
function exponentials(x: Tensor, dims: readonly number[]): { e: Tensor; total: Tensor } {
  const top = x.detach().amax(dims, { keepdim: true });
  const e = x.sub(top.isfinite().where(top, 0)).exp();
  return { e, total: e.sum(dims, { keepdim: true }) };
}

const logsumexpBackward = defineKernel<Reduced>({
  name: "logsumexpBackward",
  family: "fused",
  accuracy: "tree",
  flops: perResult(7),
});

const logsumexpOf: Reduction = reduction("logsumexp", {
  flops: 4,
  accuracy: "tree",
  type: same,
  rule: {
    kind: "general",
    saves: save.x,
    vjp: (g, [, x], c) => {
      if (x!.numel === 0) return [x!];
      const { e, total } = exponentials(x!, c.params.dims);
      return [e.mul(kept(g, c).div(total))];
    },
    fused: (g, [, x], c) => {
      const { dims } = c.params;
      const neighbours = dims.length > 0 && Math.max(...dims) - Math.min(...dims) < dims.length;
      if (!neighbours) return null;
      const dense = [g.contiguous(), x!.contiguous()];
      const { type, shape } = x!;
      return runKernel({
        row: logsumexpBackward,
        inputs: dense,
        results: [{ type, shape }],
        attrs: [mask(dims)],
        params: c.params,
      });
    },
    jvp: ([t], [, x], c) => {
      const { dims, keepdim } = c.params;
      if (x!.numel === 0) return t!.sum(dims, { keepdim });
      const { e, total } = exponentials(x!, dims);
      const along = e.mul(t!).sum(dims, { keepdim: true }).div(total);
      return keepdim ? along : along.reshape(reducedShape(x!.shape, c.params));
    },
  },
});

/**
 * `log(sum(exp(x)))` over `dim` (default all dimensions), without overflow; a result near 0 is accurate too. It is -inf
 * for an empty reduction, and if all elements are -inf.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient softmax(x).
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1000, 1000]).logsumexp().item(); // 1000.693...
 */
export const logsumexp: Reduction = (x, dim, options) => logsumexpOf(asFloat(needTensor("logsumexp", x)), dim, options);

/** x / length along the reduced dimensions, and 0 where the length is 0. */
function direction(x: Tensor, length: Tensor): Tensor {
  const none = length.eq(0);
  return none.where(0, x.div(none.where(1, length)));
}

const meanSquare = reductionRow("meanSquare", {
  flops: 2,
  accuracy: "tree",
  type: same,
  divisor: (x, p) => divisorOf(x.shape, p),
  rule: {
    kind: "general",
    saves: save.x,
    vjp: (g, [, x], c) => [x!.mul(kept(g, c).mul(2 / divisorOf(x!.shape, c.params)))],
    jvp: ([t], [, x], c) => meanOf(x!.mul(t!), c.params).mul(2),
  },
});

// The root of the sum of squares, divided by the divisor.
const rootMeanSquare = reductionRow("norm", {
  flops: 2,
  accuracy: "tree",
  type: same,
  divisor: (_, p) => p.divisor ?? 1,
  rule: {
    kind: "general",
    saves: save.out | save.x,
    vjp: (g, [y, x], c) => [direction(x!, kept(y!, c)).mul(shareOf(kept(g, c), c))],
    jvp: ([t], [y, x], c) =>
      shareOf(direction(x!, kept(y!, c)).mul(t!).sum(c.params.dims, { keepdim: c.params.keepdim }), c),
  },
});
const shareOf = (g: Tensor, c: Context<Reduced>): Tensor => {
  const { divisor = 1 } = c.params;
  return divisor === 1 ? g : g.div(divisor);
};

/** @internal `sqrt(sum(x^2))`, which neither overflows nor underflows on the way; the derivative is 0 at the zero vector. */
export const lengthOf: Reduction = (x, dim, options) =>
  rootMeanSquare(needTensor("norm", x), reduceArguments("norm", x.ndim, dim, options));

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

/**
 * x summed over dimensions so that it has the given shape, which broadcasts to that of x: the transpose of `expand`.
 * @dtype as {@link sum}. @gradient the incoming gradient, expanded to the shape of x.
 * @throws ERR_SHAPE if the shape does not broadcast to that of x.
 * @example ones([2, 3]).sumToSize([3]).toArray(); // [2, 2, 2]
 */
export function sumToSize(x: Tensor, shape: Shape): Tensor {
  needTensor("sumToSize", x);
  if (!Array.isArray(shape)) refuse("sumToSize", "the shape", "an array of sizes", shape);
  if (sameShape(x.shape, shape)) return x;
  const extra = x.ndim - shape.length;
  const dims: number[] = [];
  x.shape.forEach((size, i) => {
    const target = shape[i - extra];
    if (target === undefined || (target === 1 && size !== 1)) dims.push(i);
    else if (target !== size)
      fail("ERR_SHAPE", "sumToSize", "the shape does not broadcast", showShape(x.shape), describe(shape));
  });
  if (extra < 0) fail("ERR_SHAPE", "sumToSize", "the shape does not broadcast", showShape(x.shape), describe(shape));
  const out = dims.length === 0 ? x : x.sum(dims);
  return sameShape(out.shape, shape) ? out : out.reshape(shape);
}
