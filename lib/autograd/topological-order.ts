/** The order in which backward and forward mode visit a graph. */
import { Batched } from "../engine/batched.js";
import type { Node } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";

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
