/** Reverse mode: walks the tape from results to leaves, without recursion. */
import { synchronous } from "../core/arguments.js";
import { fail, NablaError } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import type { Gradients, Rule } from "../engine/rule.js";
import { own } from "../engine/saved.js";
import { type Node, newestNode, type OpNode } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";
import { accumulate, accumulateLeaf, inPlace, release } from "./accumulate.js";
import { watched, watchedSum } from "./anomaly.js";
import { forUser } from "./seed.js";
import { withTopologicalOrder } from "./topological-order.js";
import { vjpOf } from "./vjp.js";

type Recomputed = Extract<Rule<unknown>, { kind: "recomputed" }>;

export interface Sweep {
  /** The nodes whose gradients are returned; null: every leaf accumulates its gradient. */
  readonly targets: readonly Node[] | null;
  /** Whether the gradients are themselves part of a graph. */
  readonly createGraph: boolean;
  /** Whether saved values are kept for another backward. */
  readonly retainGraph: boolean;
  /** The search does not go beyond nodes with a number up to this: no target lies behind them. */
  readonly floor?: number;
}

function runHooks(node: Node, g: Tensor): Tensor {
  if (node.hooks === null) return g;
  // A hook may keep its argument and its result, so neither is released early.
  let current = forUser(g);
  current.handle.kept = true;
  for (const hook of node.hooks) {
    const result: unknown = synchronous("registerHook", hook(current));
    if (result === undefined) continue;
    const next = needTensor("registerHook", result, "what a hook returns");
    if (!sameShape(next.shape, current.shape) || next.type !== current.type)
      fail(
        "ERR_GRADIENT",
        "registerHook",
        "a hook changed the gradient's shape or dtype",
        showShape(current.shape),
        showShape(next.shape),
      );
    current = next;
    current.handle.kept = true;
  }
  return current;
}

/** Runs a rule; if a saved value was overwritten, the error names the op that saved it and the op that wrote to it. */
function runRule<T>(node: OpNode, rule: () => T): T {
  try {
    return rule();
  } catch (error) {
    if (error instanceof NablaError && error.code === "ERR_GRADIENT" && error.message.includes("was changed since"))
      throw new NablaError(
        "ERR_GRADIENT",
        "backward",
        `backward: ${error.message.replace(/^\w+: a value saved/, `a value that ${node.row.name} saved`)}`,
        error.details,
      );
    throw error;
  }
}

/**
 * The backward pass from the roots, given their cotangents. Returns the gradients of the targets, null where there is
 * none; without targets, leaves accumulate theirs.
 */
export function sweep(roots: readonly Node[], cotangents: readonly Tensor[], options: Sweep): (Tensor | null)[] {
  const { targets } = options;
  // Nodes are numbered in the order they are made, so a node has a larger number than its inputs.
  const floor =
    options.floor ??
    (targets === null ? 0 : targets.reduce((low, { serial }) => Math.min(low, serial - 1), Number.POSITIVE_INFINITY));
  return withTopologicalOrder(roots, floor, (nodes) => pass(nodes, roots, cotangents, floor, options));
}

function markNeeded(nodes: readonly Node[], targets: readonly Node[] | null, floor: number): void {
  if (targets === null) {
    let closed = false;
    for (const node of nodes) {
      node.visit.needed = !(node.leaf && node.closed);
      closed ||= !node.visit.needed;
    }
    if (!closed) return;
    for (const node of nodes) if (!node.leaf) node.visit.needed = false;
  } else for (const target of targets) target.visit.needed = true;
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.visit.needed && node.serial > floor)
      node.visit.needed = node.inputs.some((input) => input?.visit.needed === true);
  }
}

function pass(
  nodes: readonly Node[],
  roots: readonly Node[],
  cotangents: readonly Tensor[],
  floor: number,
  { targets, createGraph, retainGraph }: Sweep,
): (Tensor | null)[] {
  markNeeded(nodes, targets, floor);
  const wanted = targets && new Map<Node, Tensor | null>(targets.map((target) => [target, null]));
  const run = (): void => {
    roots.forEach((root, i) => {
      accumulate(root, cotangents[i]!);
    });
    for (const node of nodes) {
      const { visit } = node;
      const { cotangent } = visit;
      if (cotangent === null) continue;
      visit.cotangent = null;
      if (!visit.needed) {
        release(cotangent);
        continue;
      }
      // A node at the boundary may get further gradients from outside this sweep.
      const end = node.serial <= floor;
      const g = end ? cotangent : runHooks(node, cotangent);
      if (wanted?.has(node)) {
        g.handle.kept = true;
        wanted.set(node, forUser(g));
      }
      if (node.leaf) {
        if (targets === null) accumulateLeaf(node, g, createGraph);
      } else if (!end) {
        if (node.retains) {
          g.handle.kept = true;
          node.setGradient(forUser(g));
        }
        propagate(node, g, createGraph, retainGraph);
      }
      release(cotangent);
    }
  };
  withGrad(createGraph, run);
  return targets?.map((target) => wanted?.get(target) ?? null) ?? [];
}

/** Adds the gradient of an input in place to the one that it has so far, where the rule can. */
function addTo(node: OpNode, g: Tensor, i: number): boolean {
  const { cotangent: sum, summing } = node.inputs[i]!.visit;
  if (sum === null || !summing || sum.handle.kept || sum.type !== g.type) return false;
  const saved = (place: number): Tensor => node.unpack(place, false) as Tensor;
  return runRule(node, () => watchedSum(node, g, i, sum, () => node.row.rule.addTo!(sum, g, i, saved, node)));
}

/** Computes the gradients of a node's inputs from its own, and accumulates them there. */
function propagate(node: OpNode, g: Tensor, createGraph: boolean, retainGraph: boolean): void {
  const needs = node.inputs.map((input) => input?.visit.needed === true);
  if (!needs.includes(true)) return;
  if (node.freed)
    fail(
      "ERR_GRADIENT",
      "backward",
      `the graph of ${node.row.name} has been used`,
      "retainGraph: true in the first backward",
    );
  const adds = node.row.rule.addTo !== undefined && node.native && inPlace(g);
  if (adds) {
    needs.forEach((need, i) => {
      if (need) needs[i] = !addTo(node, g, i);
    });
  }
  if (needs.includes(true)) {
    const gradients = runRule(node, () => watched(node, g, () => gradientsOf(node, g, needs, createGraph)));
    for (let i = 0; i < gradients.length; i++) {
      const gradient = gradients[i];
      const input = node.inputs[i];
      if (gradient === null || gradient === undefined || input === null || input === undefined) continue;
      // A rule may return a saved value, which this node is about to release.
      accumulate(input, own(gradient), adds && gradient.handle !== g.handle);
    }
  }
  if (!retainGraph) node.release();
}

/** @internal The gradients of a node's inputs, as {@link vjpOf}, whatever its rule. */
export const gradientsOf: typeof vjpOf = (node, g, needs, linked) =>
  (node.row.rule.kind === "recomputed" ? throughOps : vjpOf)(node, g, needs, linked);

/** The gradients of a recomputed node: runs its ops, recorded, and does a backward through them. */
function throughOps(node: OpNode, g: Tensor, needs: readonly boolean[], createGraph: boolean): Gradients {
  const floor = newestNode();
  const y = (node.row.rule as Recomputed).run(node);
  if (y.node === null) return [];
  const { inputs } = node;
  const targets = [...new Set(inputs.filter((input, i) => input !== null && needs[i]))] as Node[];
  const found = sweep([y.node as Node], [g], { targets, createGraph, retainGraph: createGraph, floor });
  // Where a node is an input twice, its gradient is returned once.
  return inputs.map((input, i) => {
    const at = input === null || inputs.indexOf(input) !== i ? -1 : targets.indexOf(input);
    return at < 0 ? null : found[at]!;
  });
}
