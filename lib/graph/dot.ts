/** The DOT language of Graphviz. */
import { linesOf, looks, type Picture } from "./picture.js";

const quoted = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/["\\]/g, "\\$&")).join("\\n")}"`;

export function toDot({ nodes, edges }: Picture): string {
  const kinds = [...new Set(nodes.map(({ kind }) => kind))];
  return [
    "digraph {",
    "  rankdir=LR;",
    '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=11];',
    '  edge [color="#666666", fontname="monospace", fontsize=10];',
    ...kinds.flatMap((kind) => [
      `  node [fillcolor="${looks[kind].fill}", color="${looks[kind].line}"];`,
      ...nodes.filter((node) => node.kind === kind).map((node) => `  ${node.id} [label=${quoted(linesOf(node))}];`),
    ]),
    ...edges.map(({ from, to, derivative }) => {
      const label = derivative === null ? "" : ` [label=${quoted([derivative])}]`;
      return `  ${from} -> ${to}${label};`;
    }),
    "}",
    "",
  ].join("\n");
}
