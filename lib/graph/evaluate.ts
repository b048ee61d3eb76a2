/** Values and derivatives of a graph, recomputed from its leaves and constants, also after backward has freed it. */

import { gradientsOf, sweep } from "../autograd/backward.js";
import { NablaError } from "../core/errors.js";
import { numel } from "../core/shape.js";
import { makeLeaf } from "../engine/leaf.js";
import { leavingResiduals, withGrad } from "../engine/modes.js";
import type { Operand } from "../engine/row.js";
import { Packed } from "../engine/saved.js";
import type { Node, OpNode } from "../engine/tape.js";
import { filled } from "../tensor/allocate.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import type { Item } from "./collect.js";

/** A value, or null if it cannot be computed because a constant was not kept. */
export type Known = Operand | null;

const replay = (node: OpNode, inputs: readonly Operand[]): Tensor =>
  (node.row.replay as (inputs: readonly Operand[], params: unknown) => Tensor)(inputs, node.params);

const alive = (x: Tensor): Tensor | null => (x.handle.slot < 0 ? null : x.detach());

/** The current content of a storage, even if it has been modified since it was saved. */
export function look(packed: Packed): Tensor {
  const x = packed.borrow(null);
  x.handle.version = -1;
  return x;
}

/** The value of every item for the current values of the leaves. */
export function valuesOf(items: readonly Item[], root: Tensor): Known[] {
  // Before backward, saved operands may include values that cannot be recomputed.
  const kept = new Map<Node, Packed>();
  for (const { node } of items) {
    if (node === null || node.leaf) continue;
    node.saved?.forEach((value, place) => {
      const owner = place === 0 ? node : (node.inputs[place - 1] ?? null);
      if (owner !== null && value instanceof Packed) kept.set(owner, value);
    });
  }
  const values: Known[] = [];
  const valueFor = ({ node, constant, inputs }: Item): Known => {
    if (node === null)
      return constant instanceof Packed ? look(constant) : isTensor(constant) ? alive(constant) : constant;
    if (node.leaf) return alive(node.tensor);
    const operands = inputs.map((position) => values[position] as Known);
    if (!operands.includes(null) && node.row.opaque !== true) return replay(node, operands as Operand[]);
    if (node === root.node) return alive(root);
    const packed = kept.get(node);
    return packed === undefined ? null : look(packed);
  };
  withGrad(false, () => {
    for (const item of items) values.push(valueFor(item));
  });
  return values;
}

/** Maps the gradient of an op's output to those of its inputs: null is zero, undefined unknown. */
export type Pull = (g: Tensor) => readonly (Tensor | null | undefined)[];

/** Marks a gradient as kept, so that backward does not free it: it is used again. */
const keep = (g: Tensor): void => {
  g.handle.kept = true;
};

/** The derivative of one op, at the given values of its inputs. */
export function pullOf(node: OpNode, operands: readonly Known[]): Pull {
  const needs = node.inputs.map((input) => input !== null);
  if (!operands.includes(null) && node.row.opaque !== true) {
    const variables = (operands as Operand[]).map((x, i) => (needs[i] ? makeLeaf((x as Tensor).detach()) : x));
    const out = withGrad(true, () => replay(node, variables));
    const targets = variables.filter((_, i) => needs[i]).map((x) => (x as Tensor).node as Node);
    return (g) => {
      keep(g);
      const found = sweep([out.node as Node], [g], { targets, createGraph: false, retainGraph: true });
      return needs.map((need) => (need ? found.shift()! : null));
    };
  }
  const unknown = needs.map(() => undefined);
  return (g) => {
    keep(g);
    try {
      return leavingResiduals(() => withGrad(false, () => gradientsOf(node, g, needs, false)));
    } catch (error) {
      // The rule needs a value that backward has freed.
      if (error instanceof NablaError) return unknown;
      throw error;
    }
  };
}

const onesFor = ({ type, shape }: Item): Tensor => filled("graph", 1, type, shape);

/**
 * For each item and input the derivative of the item with respect to the input, if both have one element; else null.
 */
export function localsOf(items: readonly Item[], pulls: readonly (Pull | null)[]): (number | null)[][] {
  const single = (item: Item): boolean => numel(item.shape) === 1;
  return items.map((item, i) => {
    const wanted = item.inputs.map((position) => items[position]!.node !== null && single(items[position]!));
    const pull = pulls[i] ?? null;
    if (pull === null || !single(item) || !wanted.includes(true)) return wanted.map(() => null);
    const pulled = pull(onesFor(item));
    return wanted.map((want, k) => {
      const derivative = pulled[k];
      return !want || derivative === undefined ? null : (derivative?.item() ?? 0);
    });
  });
}

/** The derivative of the last item with respect to every item; null where it is zero or unknown. */
export function cotangentsOf(items: readonly Item[], pulls: readonly (Pull | null)[]): (Tensor | null)[] {
  const gradients = items.map((): Tensor | null => null);
  const lost = items.map(() => false);
  const last = items.length - 1;
  gradients[last] = onesFor(items[last]!);
  for (let i = last; i >= 0; i--) {
    const item = items[i]!;
    const g = gradients[i] ?? null;
    const pull = pulls[i] ?? null;
    if (pull === null || (g === null && !lost[i])) continue;
    const pulled = lost[i] ? item.inputs.map(() => undefined) : pull(g!);
    item.inputs.forEach((position, k) => {
      const more = pulled[k];
      if (more === undefined) lost[position] = true;
      else if (more !== null) gradients[position] = gradients[position]?.add(more) ?? more;
    });
  }
  return items.map((item, i) => {
    if (item.node === null || lost[i]) return null;
    return gradients[i] ?? filled("graph", 0, item.type, item.shape);
  });
}
