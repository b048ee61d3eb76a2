/** `backward` and its kin: what a tensor can do about its own graph. */
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { needTensor } from "../engine/operand.js";
import type { GradientHook, Node } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";
import { seed, sweep } from "./backward.js";

export interface BackwardOptions {
  /** The cotangent of the result; ones for a one-element result where it is left out. */
  readonly gradient?: Tensor | undefined;
  /** Keep what was saved, so that backward can run again. */
  readonly retainGraph?: boolean | undefined;
  /** Make the gradients part of a graph, so that they can be differentiated; keeps the graph too. */
  readonly createGraph?: boolean | undefined;
}

/** @internal The node of a tensor that gradients can be asked of. */
export function nodeOf(op: string, x: Tensor, what = "the tensor"): Node {
  if (x.node === null) fail("ERR_GRADIENT", op, `${what} does not require grad`);
  return x.node as Node;
}

/**
 * Computes the gradients of this tensor with respect to every leaf that requires grad, and adds them to the leaves' `grad`.
 * @throws ERR_GRADIENT where nothing requires grad, the result has several elements and no `gradient` is given, the graph
 * has been used up, or a saved value has been written to since.
 * @example
 * const x = tensor([3], { requiresGrad: true });
 * x.square().sum().backward();
 * x.grad!.item(); // 6
 */
export function backward(y: Tensor, options?: BackwardOptions): void {
  needTensor("backward", y);
  const given = checkOptions<BackwardOptions>("backward", options, ["gradient", "retainGraph", "createGraph"]);
  const node = nodeOf("backward", y);
  const gradient = given.gradient === undefined ? undefined : needTensor("backward", given.gradient, "the gradient");
  const createGraph = given.createGraph === true;
  const retainGraph = given.retainGraph ?? createGraph;
  sweep([node], [seed("backward", y, gradient)], { targets: null, createGraph, retainGraph });
}

/**
 * Calls `hook` with the gradient of this tensor whenever one is computed; what it returns takes its place. Returns a
 * function that takes the hook away.
 * @throws ERR_GRADIENT for a tensor that does not require grad.
 */
export function registerHook(x: Tensor, hook: GradientHook): () => void {
  needTensor("registerHook", x);
  const node = nodeOf("registerHook", x);
  if (typeof hook !== "function") fail("ERR_ARGUMENT", "registerHook", "the hook must be a function");
  node.hooks = [...(node.hooks ?? []), hook];
  return () => {
    const rest = (node.hooks ?? []).filter((other) => other !== hook);
    node.hooks = rest.length === 0 ? null : rest;
  };
}

/** Keeps the gradient of a tensor that is no leaf, for `grad` after backward. */
export function retainGrad(x: Tensor): void {
  needTensor("retainGrad", x);
  const node = nodeOf("retainGrad", x);
  if (!node.leaf) node.retains = true;
}
