/** `formula`: what a tensor was computed by, as an expression. */
import { checkOptions } from "../core/options.js";
import { numel } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { table } from "../engine/row.js";
import { Packed } from "../engine/saved.js";
import type { Node, OpNode } from "../engine/tape.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import {
  add,
  call,
  condition,
  type Expression,
  knownValue,
  multiply,
  number,
  power,
  powerOf,
  show,
  symbol,
} from "./algebra.js";
import { collect, type Item, keyOf } from "./collect.js";
import { look } from "./evaluate.js";
import { formatValue } from "./format.js";
import { type GraphOptions, readNames } from "./graph.js";

export type FormulaOptions = Pick<GraphOptions, "names">;

const minus = (x: Expression): Expression => multiply(number(-1), x);
const same = ([x]: readonly Expression[]): Expression => x!;
const complement = (x: Expression): Expression => add(number(1), minus(x));

/** Ops that are written otherwise than as a call of their name. */
const written: Readonly<Record<string, (xs: readonly Expression[], node: OpNode) => Expression>> = {
  alias: same,
  clone: same,
  contiguous: same,
  to: same,
  // Broadcasting goes without saying.
  expand: same,
  reshape: ([x], node) => (numel(node.shape) === 1 ? x! : named("reshape", [x!])),
  add: ([a, b]) => add(a!, b!),
  sub: ([a, b]) => add(a!, minus(b!)),
  mul: ([a, b]) => multiply(a!, b!),
  div: ([a, b]) => multiply(a!, power(b!, -1)),
  neg: ([x]) => minus(x!),
  square: ([x]) => power(x!, 2),
  sqrt: ([x]) => power(x!, 0.5),
  rsqrt: ([x]) => power(x!, -0.5),
  reciprocal: ([x]) => power(x!, -1),
  pow: ([x, y]) => {
    const exponent = knownValue(y!);
    return exponent === null ? powerOf(x!, y!) : power(x!, exponent);
  },
  sum: ([x], node) => {
    const { dims } = node.params as unknown as { dims: readonly number[] };
    const rank = node.inputShapes[0]!.length;
    if (numel(node.inputShapes[0]!) === 1) return x!;
    return dims.length === rank ? named("sum", [x!]) : call("sum", [show(x!), `[${dims.join(", ")}]`]);
  },
  permute: ([x], node) => named(node.shape.length === 2 ? "transpose" : "permute", [x!]),
  where: ([condition, a, b]) => {
    const known = knownValue(condition!);
    return known === null ? named("where", [condition!, a!, b!]) : known === 0 ? b! : a!;
  },
  // Derivative kernels, as the mathematics that they stand for.
  sigmoidBackward: ([t, y]) => multiply(multiply(t!, y!), complement(y!)),
  tanhBackward: ([t, y]) => multiply(t!, complement(power(y!, 2))),
  reluBackward: ([t, y]) => multiply(t!, condition(`${show(y!)} > 0`)),
  softplusBackward: ([t, x]) => multiply(t!, named("sigmoid", [x!])),
};

/** A user's function may have the name of an op. */
const writtenAs = ({ row }: OpNode) => (table.get(row.name) === row ? written[row.name] : undefined);

const named = (name: string, xs: readonly Expression[]): Expression => call(name, xs.map(show));

/** A constant: a number where all elements are one, its elements where they are few, else a letter. */
function constantOf({ constant, type, shape }: Item): Expression {
  if (typeof constant === "number") return number(constant);
  const value = constant instanceof Packed ? look(constant) : constant;
  if (value === null || (isTensor(value) && value.handle.slot < 0)) return symbol(`${type.name}[${shape.join(", ")}]`);
  const elements = value.toTypedArray();
  const first = Number(elements[0]);
  if (elements.length > 0 && elements.every((element) => Number(element) === first)) return number(first);
  return symbol(formatValue(value));
}

/** Names for leaves that have none: x, or x1, x2, ... */
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
 * The expression that a tensor was computed by, simplified: of a derivative too, if the point that it was taken at requires
 * grad. Leaves are called as `names` says, else x, or x1, x2, ...; constants are written out; elementwise ops and
 * broadcasting read as those of numbers, other ops as calls. A result of an op that has a name ends the expression.
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
      else found.push(writtenAs(node)?.(xs, node) ?? named(node.row.name, xs));
    }
  });
  return show(found.at(-1)!);
}
