/** What reductions share: their arguments, and the family of their rows. */
import { type DTypeRow, defaultFloat, dtypes } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { axes, numel, type Shape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { perInput } from "../engine/cost.js";
import { needTensor } from "../engine/operand.js";
import { type Accuracy, defineRow, eitherHalf, type Row } from "../engine/row.js";
import type { Context, Rule } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";

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

export interface Reduced {
  readonly dims: readonly number[];
  readonly keepdim: boolean;
  /** Replaces the divisor: the number of elements for means, 1 for roots of sums of squares. */
  readonly divisor?: number;
}

/** Reads the trailing arguments `dim?, { dim, keepdim }?`. */
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
export function everything(rank: number): Reduced {
  everythingOf[rank] ??= { dims: Array.from({ length: rank }, (_, i) => i), keepdim: false };
  return everythingOf[rank];
}

/** The shape of the result. */
export function reducedShape(shape: Shape, { dims, keepdim }: Reduced): Shape {
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
export const kept = (y: Tensor, c: Context<Reduced>): Tensor =>
  c.params.keepdim || y.ndim === 0 ? y : y.reshape(reducedShape(c.inputShapes[0]!, { ...c.params, keepdim: true }));

/** Whether no kept dimension lies between reduced ones. */
export const areNeighbours = (dims: readonly number[]): boolean =>
  dims.length > 0 && Math.max(...dims) - Math.min(...dims) < dims.length;

/** Dimensions as a bit mask, as the kernels take them. */
export const mask = (dims: readonly number[]): number => dims.reduce((bits, dim) => bits + 2 ** dim, 0);

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
export function reductionRow(name: string, spec: ReduceSpec): (x: Tensor, p: Reduced) => Tensor {
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

/** A row as a function of tensors; see {@link reductionRow}. */
export function reduction(name: string, spec: ReduceSpec): Reduction {
  const run = reductionRow(name, spec);
  return (x, dim, options) => {
    needTensor(name, x);
    return run(x, reduceArguments(name, x.ndim, dim, options));
  };
}

/** The number of elements reduced to each result. */
export const countOf = (shape: Shape, dims: readonly number[]): number => numel(dims.map((dim) => shape[dim]!));

/** What a reduction divides by: the number of elements by default. */
export const divisorOf = (shape: Shape, { dims, divisor }: Reduced): number => divisor ?? countOf(shape, dims);

/** Integers and bool become the default float dtype. */
export const asFloat = (x: Tensor): Tensor => (x.type.kind === "float" ? x : x.to(defaultFloat().name));

/** The dtype of x. */
export const sameType = (x: Tensor): DTypeRow => x.type;
/** The dtype of sums and products. */
export const accumulator = (x: Tensor): DTypeRow => (x.type.kind === "float" ? x.type : dtypes.int64);
