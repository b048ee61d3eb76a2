import { needInteger, refuse } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { numel, showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import type { Node } from "../engine/tape.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { collect, type Item, keyOf } from "./collect.js";
import { toDot } from "./dot.js";
import { cotangentsOf, type Known, localsOf, pullOf, valuesOf } from "./evaluate.js";
import { formatNumber, formatType, formatValue } from "./format.js";
import { toMermaid } from "./mermaid.js";
import type { Picture, PictureEdge, PictureNode } from "./picture.js";
import { toSvg } from "./svg.js";

export interface GraphOptions {
  /**
   * Whether to show the derivative of the result with respect to every node; needs a one-element result. Default false.
   */
  readonly gradients?: boolean | undefined;
  /** Names of tensors: `{ a, x, b }`, or a map from tensors to names. Results of ops can be named too. */
  readonly names?: Readonly<Record<string, Tensor>> | ReadonlyMap<Tensor, string> | undefined;
  /** The maximum number of nodes; a larger graph is an error. Default 2,000. */
  readonly maxNodes?: number | undefined;
}

/** A computational graph with its values as they were when {@link graph} was called. */
export class Graph implements Picture {
  /** The nodes, inputs before their users. */
  readonly nodes: readonly PictureNode[];
  /** The edges, from inputs to ops. */
  readonly edges: readonly PictureEdge[];

  /** @internal Use {@link graph}. */
  constructor({ nodes, edges }: Picture) {
    this.nodes = nodes;
    this.edges = edges;
  }
  /** The graph in the DOT language of Graphviz. */
  toDot(): string {
    return toDot(this);
  }
  /** The graph in the Mermaid language, which GitHub and many editors draw in Markdown. */
  toMermaid(): string {
    return toMermaid(this);
  }
  /** The graph as a self-contained SVG: no external fonts, styles or scripts. */
  toSvg(): string {
    return toSvg(this);
  }
}

const longestName = 40;

/** Names by node, and by key for constants. */
export function readNames(names: GraphOptions["names"], op: string): Map<Node | string, string> {
  const found = new Map<Node | string, string>();
  if (names === undefined) return found;
  if (typeof names !== "object" || names === null || isTensor(names) || Array.isArray(names))
    fail("ERR_ARGUMENT", op, "names must map names to tensors", "{ a, x, b } or a Map from tensors", describe(names));
  const pairs = names instanceof Map ? [...names] : Object.entries(names).map(([name, x]) => [x, name] as const);
  for (const [x, name] of pairs) {
    needTensor(op, x, "what a name stands for");
    if (typeof name !== "string") refuse(op, "a name", "a string", name);
    const line = name.replace(/\s+/g, " ");
    found.set((x.node as Node | null) ?? keyOf(x), line.length > longestName ? `${line.slice(0, longestName)}…` : line);
  }
  return found;
}

const kindOf = ({ node, constant }: Item): PictureNode["kind"] =>
  node !== null ? (node.leaf ? "leaf" : "op") : typeof constant === "number" ? "number" : "constant";

function labelOf(item: Item, names: ReadonlyMap<Node | string, string>): string {
  const { node, constant } = item;
  if (typeof constant === "number") return formatNumber(constant);
  const name = names.get(node ?? (constant === null ? "" : keyOf(constant)));
  if (node === null || node.leaf) return name ?? (node === null ? "constant" : "variable");
  return name === undefined ? node.row.name : `${name} = ${node.row.name}`;
}

function valueText({ type, shape }: Item, value: Known): string | null {
  if (typeof value === "number") return null;
  return value === null ? formatType(type.name, shape) : formatValue(value);
}

/**
 * The computational graph of a tensor, for drawing: a node for each op, leaf, constant and number, with its value (for
 * larger tensors dtype and shape); on the edges the local derivatives, where they are scalar; with `gradients` the
 * derivative of the result with respect to each node.
 *
 * Values are recomputed from the current leaves, so it also works after backward, and no `grad` changes. For constants
 * with more than 64 elements that the graph has not kept, and what depends on them, only dtype and shape are known.
 * @throws ERR_ARGUMENT for a graph of more than `maxNodes` nodes; ERR_GRADIENT if gradients are asked for of a tensor
 * that has several elements or does not require grad.
 * @example
 * const a = scalar(2, { requiresGrad: true });
 * const x = scalar(3);
 * graph(a.mul(x), { gradients: true, names: { a, x } }).toMermaid();
 */
export function graph(t: Tensor, options?: GraphOptions): Graph {
  needTensor("graph", t);
  const {
    gradients = false,
    names,
    maxNodes = 2000,
  } = checkOptions<GraphOptions>("graph", options, ["names", "maxNodes"], ["gradients"]);
  needInteger("graph", "maxNodes", maxNodes, 1);
  if (gradients && t.node === null) fail("ERR_GRADIENT", "graph", "the tensor does not require grad");
  if (gradients && numel(t.shape) !== 1)
    fail(
      "ERR_GRADIENT",
      "graph",
      "gradients are those of one number",
      "a result of one element",
      `shape ${showShape(t.shape)}`,
    );
  const labels = readNames(names, "graph");
  const items = collect(t, maxNodes, "graph");
  const values = valuesOf(items, t);
  const pulls = items.map(({ node, inputs }) =>
    node === null || node.leaf
      ? null
      : pullOf(
          node,
          inputs.map((position) => values[position] as Known),
        ),
  );
  const locals = localsOf(items, pulls);
  const cotangents = gradients ? cotangentsOf(items, pulls) : [];
  const nodes = items.map((item, i): PictureNode => {
    const cotangent = cotangents[i] ?? null;
    return {
      id: `n${i}`,
      kind: kindOf(item),
      label: labelOf(item, labels),
      value: valueText(item, values[i] as Known),
      gradient: cotangent === null ? null : formatValue(cotangent),
    };
  });
  const edges = items.flatMap(({ inputs }, i) =>
    inputs.map((position, k): PictureEdge => {
      const local = locals[i]?.[k] ?? null;
      return { from: `n${position}`, to: `n${i}`, derivative: local === null ? null : formatNumber(local) };
    }),
  );
  return new Graph({ nodes, edges });
}
