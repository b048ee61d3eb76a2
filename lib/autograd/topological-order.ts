/** The order in which backward and forward mode visit a graph. */
import { Batched } from "../engine/batched.js";
import { type Node, Visit } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";

let passes = 0;

/** Calls `use` with all nodes reachable from the roots in topological order; each has a new `visit` until it returns. */
export function withTopologicalOrder<T>(roots: readonly Node[], floor: number, use: (nodes: readonly Node[]) => T): T {
  const found = reachable(roots, floor);
  try {
    return use(sorted(found, floor));
  } finally {
    for (const node of found) node.visit = node.visit.outer;
  }
}

/** All nodes reachable from the roots, with the number of nodes that use each. The search ends at number `floor`. */
function reachable(roots: readonly Node[], floor: number): Node[] {
  const pass = ++passes;
  const stack: Node[] = [];
  const reach = (node: Node): void => {
    if (node.visit.pass === pass) return;
    node.visit = new Visit(pass, node.visit);
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
      input.visit.dependents++;
    }
  }
  return found;
}

/** The nodes in topological order: each after every node that uses it. Time is linear in the size of the graph. */
function sorted(found: readonly Node[], floor: number): Node[] {
  const order = found.filter((node) => node.visit.dependents === 0);
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!;
    if (node.serial <= floor) continue;
    for (const input of node.inputs) if (input !== null && --input.visit.dependents === 0) order.push(input);
  }
  return order;
}

/**
 * @internal Whether a tensor depends on a leaf (not counting variables of transforms that have ended) or on a node up to
 * number `floor`.
 */
export function reaches(x: Tensor, floor: number): boolean {
  if (x instanceof Batched && reaches(x.value, floor)) return true;
  if (x.node === null) return false;
  const found = new Set([x.node as Node]);
  for (const node of found) {
    if (node.leaf ? !node.closed : node.serial <= floor) return true;
    for (const input of node.inputs) if (input !== null) found.add(input);
  }
  return false;
}
