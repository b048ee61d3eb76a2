/** `formula`: what a tensor was computed by, as an expression. */
import { checkOptions } from "../core/options.js";
import { withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { Packed } from "../engine/saved.js";
import type { Node } from "../engine/tape.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { type Expression, number, show, symbol } from "./algebra.js";
import { collect, type Item, keyOf } from "./collect.js";
import { look } from "./evaluate.js";
import { formatValue } from "./format.js";
import { type GraphOptions, readNames } from "./graph.js";
import { write } from "./notation.js";

export type FormulaOptions = Pick<GraphOptions, "names">;

/** A constant: a number if all elements are equal, its elements if they are few, else a letter. */
function constantOf({ constant, type, shape }: Item): Expression {
  if (typeof constant === "number") return number(constant);
  const value = constant instanceof Packed ? look(constant) : constant;
  if (value === null || (isTensor(value) && value.handle.slot < 0)) return symbol(`${type.name}[${shape.join(", ")}]`);
  const elements = value.toTypedArray();
  const first = Number(elements[0]);
  if (elements.length > 0 && elements.every((element) => Number(element) === first)) return number(first);
  return symbol(formatValue(value));
}

/** Names for unnamed leaves: x, or x1, x2, ... */
function namer(items: readonly Item[], names: ReadonlyMap<Node | string, string>): () => string {
  const open = items.filter(({ node }) => node?.leaf === true && !names.has(node));
  const taken = new Set(names.values());
  let at = 0;
  return () => {
    if (open.length === 1 && !taken.has("x")) return "x";
    do at++;
    while (taken.has(`x${at}`));
    return `x${at}`;
  };
}

/**
 * The expression that computed a tensor, simplified. It also works for a derivative, if the tensor that was
 * differentiated with respect to requires grad. Leaves are named by `names`, else x, or x1, x2, ...; constants are
 * written out; elementwise ops and broadcasting are written as for numbers, other ops as calls. A result in `names` is
 * shown by its name.
 * @throws ERR_ARGUMENT for a graph of more than 2,000 nodes, and for a formula that is too long to read.
 * @example
 * const v = scalar(3, { requiresGrad: true });
 * formula(grad((x: Tensor) => x.square().sin())(v)); // "2*x*cos(x^2)"
 */
export function formula(t: Tensor, options?: FormulaOptions): string {
  needTensor("formula", t);
  const { names } = checkOptions<FormulaOptions>("formula", options, ["names"]);
  const labels = readNames(names, "formula");
  const items = collect(t, 2000, "formula");
  const next = namer(items, labels);
  const found: Expression[] = [];
  withGrad(false, () => {
    for (const [i, item] of items.entries()) {
      const { node, constant, inputs } = item;
      const key = node ?? (constant === null || typeof constant === "number" ? "" : keyOf(constant));
      const name = i === items.length - 1 && node?.leaf === false ? undefined : labels.get(key);
      const xs = inputs.map((position) => found[position]!);
      if (name !== undefined) found.push(symbol(name));
      else if (node === null) found.push(constantOf(item));
      else if (node.leaf) found.push(symbol(next()));
      else found.push(write(node, xs));
    }
  });
  return show(found.at(-1)!);
}
