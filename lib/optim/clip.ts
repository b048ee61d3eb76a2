/** Gradient clipping, between backward and the optimizer's step. Modifies the gradients in place. */
import { needNumber } from "../core/arguments.js";
import { named } from "../core/errors.js";
import { checkOptions, needList } from "../core/options.js";
import { inFloat32 } from "../engine/float32-fallback.js";
import { withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { type Operand, rowOf } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import type { LeafNode } from "../engine/tape.js";
import { finite } from "../ops/checked.js";
import { stack } from "../ops/join.js";
import { everything } from "../ops/reduction.js";
import { above, lengthOf } from "../ops/variance.js";
import { scalar } from "../tensor/from-data.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";

function gradientsOf(op: string, params: Iterable<Tensor> | Tensor): Tensor[] {
  const list = isTensor(params) ? [params] : needList(op, "params", params, "a tensor or model.parameters()");
  return list.flatMap((parameter) => {
    const { node } = needTensor(op, parameter, "a parameter");
    const gradient = node === null || !node.leaf ? null : (node as LeafNode).peek();
    return gradient === null ? [] : [gradient.detach()];
  });
}

/** Applies an elementwise op to a gradient in place. */
function limit(op: string, name: string, gradient: Tensor, others: readonly Operand[]): void {
  const { attrs } = gradient.type;
  runKernel({ op, row: rowOf(name), targets: [gradient], inputs: [gradient, ...others], attrs });
}

export interface ClipGradNormOptions {
  /** The order of the norm, `Infinity` for the largest absolute value; default 2. */
  readonly normType?: number | undefined;
  /** Whether an infinite or NaN norm throws ERR_GRADIENT; default false. */
  readonly errorIfNonfinite?: boolean | undefined;
}

/** The norm of all tensors together, of order 2 divided by a number. */
function totalNorm(tensors: readonly Tensor[], order: number, divisor: number): Tensor {
  if (order === 2) {
    const parts = tensors.map((x) => lengthOf(x, { ...everything(x.ndim), divisor: divisor ** 2 }));
    return parts.length === 1 ? parts[0]! : lengthOf(stack(parts), everything(1));
  }
  const norms = tensors.map((x) => x.norm({ ord: order }));
  return norms.length === 1 ? norms[0]! : stack(norms).norm({ ord: order });
}

/**
 * Scales the gradients of all parameters by a common factor, so that their total norm is at most `maxNorm`. Returns the
 * norm before scaling, as a tensor of rank 0; for half precision it is float32. Parameters without a gradient are
 * skipped.
 * @throws ERR_ARGUMENT for an invalid `maxNorm` or `normType`; with `errorIfNonfinite`, ERR_GRADIENT for an infinite or
 * NaN norm.
 * @source Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013.
 * @example
 * const w = tensor([3, 4], { requiresGrad: true });
 * w.square().sum().backward();
 * optim.clipGradNorm([w], 1).item(); // 10
 * w.grad!.toArray(); // [0.6, 0.8]
 */
export function clipGradNorm(
  params: Iterable<Tensor> | Tensor,
  maxNorm: number,
  options?: ClipGradNormOptions,
): Tensor {
  const op = "clipGradNorm";
  const { normType = 2, errorIfNonfinite = false } = checkOptions<ClipGradNormOptions>(
    op,
    options,
    ["normType"],
    ["errorIfNonfinite"],
  );
  needNumber(op, "maxNorm", maxNorm, { least: 0 });
  needNumber(op, "normType", normType, { above: 0 });
  const gradients = gradientsOf(op, params);
  const sized = gradients.filter((gradient) => gradient.numel > 0);
  if (sized.length === 0) return scalar(0);
  return withGrad(false, () => {
    const times = normType === 2 ? above(sized.reduce((n, gradient) => n + gradient.numel, 0)) : 1;
    const part = inFloat32(sized, (...tensors) => totalNorm(tensors, normType, times));
    const total = part.mul(times);
    const fact = "the norm of the gradients is not finite";
    const norm = errorIfNonfinite ? named(op, () => finite(total, fact, "a finite norm")) : total;
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).minimum(1);
    // A norm that does not fit, or whose reciprocal has few digits, is divided by in two steps.
    const huge = norm.gt(norm.dtype === "float64" ? 2 ** 1000 : 2 ** 100);
    const steps = [huge.where(part, 1), huge.where(maxNorm / times, factor)];
    for (const gradient of sized)
      limit(
        op,
        "scaledDiv",
        gradient,
        steps.map((step) => step.to(gradient.type.compute.name)),
      );
    return norm;
  });
}

/**
 * Clamps every element of every gradient to [-`clipValue`, `clipValue`]. Parameters without a gradient are skipped.
 * @throws ERR_ARGUMENT for a negative or NaN value.
 * @example
 * const w = tensor([3, -4], { requiresGrad: true });
 * w.square().sum().backward();
 * optim.clipGradValue([w], 7);
 * w.grad!.toArray(); // [6, -7]
 */
export function clipGradValue(params: Iterable<Tensor> | Tensor, clipValue: number): void {
  const op = "clipGradValue";
  needNumber(op, "clipValue", clipValue, { least: 0 });
  for (const gradient of gradientsOf(op, params)) limit(op, "clamp", gradient, [-clipValue, clipValue]);
}
