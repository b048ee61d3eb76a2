/** `backward`, hooks and `retainGrad`: methods that concern a tensor's own graph. */
import { needFunction } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { needTensor } from "../engine/operand.js";
import type { GradientHook, Node } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";
import { sweep } from "./backward.js";
import { seed } from "./seed.js";

export interface BackwardOptions {
  /** The gradient of this tensor; default 1 for a one-element tensor. */
  readonly gradient?: Tensor | undefined;
  /** Whether saved values are kept so that backward can run again; default false. */
  readonly retainGraph?: boolean | undefined;
  /** Whether the gradients are recorded so that they can be differentiated; implies retainGraph. Default false. */
  readonly createGraph?: boolean | undefined;
}

/** @internal The node of a tensor; ERR_GRADIENT if it does not require grad. */
export function nodeOf(op: string, x: Tensor, what = "the tensor"): Node {
  if (x.node === null) fail("ERR_GRADIENT", op, `${what} does not require grad`);
  return x.node as Node;
}

/**
 * Computes the gradients of this tensor with respect to every leaf that requires grad, and adds them to the leaves' `grad`.
 * @throws ERR_GRADIENT if the tensor does not require grad, has several elements and no `gradient` is given, the graph
 * has been freed, or a saved value has been modified in place.
 * @example
 * const x = tensor([3], { requiresGrad: true });
 * x.square().sum().backward();
 * x.grad!.item(); // 6
 */
export function backward(y: Tensor, options?: BackwardOptions): void {
  needTensor("backward", y);
  const given = checkOptions<BackwardOptions>("backward", options, ["gradient"], ["retainGraph", "createGraph"]);
  const node = nodeOf("backward", y);
  const gradient = given.gradient === undefined ? undefined : needTensor("backward", given.gradient, "the gradient");
  const createGraph = given.createGraph === true;
  const retainGraph = given.retainGraph ?? createGraph;
  sweep([node], [seed("backward", y, gradient)], { targets: null, createGraph, retainGraph });
}

/**
 * Calls `hook` with the gradient of this tensor whenever one is computed; a tensor that it returns replaces the
 * gradient. Returns a function that removes the hook.
 * @throws ERR_GRADIENT for a tensor that does not require grad.
 * @example
 * const x = tensor([3], { requiresGrad: true });
 * x.registerHook((g) => g.mul(10));
 * x.square().sum().backward();
 * x.grad!.item(); // 60
 */
export function registerHook(x: Tensor, hook: GradientHook): () => void {
  needTensor("registerHook", x);
  const node = nodeOf("registerHook", x);
  needFunction("registerHook", hook, "the hook");
  node.hooks = [...(node.hooks ?? []), hook];
  return () => {
    const rest = (node.hooks ?? []).filter((other) => other !== hook);
    node.hooks = rest.length === 0 ? null : rest;
  };
}

/**
 * Makes backward set `grad` of this tensor although it is not a leaf.
 * @throws ERR_GRADIENT for a tensor that does not require grad.
 * @example
 * const y = tensor([3], { requiresGrad: true }).square();
 * y.retainGrad();
 * y.mul(2).sum().backward();
 * y.grad!.item(); // 2
 */
export function retainGrad(x: Tensor): void {
  needTensor("retainGrad", x);
  const node = nodeOf("retainGrad", x);
  if (!node.leaf) node.retains = true;
}
