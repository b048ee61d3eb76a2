/** How ops are written in a formula, if not as calls by name. */
import { numel, type Shape, sameShape } from "../core/shape.js";
import { table } from "../engine/row.js";
import type { OpNode } from "../engine/tape.js";
import {
  add,
  call,
  condition,
  type Expression,
  indexed,
  knownValue,
  multiply,
  number,
  power,
  powerOf,
  show,
} from "./algebra.js";
import { formatNumber } from "./format.js";

const minus = (x: Expression): Expression => multiply(number(-1), x);
const same = ([x]: readonly Expression[]): Expression => x!;
const complement = (x: Expression): Expression => add(number(1), minus(x));
/** A call without parameters. */
const named = (name: string, xs: readonly Expression[]): Expression => call(name, xs.map(show));

/** The shape without leading dimensions of size 1, which broadcasting adds anyway. */
const essential = (shape: Shape): Shape => shape.slice(shape.findIndex((size) => size !== 1));

/** A slice of one dimension, in the syntax of `at`. */
interface Piece {
  readonly dim: number;
  readonly start: number;
  readonly length: number;
  readonly step: number;
}
function range({ dim, start, length, step }: Piece): string {
  const end = start + length * step;
  const text = step === 1 ? `${start}:${end}` : `${start}:${end < 0 ? "" : end}:${step}`;
  return [...new Array<string>(dim).fill(":"), text].join(", ");
}
const pieceOf = (node: OpNode): Piece => node.params as Piece;

function sliced([x]: readonly Expression[], node: OpNode): Expression {
  const piece = pieceOf(node);
  const size = node.inputShapes[0]![piece.dim]!;
  if (piece.length === size) {
    if (piece.step === 1) return x!;
    return call("flip", [show(x!), String(piece.dim)]);
  }
  return indexed(x!, range(piece));
}

/** Options that are not shown: shown elsewhere, implied by shapes, defaults, or without effect on the result. */
const unsaid = new Set(["dim", "dims", "keepdim", "image", "shape", "centred", "add", "averaged"]);
const usual: Readonly<Record<string, string>> = {
  stride: "1,1",
  padding: "0,0",
  dilation: "1,1",
  groups: "1",
  divisor: "1",
  ignored: "-100",
};

/** The parameters of a call; two calls have the same text only if they are the same. */
function details({ params, inputShapes, row }: OpNode): string[] {
  const given: unknown = params;
  if (given === undefined || given === null) return [];
  if (typeof given !== "object" || Array.isArray(given)) return [text(given)];
  const { dim, dims } = given as { dim?: unknown; dims?: unknown };
  const rank = inputShapes[0]?.length ?? 0;
  const where = typeof dim === "number" && rank > 1 ? [String(dim)] : [];
  if (Array.isArray(dims) && dims.length < rank) where.push(text(dims));
  const rest = Object.entries(given).filter(
    ([name, value]) =>
      !unsaid.has(name) &&
      value !== false &&
      String(value) !== usual[name] &&
      !(name === "window" && row.rule.kind === "bilinear"),
  );
  return rest.length === 0
    ? where
    : [...where, `{${rest.map(([name, value]) => `${name}: ${text(value)}`).join(", ")}}`];
}
const text = (value: unknown): string =>
  typeof value === "number"
    ? formatNumber(value)
    : Array.isArray(value)
      ? `[${value.map(text).join(", ")}]`
      : String(value);

const called = (name: string, xs: readonly Expression[], node: OpNode): Expression =>
  call(name, [...xs.map(show), ...details(node)]);
/** A norm over rows by its public name. */
const norm =
  (suffix: string) =>
  (xs: readonly Expression[], node: OpNode): Expression =>
    called(`${(node.params as { centred: boolean }).centred ? "layerNorm" : "rmsNorm"}${suffix}`, xs, node);

const identity = (n: number): string => {
  const rows = Array.from({ length: n }, (_, i) => text(Array.from({ length: n }, (__, j) => Number(i === j))));
  return n === 1 ? "1" : `[${rows.join(", ")}]`;
};

const written: Readonly<Record<string, (xs: readonly Expression[], node: OpNode) => Expression>> = {
  alias: same,
  clone: same,
  contiguous: same,
  to: same,
  // Broadcasting is not shown.
  expand: same,
  reshape: ([x], node) =>
    numel(node.shape) === 1 || sameShape(essential(node.shape), essential(node.inputShapes[0]!))
      ? x!
      : call("reshape", [show(x!), `[${node.shape.join(", ")}]`]),
  slice: sliced,
  embed: ([x], node) => call("embed", [show(x!), range(pieceOf(node))]),
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
    const { dims } = node.params as { dims: readonly number[] };
    const rank = node.inputShapes[0]!.length;
    if (numel(node.inputShapes[0]!) === 1) return x!;
    return dims.length === rank ? named("sum", [x!]) : call("sum", [show(x!), `[${dims.join(", ")}]`]);
  },
  permute: ([x], node) => {
    if (node.shape.length === 2) return named("transpose", [x!]);
    return call("permute", [show(x!), `[${(node.params as readonly number[]).join(", ")}]`]);
  },
  where: ([condition, a, b]) => {
    if (show(a!) === show(b!)) return a!;
    const known = knownValue(condition!);
    return known === null ? named("where", [condition!, a!, b!]) : known === 0 ? b! : a!;
  },
  scatter: (xs, node) => {
    const { add } = node.params as { add: boolean };
    return called(add ? "scatterAdd" : "scatter", xs, node);
  },
  standardize: norm(""),
  standardizeBackward: norm("Backward"),
  solve: ([a, b], node) => {
    const { length, [length - 1]: n } = node.inputShapes[0]!;
    return show(b!) === identity(n!) ? named("inv", [a!]) : named("solve", [a!, b!]);
  },
  // Derivative kernels, written as formulas.
  sigmoidBackward: ([t, y]) => multiply(multiply(t!, y!), complement(y!)),
  tanhBackward: ([t, y]) => multiply(t!, complement(power(y!, 2))),
  reluBackward: ([t, y]) => multiply(t!, condition(`${show(y!)} > 0`)),
  softplusBackward: ([t, x]) => multiply(t!, named("sigmoid", [x!])),
};

/** The result for inputs that are constant everywhere. */
function constantResult({ row }: OpNode, xs: readonly Expression[]): Expression | null {
  const values = xs.map(knownValue);
  const { kind } = row.rule;
  if (kind === "linear" && row.kernel === null && values[0] !== null) return number(values[0]!);
  if ((kind === "linear" || kind === "bilinear") && values.includes(0)) return number(0);
  return null;
}

/** @internal The expression of a node, given those of its inputs. A user's function may have the name of an op. */
export function write(node: OpNode, xs: readonly Expression[]): Expression {
  const { row } = node;
  if (table.get(row.name) !== row) return named(row.name, xs);
  return constantResult(node, xs) ?? written[row.name]?.(xs, node) ?? called(row.name, xs, node);
}
