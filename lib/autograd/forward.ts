/** Forward mode: propagates tangents through a recorded graph, from variables to a result. */

import { fail } from "../core/errors.js";
import { sameShape } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import { own } from "../engine/saved.js";
import { type Node, newestNode, type OpNode } from "../engine/tape.js";
import { filled } from "../tensor/allocate.js";
import type { Tensor } from "../tensor/tensor.js";
import { release } from "./accumulate.js";
import { withTopologicalOrder } from "./topological-order.js";
import { tangentByOps, timesPartial } from "./vjp.js";

/** The tangent of a node's output, given those of its inputs (null where zero). */
function jvpOf(node: OpNode, tangents: readonly (Tensor | null)[], linked: boolean): Tensor {
  const rule = node.row.rule;
  const add = (a: Tensor | null, b: Tensor): Tensor => (a === null ? b : a.add(b));
  switch (rule.kind) {
    case "elementwise": {
      let out: Tensor | null = null;
      rule.partials.forEach((p, i) => {
        const t = tangents[i] ?? null;
        if (t !== null && p !== null) out = add(out, timesPartial(p, t.to(node.type.name), node, linked));
      });
      const sum: Tensor = out ?? (tangents.find((t) => t !== null)!.mul(0) as Tensor).to(node.type.name);
      return sameShape(sum.shape, node.shape) ? sum : sum.expand(node.shape);
    }
    case "linear":
      return node.row.replay([tangents[0]!.to(node.type.name)], node.params);
    case "bilinear": {
      const [tx, ty] = tangents;
      const left = tx ? node.row.replay([tx, node.unpack(2, linked) as Tensor], node.params) : null;
      return ty ? add(left, node.row.replay([node.unpack(1, linked) as Tensor, ty], node.params)) : left!;
    }
    case "recomputed": {
      const floor = newestNode();
      const starts = node.inputs.map((input, i) => (tangents[i] ? input : null));
      const t = pushForward(rule.run(node), starts, tangents as readonly Tensor[], linked, floor);
      return t ?? filled(node.row.name, 0, node.type, node.shape);
    }
    case "general":
      return tangentByOps(rule, tangents, node, linked);
    default:
      return fail("ERR_GRADIENT", node.row.name, `has no derivative: ${rule.reason}`);
  }
}

/**
 * The derivative of `value` along the tangents of the start nodes, or null where it does not depend on them. With
 * `linked` the result can be differentiated again; without, the graph is freed, and so is each tangent's storage as
 * soon as no node needs it.
 */
export function pushForward(
  value: Tensor,
  starts: readonly (Node | null)[],
  tangents: readonly Tensor[],
  linked: boolean,
  ends?: number,
): Tensor | null {
  if (value.node === null) return null;
  const known = new Map<Node, Tensor>();
  let oldest = Number.POSITIVE_INFINITY;
  const learn = (node: Node, t: Tensor): void => {
    t.handle.holders++;
    known.set(node, t);
  };
  starts.forEach((node, i) => {
    if (node === null) return;
    const t = tangents[i]!;
    t.handle.kept = true; // the caller's own
    learn(node, t);
    oldest = Math.min(oldest, node.serial);
  });
  const root = value.node as Node;
  const floor = ends ?? oldest - 1;
  const open = (node: Node): node is OpNode => !node.leaf && node.serial > floor;
  return withTopologicalOrder([root], floor, (nodes) =>
    withGrad(linked, () => {
      for (const node of nodes)
        if (open(node)) for (const input of node.inputs) if (input !== null) input.visit.dependents++;
      for (let i = nodes.length - 1; i >= 0; i--) {
        const node = nodes[i]!;
        if (!open(node)) continue;
        const incoming = node.inputs.map((input) => (input === null ? null : (known.get(input) ?? null)));
        if (!known.has(node) && incoming.some((t) => t !== null)) {
          learn(node, own(jvpOf(node, incoming, linked)));
          if (!linked) node.release();
        }
        for (const input of node.inputs) {
          if (input === null || --input.visit.dependents > 0 || input === root) continue;
          const t = known.get(input);
          if (t === undefined) continue;
          known.delete(input);
          if (linked) t.handle.holders--;
          else release(t);
        }
      }
      const result = known.get(root) ?? null;
      for (const t of known.values()) t.handle.holders--;
      return result;
    }),
  );
}
