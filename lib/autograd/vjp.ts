/** The vector-Jacobian product of one node, by the kind of its rule. */
import { fail } from "../core/errors.js";
import { sameShape } from "../core/shape.js";
import { inCompute } from "../engine/apply.js";
import { isBatched } from "../engine/batched.js";
import { withGrad } from "../engine/modes.js";
import type { Gradients, Operand, Partial, Rule } from "../engine/rule.js";
import type { OpNode } from "../engine/tape.js";
import { filled } from "../tensor/allocate.js";
import type { Tensor } from "../tensor/tensor.js";
import { recordAs } from "./recomputed.js";

/** t times the partial derivative, given the saved values that it needs. */
export function timesPartial(p: Partial, t: Tensor, node: OpNode, linked: boolean): Tensor {
  const { order } = p;
  const value = (k: number): Operand => {
    const place = order[k]!;
    const saved = node.unpack(place, linked);
    if (typeof saved !== "number") return saved.type.half && !node.type.half ? saved.to(node.type.name) : saved;
    return p.numbers ? saved : filled(node.row.name, saved, node.inputTypes[place - 1]!, []);
  };
  switch (order.length) {
    case 0:
      return p.times(t);
    case 1:
      return p.times(t, value(0));
    case 2:
      return p.times(t, value(0), value(1));
    default:
      return p.times(t, ...order.map((_, k) => value(k)));
  }
}

/** The tensors that a general rule has saved, in the order in which it names them. */
export function savedTensors(node: OpNode, order: readonly number[], linked: boolean): Tensor[] {
  const saved: Tensor[] = [];
  for (const place of order) if (place <= node.inputs.length) saved.push(node.unpack(place, linked) as Tensor);
  return saved;
}

/** g as the gradient of input `i`: summed over broadcast dimensions, in the input's dtype. */
function fitted(g: Tensor, node: OpNode, i: number): Tensor {
  const shape = node.inputShapes[i]!;
  const type = node.inputTypes[i]!;
  const summed = sameShape(g.shape, shape) ? g : g.sumToSize(shape);
  return summed.type === type ? summed : summed.to(type.name);
}

type General = Extract<Rule<unknown>, { kind: "general" }>;

/** Whether the rule's ops are written for float32, while the node's kernel reads half precision. */
const seesFloat32 = ({ row, inputTypes }: OpNode): boolean =>
  (row.halves === true || row.reads !== undefined) && inputTypes.some((type) => type.half);
const widened = (x: Tensor): Tensor => inCompute(x) as Tensor;

/** Gradients by the ops of a rule. */
function byOps(rule: General, g: Tensor, saved: readonly Tensor[], node: OpNode, needs: readonly boolean[]): Gradients {
  const gradients = seesFloat32(node)
    ? rule.vjp(widened(g), saved.map(widened), node, needs)
    : rule.vjp(g, saved, node, needs);
  return gradients.map((gradient, i) => (gradient === null || !needs[i] ? null : fitted(gradient, node, i)));
}

/** The tangent by the ops of a rule. */
export function tangentByOps(
  rule: General,
  tangents: readonly (Tensor | null)[],
  node: OpNode,
  linked: boolean,
): Tensor {
  const saved = savedTensors(node, rule.order, linked);
  if (!seesFloat32(node)) return rule.jvp(tangents, saved, node);
  const wide = tangents.map((t) => t && widened(t));
  return rule.jvp(wide, saved.map(widened), node).to(node.type.name);
}

/** Gradients by a fused kernel, each recorded as the result of equivalent ordinary ops. */
function fusedAndLinked(
  rule: General,
  g: Tensor,
  saved: readonly Tensor[],
  node: OpNode,
  needs: readonly boolean[],
): Gradients | null {
  const { name } = node.row;
  const fused = withGrad(false, () => rule.fused!(g, saved, node, needs));
  if (fused === null) return null;
  return fused.map((gradient, i) => {
    if (gradient === null || !needs[i]) return null;
    const only = needs.map((_, k) => k === i);
    return recordAs(
      `${name}Backward`,
      gradient,
      [g, ...saved],
      ([g, ...saved]) => byOps(rule, g!, saved, node, only)[i]!,
    );
  });
}

/**
 * The gradients of a node's inputs, given that of its output; null where not needed or zero. With `linked` the rule's
 * own ops are recorded, so that the result can be differentiated again.
 */
export function vjpOf(node: OpNode, g: Tensor, needs: readonly boolean[], linked: boolean): Gradients {
  const rule = node.row.rule;
  switch (rule.kind) {
    case "elementwise":
      return rule.partials.map((p, i) =>
        needs[i] && p !== null ? fitted(timesPartial(p, g, node, linked), node, i) : null,
      );
    case "linear":
      return [fitted(rule.transpose(g, node), node, 0)];
    case "bilinear":
      return [
        needs[0] ? fitted(rule.left(g, node.unpack(2, linked) as Tensor, node), node, 0) : null,
        needs[1] ? fitted(rule.right(g, node.unpack(1, linked) as Tensor, node), node, 1) : null,
      ];
    case "general": {
      const saved = savedTensors(node, rule.order, linked);
      if (rule.fused !== undefined && !isBatched([g, ...saved])) {
        const fused = linked ? fusedAndLinked(rule, g, saved, node, needs) : rule.fused(g, saved, node, needs);
        if (fused !== null) return fused.map((gradient, i) => (needs[i] ? gradient : null));
      }
      return byOps(rule, g, saved, node, needs);
    }
    case "recomputed":
      return fail("ERR_GRADIENT", node.row.name, "is differentiated by the graph of its ops");
    default:
      return fail("ERR_GRADIENT", node.row.name, `has no derivative: ${rule.reason}`);
  }
}
