/** The nodes of a graph: every node that a tensor was computed from, once, inputs before their users. */
import type { DTypeRow } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import { Packed } from "../engine/saved.js";
import type { Node, OpNode } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";

/** One item to draw. */
export interface Item {
  /** Its node, or null for a constant. */
  readonly node: Node | null;
  /** The value of a constant; null if the graph has not kept it. */
  readonly constant: Tensor | Packed | number | null;
  readonly type: DTypeRow;
  readonly shape: Shape;
  /** Positions of its inputs among the items, in the order of the op's operands. */
  readonly inputs: readonly number[];
}

/** Identifies a constant: the same view of the same storage. */
export function keyOf(x: Tensor | Packed): string {
  const { slot, generation } = "handle" in x ? x.handle : x;
  return [slot, generation, x.offset, x.type.name, x.shape, x.layout ?? "row-major"].join(";");
}

interface Open {
  readonly node: Node;
  readonly inputs: number[];
}

/** The items of a tensor's graph, the tensor itself last. */
export function collect(root: Tensor, maxNodes: number, op: string): readonly Item[] {
  const { type, shape } = root;
  if (root.node === null) return [{ node: null, constant: root, type, shape, inputs: [] }];
  const items: Item[] = [];
  const positions = new Map<Node | string, number>();
  const add = (item: Item, key?: Node | string): number => {
    const position = items.push(item) - 1;
    if (key !== undefined) positions.set(key, position);
    return position;
  };
  const constantInput = (user: OpNode, place: number): number => {
    const saved = user.saved?.[place + 1] ?? null;
    const constant = typeof saved === "number" || saved instanceof Packed ? saved : null;
    const key = constant === null || typeof constant === "number" ? undefined : keyOf(constant);
    const known = key === undefined ? undefined : positions.get(key);
    if (known !== undefined) return known;
    return add(
      { node: null, constant, type: user.inputTypes[place]!, shape: user.inputShapes[place]!, inputs: [] },
      key,
    );
  };
  // Depth first without recursion. A tape has no cycles, so a node on the stack is never met again.
  const open: Open[] = [{ node: root.node as Node, inputs: [] }];
  while (open.length > 0) {
    if (items.length + open.length > maxNodes)
      fail(
        "ERR_ARGUMENT",
        op,
        `the graph is too large for ${op}`,
        `at most ${maxNodes} nodes${op === "graph" ? " (the option maxNodes)" : ""}`,
      );
    const { node, inputs } = open.at(-1)!;
    if (inputs.length === node.inputs.length) {
      open.pop();
      add({ node, constant: null, type: node.type, shape: node.shape, inputs }, node);
      continue;
    }
    const input = node.inputs[inputs.length]!;
    const position = input === null ? constantInput(node as OpNode, inputs.length) : positions.get(input);
    if (position !== undefined) inputs.push(position);
    else open.push({ node: input!, inputs: [] });
  }
  return items;
}
