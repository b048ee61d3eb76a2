/** The Mermaid language, which GitHub and many editors render. */
import { linesOf, looks, type Picture, type PictureNode } from "./picture.js";

// Mermaid writes entities with # in place of &.
const entities: Readonly<Record<string, string>> = {
  '"': "quot",
  "#": "35",
  "&": "amp",
  "<": "lt",
  ">": "gt",
  "`": "96",
  "\\": "92",
};
const quoted = (lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/["#&<>`\\]/g, (sign) => `#${entities[sign]};`)).join("<br/>")}"`;

const brackets: Readonly<Record<PictureNode["kind"], readonly [string, string]>> = {
  op: ["[", "]"],
  leaf: ["([", "])"],
  constant: ["([", "])"],
  number: ["([", "])"],
};

export function toMermaid({ nodes, edges }: Picture): string {
  const kinds = [...new Set(nodes.map(({ kind }) => kind))];
  return [
    "flowchart LR",
    ...nodes.map((node) => `  ${node.id}${brackets[node.kind].join(quoted(linesOf(node)))}:::${node.kind}`),
    ...edges.map(({ from, to, derivative }) =>
      derivative === null ? `  ${from} --> ${to}` : `  ${from} -->|${quoted([derivative])}| ${to}`,
    ),
    ...kinds.map((kind) => `  classDef ${kind} fill:${looks[kind].fill},stroke:${looks[kind].line},color:#111111`),
    "",
  ].join("\n");
}
