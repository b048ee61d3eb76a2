/** Forward mode: carries tangents up a recorded graph, from variables to a result. */

import { fail } from "../core/errors.js";
import { sameShape } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import type { Rule } from "../engine/rule.js";
import { own } from "../engine/saved.js";
import type { Node, OpNode } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";
import { walking } from "./backward.js";
import { savedTensors, timesPartial } from "./vjp.js";

/** The tangent of a node's output, given those of its inputs (null where zero). */
function jvpOf(node: OpNode, tangents: readonly (Tensor | null)[], linked: boolean): Tensor {
  const rule = node.row.rule as Rule<unknown>;
  const replay = node.row.replay as (inputs: readonly Tensor[], params: unknown) => Tensor;
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
      return replay([tangents[0]!], node.params);
    case "bilinear": {
      const [tx, ty] = tangents;
      const left = tx ? replay([tx, node.unpack(2, linked) as Tensor], node.params) : null;
      return ty ? add(left, replay([node.unpack(1, linked) as Tensor, ty], node.params)) : left!;
    }
    case "general":
      return rule.jvp(tangents, savedTensors(node, rule.saves, linked), node);
    default:
      return fail("ERR_GRADIENT", node.row.name, `has no derivative: ${rule.reason}`);
  }
}

/**
 * The derivative of `value` along the tangents of the start nodes, or null where it does not depend on them. With
 * `linked` the result can be differentiated again.
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
  starts.forEach((node, i) => {
    if (node === null) return;
    known.set(node, tangents[i]!);
    oldest = Math.min(oldest, node.serial);
  });
  const floor = ends ?? oldest - 1;
  return walking([value.node as Node], floor, (nodes) =>
    withGrad(linked, () => {
      for (let i = nodes.length - 1; i >= 0; i--) {
        const node = nodes[i]!;
        if (node.leaf || node.serial <= floor || known.has(node)) continue;
        const incoming = node.inputs.map((input) => (input === null ? null : (known.get(input) ?? null)));
        if (incoming.some((t) => t !== null)) known.set(node, own(jvpOf(node, incoming, linked)));
      }
      return known.get(value.node as Node) ?? null;
    }),
  );
}
