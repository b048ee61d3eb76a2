/** Matrix products. */

import { needChoice } from "../core/arguments.js";
import { type DTypeRow, dtypes, promote } from "../core/dtype.js";
import { fail, named } from "../core/errors.js";
import { checkOptions, keysOf } from "../core/options.js";
import { broadcast, numel, type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import type { Flops } from "../engine/cost.js";
import { readsHalf } from "../engine/half.js";
import { needTensor } from "../engine/operand.js";
import { defineRow, type Row } from "../engine/row.js";
import { general, type Operand, type Rule, sumOf } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import type { Tensor } from "../tensor/tensor.js";
import { reluBackward } from "./activation-backward.js";

/**
 * FLOPs: 2 for each multiply-add of the product whose left factor is input `left`, `more` for each element of the
 * result.
 */
const productFlops =
  (left: number, more: number): Flops =>
  ({ results, inputs }) =>
    numel(results[0]!.shape) * (2 * inputs[left]!.shape.at(-1)! + more);

const row = defineRow<undefined>({
  name: "matmul",
  family: "matmul",
  kernel: "matmul",
  flops: productFlops(0, 0),
  inputs: 2,
  reads: { bfloat16: [0, 1] },
  accuracy: "tree",
  rule: {
    kind: "bilinear",
    left: (g, b, c) => multiplied(toLeft(g, b), c.inputShapes[0]!),
    right: (g, a, c) => multiplied(toRight(g, a, c.inputShapes[1]!), c.inputShapes[1]!),
    addTo: (sum, g, i, saved, c) =>
      addProduct(sum, i === 0 ? toLeft(g, saved(2)) : toRight(g, saved(1), c.inputShapes[1]!)),
  },
  replay: ([a, b]) => product(a as Tensor, b as Tensor),
});

/** The factors whose product is an operand's gradient, before it is summed over broadcast dimensions. */
type Factors = readonly [Tensor, Tensor];
const toLeft = (g: Tensor, b: Tensor): Factors => [g, b.transpose(-2, -1)];
/** A batch of rows times one matrix is computed as one tall product, also in backward. */
const toRight = (g: Tensor, a: Tensor, shape: Shape): Factors =>
  shape.length === 2 && a.ndim > 2 ? [rows(a).t(), rows(g)] : [a.transpose(-2, -1), g];
const multiplied = ([a, b]: Factors, shape: Shape): Tensor => product(a, b).sumToSize(shape);

/**
 * Adds a gradient to the accumulated one inside the product's kernel, unless it must be summed over broadcast
 * dimensions first.
 */
function addProduct(sum: Tensor, [a, b]: Factors): boolean {
  if (!sameShape(sum.shape, shapeOf("matmul", a, b))) return false;
  runKernel({ op: "matmul", row: addRow, targets: [sum], inputs: [sum, a, b], attrs: noAttrs });
  return true;
}

/** All leading dimensions joined. */
const rows = (x: Tensor): Tensor => (x.ndim === 2 ? x : x.reshape([-1, x.shape[x.ndim - 1]!]));

function common(op: string, a: Tensor, b: Tensor): DTypeRow {
  const type = promote(a.type, b.type);
  if (type.size === 1) fail("ERR_DTYPE", op, "not defined for this dtype", "a float dtype, int32 or int64", type.name);
  return type;
}

/** The shape of a product of operands of rank 2 or more. */
function shapeOf(op: string, a: Tensor, b: Tensor): Shape {
  const batch = a.ndim === 2 && b.ndim === 2 ? none : broadcast(op, a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [...batch, a.shape[a.ndim - 2]!, b.shape[b.ndim - 1]!];
}
const none: Shape = [];

/** Input i converted to the product's dtype, unless the kernel converts it. */
const factor = (row: Row<undefined>, inputs: readonly Tensor[], i: number, type: DTypeRow): Tensor =>
  type === dtypes.float32 && readsHalf(row, inputs, i) ? inputs[i]! : inputs[i]!.to(type.name);

/** Both of rank 2 or more. */
function product(a: Tensor, b: Tensor): Tensor {
  const type = common("matmul", a, b);
  const both = [a, b];
  const factors = [factor(row, both, 0, type), factor(row, both, 1, type)];
  return apply(row, factors, type, type, shapeOf("matmul", a, b), noAttrs, undefined);
}
const noAttrs: readonly number[] = [];

const addRow = defineRow<undefined>({
  name: "addmm",
  family: "matmul",
  kernel: "addmm",
  flops: productFlops(1, 1),
  inputs: 3,
  reads: { bfloat16: [1, 2] },
  accuracy: "tree",
  rule: general(["y", "z"], {
    vjp: (g, [a, b], c, needs) => [
      needs[0] ? g : null,
      needs[1] ? multiplied(toLeft(g, b), c.inputShapes[1]!) : null,
      needs[2] ? multiplied(toRight(g, a, c.inputShapes[2]!), c.inputShapes[2]!) : null,
    ],
    jvp: ([tx, ta, tb], [a, b]) => sumOf([tx!, ta! && product(ta, b), tb! && product(a, tb)]),
    addTo: (sum, g, i, saved, c) =>
      i > 0 && addProduct(sum, i === 1 ? toLeft(g, saved(3)) : toRight(g, saved(2), c.inputShapes[2]!)),
  }),
  replay: (inputs) => sumAndProduct(inputs as Tensor[], (inputs[0] as Tensor).type),
  batch: { composed: ([x, a, b]) => matmul(a as Tensor, b as Tensor).add(x!) },
});

/** x in the result's shape, a and b. */
function sumAndProduct(inputs: readonly Tensor[], type: DTypeRow): Tensor {
  const x = inputs[0]!.to(type.compute.name);
  // The kernel needs contiguous rows of x.
  const addend = x.layout === null || x.layout.at(-1) === 1 ? x : x.contiguous();
  const factors = [addend, factor(addRow, inputs, 1, type), factor(addRow, inputs, 2, type)];
  return apply(addRow, factors, type, type, x.shape, noAttrs, undefined);
}

/**
 * `x + a b` in one kernel.
 * @shape a [.., m, k] and b [.., k, n], whose leading dimensions broadcast; x broadcasts to the result [.., m, n].
 * @dtype promoted; not uint8 or bool.
 * @gradient g for x, g bᵀ for a and aᵀ g for b, each summed over broadcast dimensions.
 * @throws ERR_SHAPE if the sizes do not fit, or a or b has fewer than two dimensions; ERR_DTYPE for uint8 and bool.
 * @example addmm(tensor([10]), tensor([[1, 2]]), tensor([[3], [4]])).toArray(); // [[21]]
 */
export function addmm(x: Tensor, a: Tensor, b: Tensor): Tensor {
  needTensor("addmm", x, "what is added");
  needTensor("addmm", a, "the left operand");
  needTensor("addmm", b, "the right operand");
  if (a.ndim < 2 || b.ndim < 2 || a.shape[a.ndim - 1] !== b.shape[b.ndim - 2])
    fail(
      "ERR_SHAPE",
      "addmm",
      "the operands do not fit a matrix product",
      "[.., m, k] and [.., k, n]",
      `${showShape(a.shape)} and ${showShape(b.shape)}`,
    );
  const type = promote(common("addmm", a, b), x.type);
  const shape = shapeOf("addmm", a, b);
  // Half precision in float32: gradients are summed over broadcast dimensions before they are rounded.
  const addend = named("addmm", () => x.to(type.compute.name).expand(shape));
  return sumAndProduct([addend, a, b], type);
}

/**
 * The matrix product, by NumPy's rules: a vector on the left is a row and on the right a column, and its dimension is
 * missing in the result; leading dimensions broadcast.
 * @shape [.., m, k] and [.., k, n] give [.., m, n]. @dtype promoted; not uint8 or bool.
 * @gradient g bᵀ for a and aᵀ g for b, summed over broadcast dimensions.
 * @throws ERR_SHAPE if the inner sizes differ or an operand has rank 0; ERR_DTYPE for uint8 and bool.
 * @example tensor([[1, 2]]).matmul(tensor([[3], [4]])).item(); // 11
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  needTensor("matmul", a, "the left operand");
  needTensor("matmul", b, "the right operand");
  if (a.ndim === 0 || b.ndim === 0)
    fail(
      "ERR_SHAPE",
      "matmul",
      "an operand has no dimension",
      "rank 1 or more",
      `${showShape(a.shape)} and ${showShape(b.shape)}`,
    );
  const left = a.ndim === 1 ? a.unsqueeze(0) : a;
  const right = b.ndim === 1 ? b.unsqueeze(1) : b;
  const k = left.shape[left.ndim - 1]!;
  if (right.shape[right.ndim - 2] !== k) {
    const wanted = `a [.., ${k}] with b [${b.ndim === 1 ? k : `${k}, ..`}]`;
    fail("ERR_SHAPE", "matmul", "inner sizes differ", wanted, `${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  const out = product(left, right);
  if (a.ndim > 1 && b.ndim > 1) return out;
  const shape = out.shape.slice();
  if (b.ndim === 1) shape.pop();
  if (a.ndim === 1) shape.splice(shape.length - (b.ndim === 1 ? 1 : 2), 1);
  return out.reshape(shape);
}

/**
 * A batch of matrix products.
 * @shape [b, m, k] and [b, k, n] give [b, m, n]. @dtype as {@link matmul}. @gradient as {@link matmul}.
 * @throws ERR_SHAPE for other ranks or batch sizes.
 * @example ones([2, 1, 3]).bmm(ones([2, 3, 1])).shape; // [2, 1, 1]
 */
export function bmm(a: Tensor, b: Tensor): Tensor {
  needTensor("bmm", a, "the left operand");
  needTensor("bmm", b, "the right operand");
  if (a.ndim !== 3 || b.ndim !== 3 || a.shape[0] !== b.shape[0])
    fail(
      "ERR_SHAPE",
      "bmm",
      "not two batches of matrices",
      "[b, m, k] and [b, k, n]",
      `${showShape(a.shape)} and ${showShape(b.shape)}`,
    );
  return named("bmm", () => matmul(a, b));
}

/**
 * The inner product of two vectors.
 * @shape [n] and [n] give []. @dtype as {@link matmul}.
 * @gradient b for a and a for b.
 * @throws ERR_SHAPE unless both have rank 1 and the same length.
 * @example tensor([1, 2]).dot(tensor([3, 4])).item(); // 11
 */
export function dot(a: Tensor, b: Tensor): Tensor {
  needTensor("dot", a, "the left operand");
  needTensor("dot", b, "the right operand");
  if (a.ndim !== 1 || !sameShape(a.shape, b.shape))
    fail(
      "ERR_SHAPE",
      "dot",
      "not two vectors of one length",
      "two tensors [n]",
      `${showShape(a.shape)} and ${showShape(b.shape)}`,
    );
  return named("dot", () => matmul(a, b));
}

/**
 * The outer product of two vectors.
 * @shape [m] and [n] give [m, n]. @dtype promoted.
 * @gradient g b for a and gᵀ a for b.
 * @throws ERR_SHAPE unless both have rank 1.
 * @example tensor([1, 2]).outer(tensor([3, 4])).toArray(); // [[3, 4], [6, 8]]
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  needTensor("outer", a, "the left operand");
  needTensor("outer", b, "the right operand");
  if (a.ndim !== 1 || b.ndim !== 1)
    fail(
      "ERR_SHAPE",
      "outer",
      "not two vectors",
      "two tensors of rank 1",
      `${showShape(a.shape)} and ${showShape(b.shape)}`,
    );
  return a.unsqueeze(1).mul(b);
}

const toWeight = (g: Tensor, x: Tensor): Factors => [rows(g).t(), rows(x)];
/** The gradients of `x wᵀ + b`. */
const affineVjp = (g: Tensor, x: Tensor, w: Tensor, needs: readonly boolean[]): (Tensor | null)[] => [
  needs[0] ? matmul(g, w) : null,
  needs[1] ? matmul(...toWeight(g, x)) : null,
  needs[2] ? rows(g).sum(0) : null,
];
function affineJvp([tx, tw, tb]: readonly (Tensor | null)[], x: Tensor, w: Tensor): Tensor {
  const out = sumOf([tx! && matmul(tx, w.t()), tw! && matmul(x, tw.t()), tb!]);
  return out.expand([...x.shape.slice(0, -1), w.shape[0]!]);
}
const composedLinear = ([x, w, b]: readonly Operand[]): Tensor =>
  matmul(x as Tensor, (w as Tensor).transpose(0, 1)).add(b!);

/** `linear` with a bias, alone or with relu fused into the kernel. */
const affineRow = (
  name: string,
  more: number,
  rule: Rule<undefined>,
  composed: (inputs: readonly Operand[]) => Tensor,
) => {
  const row: Row<undefined> = defineRow<undefined>({
    name,
    family: "matmul",
    kernel: name,
    flops: productFlops(0, more),
    inputs: 3,
    reads: { bfloat16: [0, 1] },
    accuracy: "tree",
    rule,
    replay: (inputs) => affine(row, inputs as Tensor[], (inputs[0] as Tensor).type),
    batch: { shared: [1, 2], params: (p) => p, composed },
  });
  return row;
};
const linearRow = affineRow(
  "linear",
  1,
  general(["x", "y"], {
    vjp: (g, [x, w], _, needs) => affineVjp(g, x, w, needs),
    jvp: (tangents, [x, w]) => affineJvp(tangents, x, w),
    addTo: (sum, g, i, saved) => i < 2 && addProduct(sum, i === 0 ? [g, saved(2)] : toWeight(g, saved(1))),
  }),
  composedLinear,
);
const linearReluRow = affineRow(
  "linearRelu",
  2,
  general(["out", "x", "y"], {
    vjp: (g, [out, x, w], _, needs) => affineVjp(reluBackward(g, out), x, w, needs),
    jvp: (tangents, [out, x, w]) => reluBackward(affineJvp(tangents, x, w), out),
  }),
  (inputs) => composedLinear(inputs).relu(),
);

/** Computes `linear` of checked operands in the given dtype. */
function affine(row: Row<undefined>, inputs: readonly Tensor[], type: DTypeRow): Tensor {
  const factors = [factor(row, inputs, 0, type), factor(row, inputs, 1, type)];
  const bias = inputs[2]!.to(type.name).contiguous();
  const shape = [...inputs[0]!.shape.slice(0, -1), inputs[1]!.shape[0]!];
  return apply(row, [...factors, bias], type, type, shape, noAttrs, undefined);
}

/** An activation that may follow a linear layer in the same call. */
export type Activation = "relu" | "gelu";
/** @internal */
export const activations: { readonly [A in Activation]: (y: Tensor) => Tensor } = {
  relu: (y) => y.relu(),
  gelu: (y) => y.gelu(),
};

export interface LinearCallOptions {
  /**
   * The activation of the result; default none. For float dtypes, relu after a bias is fused into the product's kernel.
   */
  readonly activation?: Activation | null | undefined;
}

/**
 * `x weightᵀ + bias`, the computation of a linear layer.
 * @shape x [.., in], weight [out, in], bias [out]; gives [.., out].
 * @dtype promoted; not uint8 or bool.
 * @gradient with g the gradient of the result before the activation: g weight for x; gᵀ x for the weight and g for the
 * bias, summed over the leading dimensions.
 * @throws ERR_SHAPE if the sizes do not fit; ERR_ARGUMENT for an unknown activation.
 * @example
 * linear(tensor([1, 2]), tensor([[3, 4]]), tensor([5])).toArray(); // [16]
 * linear(tensor([1, 2]), tensor([[3, 4], [-3, 4]]), tensor([5, -6]), { activation: "relu" }).toArray(); // [16, 0]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: LinearCallOptions): Tensor {
  const activation = options === undefined ? null : activationOf(options);
  needTensor("linear", x);
  if (activation === "relu" && bias && x.type.kind === "float") return checkedLinear(linearReluRow, x, weight, bias)!;
  const y = checkedLinear(linearRow, x, weight, bias) ?? matmul(x, weight.t());
  return activation === null ? y : activations[activation](y);
}

function activationOf(options: LinearCallOptions): Activation | null {
  const { activation = null } = checkOptions<LinearCallOptions>("linear", options, ["activation"]);
  return activation === null ? null : needChoice("linear", "activation", activation, keysOf(activations));
}

/** Null without a bias. */
function checkedLinear(row: Row<undefined>, x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor | null {
  needTensor("linear", x);
  needTensor("linear", weight, "the weight");
  const [out, size] = weight.shape;
  if (weight.ndim !== 2 || x.ndim === 0 || x.shape[x.ndim - 1] !== size)
    fail(
      "ERR_SHAPE",
      "linear",
      "the input does not fit the weight",
      "x [.., in] and weight [out, in]",
      `${showShape(x.shape)} and ${showShape(weight.shape)}`,
    );
  if (bias === undefined || bias === null) return null;
  needTensor("linear", bias, "the bias");
  if (bias.ndim !== 1 || bias.shape[0] !== out)
    fail("ERR_SHAPE", "linear", "the bias does not fit the weight", `[${out}]`, showShape(bias.shape));
  const type = promote(common("linear", x, weight), bias.type);
  const input = x.ndim === 1 ? x.unsqueeze(0) : x;
  const y = affine(row, [input, weight, bias], type);
  return x.ndim === 1 ? y.squeeze(0) : y;
}
