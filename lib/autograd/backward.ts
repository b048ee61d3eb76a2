/** Reverse mode: walks the tape from results to leaves, without recursion. */
import { synchronous } from "../core/arguments.js";
import type { DTypeRow } from "../core/dtype.js";
import { fail, NablaError } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { Batched } from "../engine/batched.js";
import { mode, withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { rowOf } from "../engine/row.js";
import type { Gradients, Rule } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { own } from "../engine/saved.js";
import { type LeafNode, type Node, newestNode, type OpNode } from "../engine/tape.js";
import { recording } from "../native/door.js";
import { filled } from "../tensor/allocate.js";
import { outlive } from "../tensor/handle.js";
import { Tensor } from "../tensor/tensor.js";
import { watched, watchedSum } from "./anomaly.js";
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

let visits = 0;
/** The number of backward passes that are running: a rule or a hook may start another one. */
let running = 0;

/** What an outer backward pass has stored on a node that an inner one visits too. */
type Displaced = readonly [node: Node, visit: number, dependents: number, cotangent: Tensor | null, needed: boolean];

/**
 * Calls `use` with all nodes reachable from the roots in topological order, and restores the state of an outer backward
 * pass afterwards.
 */
export function withTopologicalOrder<T>(roots: readonly Node[], floor: number, use: (nodes: readonly Node[]) => T): T {
  const displaced: Displaced[] | null = running > 0 ? [] : null;
  running++;
  try {
    return use(topologicalOrder(roots, floor, displaced));
  } finally {
    running--;
    for (const [node, visit, dependents, cotangent, needed] of displaced ?? [])
      Object.assign(node, { visit, dependents, cotangent, needed });
  }
}

/**
 * All nodes reachable from the roots in topological order: each after every node that uses it. The search does not go
 * beyond nodes with a number up to `floor`. Time is linear in the size of the graph.
 */
function topologicalOrder(roots: readonly Node[], floor: number, displaced: Displaced[] | null): Node[] {
  const visit = ++visits;
  const stack: Node[] = [];
  const reach = (node: Node): void => {
    if (node.visit === visit) return;
    displaced?.push([node, node.visit, node.dependents, node.cotangent, node.needed]);
    node.visit = visit;
    node.dependents = 0;
    node.cotangent = null;
    node.needed = false;
    stack.push(node);
  };
  for (const root of roots) reach(root);
  const found: Node[] = [];
  while (stack.length > 0) {
    const node = stack.pop()!;
    found.push(node);
    if (node.serial <= floor) continue;
    for (const input of node.inputs) {
      if (input === null) continue;
      reach(input);
      input.dependents++;
    }
  }
  const sorted: Node[] = found.filter((node) => node.dependents === 0);
  for (let i = 0; i < sorted.length; i++) {
    const node = sorted[i]!;
    if (node.serial <= floor) continue;
    for (const input of node.inputs) if (input !== null && --input.dependents === 0) sorted.push(input);
  }
  return sorted;
}

/**
 * @internal Whether a tensor depends on a leaf (not counting variables of transforms that have ended) or on a node up to
 * number `floor`.
 */
export function reaches(x: Tensor, floor: number): boolean {
  if (x instanceof Batched && reaches(x.value, floor)) return true;
  if (x.node === null) return false;
  const visit = ++visits;
  const open = [x.node as Node];
  while (open.length > 0) {
    const node = open.pop()!;
    if (node.visit === visit) continue;
    node.visit = visit;
    if (node.leaf ? !node.closed : node.serial <= floor) return true;
    for (const input of node.inputs) if (input !== null) open.push(input);
  }
  return false;
}

/** Whether gradients may be added to g in place: nothing is being recorded, and g has a storage of its own. */
const inPlace = (g: Tensor): boolean => !mode.grad && !(g instanceof Batched);

/** Adds g to the gradient that a node has so far. */
function accumulate(node: Node, g: Tensor): void {
  const before = node.cotangent;
  if (before === null) {
    node.cotangent = g;
    g.handle.pending++;
    return;
  }
  if (before.handle.summing && !before.handle.kept && before.type === g.type && inPlace(g)) {
    runKernel({ op: "backward", row: rowOf("add"), targets: [before], inputs: [before, g], attrs: g.type.attrs });
    releaseIfUnused(g);
    return;
  }
  const sum = before.add(g);
  sum.handle.pending++;
  sum.handle.summing = inPlace(sum);
  node.cotangent = sum;
  release(before);
  releaseIfUnused(g);
}

/** Called when one node no longer needs a derivative: its storage is freed once no other node needs it. */
export function release(g: Tensor): void {
  g.handle.pending--;
  releaseIfUnused(g);
}
function releaseIfUnused(g: Tensor): void {
  const { handle } = g;
  if (handle.pending === 0 && !handle.kept && !handle.borrowed) handle.release();
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

function accumulateLeaf(leaf: LeafNode, g: Tensor, createGraph: boolean): void {
  if (g instanceof Batched)
    fail("ERR_GRADIENT", "backward", "inside vmap a leaf would get a gradient from every example; use grad(f)");
  const before = leaf.peek();
  if (createGraph) {
    g.handle.kept = true;
    leaf.setGradient(before === null ? forUser(g) : own(before).add(g));
    return;
  }
  const sum = before === null ? g : before.add(g);
  // A leaf's gradient must be its own: a tensor that is reachable elsewhere is copied.
  const shared =
    sum === g &&
    (g.handle.pending > 1 || g.handle.kept || g.handle.users > 1 || g.handle.borrowed || g.layout !== null);
  const kept = shared ? sum.detach().clone() : sum;
  leaf.store(kept);
  if (kept !== g) kept.handle.release();
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
  return withTopologicalOrder(roots, floor, (nodes) => {
    try {
      return pass(nodes, roots, cotangents, floor, options);
    } finally {
      for (const node of nodes) node.cotangent = null;
    }
  });
}

function markNeeded(nodes: readonly Node[], targets: readonly Node[] | null, floor: number): void {
  if (targets === null) {
    let closed = false;
    for (const node of nodes) {
      node.needed = !(node.leaf && node.closed);
      closed ||= !node.needed;
    }
    if (!closed) return;
    for (const node of nodes) if (!node.leaf) node.needed = false;
  } else for (const target of targets) target.needed = true;
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.needed && node.serial > floor) node.needed = node.inputs.some((input) => input?.needed === true);
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
  const wanted = new Map<Node, Tensor | null>();
  for (const target of targets ?? []) wanted.set(target, null);
  const run = (): void => {
    roots.forEach((root, i) => {
      accumulate(root, cotangents[i]!);
    });
    for (const node of nodes) {
      const cotangent = node.cotangent;
      if (cotangent === null) continue;
      node.cotangent = null;
      // Complete: nothing is added to it in place any more.
      cotangent.handle.summing = false;
      if (!node.needed) {
        release(cotangent);
        continue;
      }
      // A node at the boundary may get further gradients from outside this sweep.
      const end = node.serial <= floor;
      const g = end ? cotangent : runHooks(node, cotangent);
      if (wanted.has(node)) {
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
  return (targets ?? []).map((target) => wanted.get(target) ?? null);
}

/** Adds the gradient of an input in place to the one that it has so far, where the rule can. */
function addTo(node: OpNode, g: Tensor, i: number): boolean {
  const sum = node.inputs[i]!.cotangent;
  if (!sum?.handle.summing || sum.handle.kept || sum.type !== g.type) return false;
  const saved = (place: number): Tensor => node.unpack(place, false) as Tensor;
  return runRule(node, () => watchedSum(node, g, i, sum, () => node.row.rule.addTo!(sum, g, i, saved, node as never)));
}

/** Computes the gradients of a node's inputs from its own, and accumulates them there. */
function propagate(node: OpNode, g: Tensor, createGraph: boolean, retainGraph: boolean): void {
  const needs = node.inputs.map((input) => input?.needed === true);
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
      if (adds && gradient.handle !== g.handle) gradient.handle.summing = true;
      // A rule may return a saved value, which this node is about to release.
      accumulate(input, own(gradient));
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

const ones = new Map<DTypeRow, Tensor>();
/** The scalar 1, cached per dtype. It is marked as kept, so leaves copy it. */
function one(y: Tensor): Tensor {
  // While recording, the result has no elements, so it is not cached.
  if (recording()) return filled("backward", 1, y.type, []);
  let seed = ones.get(y.type);
  if (seed === undefined) {
    seed = filled("backward", 1, y.type, []);
    seed.handle.kept = true;
    outlive(seed.handle);
    ones.set(y.type, seed);
  }
  return seed;
}

/** @internal A gradient that the user may write to or dispose of: no borrowed storage, and not the cached scalar 1. */
export function forUser(g: Tensor): Tensor {
  if (g.handle !== ones.get(g.type)?.handle) return own(g);
  return new Tensor(filled("backward", 1, g.type, []).handle, g.type, g.shape, g.layout, g.offset, null);
}

/** Ones in the shape of a one-element result; any other needs a gradient from the caller. */
export function seed(op: string, y: Tensor, gradient: Tensor | null | undefined): Tensor {
  if (gradient === null || gradient === undefined) {
    if (y.numel !== 1)
      fail(
        "ERR_GRADIENT",
        op,
        "the result has more than one element",
        "a one-element result, or a gradient of its shape",
        showShape(y.shape),
      );
    return y.ndim === 0 && (y.node as Node).hooks === null ? one(y) : filled(op, 1, y.type, y.shape);
  }
  if (!sameShape(gradient.shape, y.shape))
    fail(
      "ERR_SHAPE",
      op,
      "the gradient's shape differs from the result's",
      showShape(y.shape),
      showShape(gradient.shape),
    );
  if (gradient.type !== y.type)
    fail("ERR_DTYPE", op, "the gradient's dtype differs from the result's", y.dtype, gradient.dtype);
  // The caller owns this tensor: it is neither released here nor stored in a leaf.
  gradient.handle.kept = true;
  return gradient;
}
