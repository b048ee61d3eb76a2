/** SVG: dagre computes the layout, this file writes the rest. */
import { createRequire } from "node:module";
import { gradientColor, linesOf, looks, type Picture, type PictureNode } from "./picture.js";

type Dagre = typeof import("@dagrejs/dagre");
let loaded: Dagre | undefined;

/** Loaded on first use: most programs draw nothing. */
const dagre = (): Dagre => (loaded ??= createRequire(import.meta.url)("@dagrejs/dagre") as Dagre);

const fontSize = 12;
const lineHeight = 16;
const padding = 9;
const margin = 16;
/** The width of a character in common monospaced fonts, relative to the font size. */
const advance = 0.61;

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Text that XML allows: without control characters and unpaired surrogates. */
const escaped = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "\ufffd").replace(/[&<>"]/g, (sign) => entities[sign]!);

const textWidth = (text: string, size = fontSize): number => [...text].length * advance * size;
/** The baseline for text centered at y: renderers disagree about other baselines. */
const baseline = (y: number, size = fontSize): number => round(y + 0.35 * size);
const round = (x: number): number => Math.round(x * 10) / 10;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A smooth line: straight at both ends, a quadratic curve around each inner point. */
function curve(points: readonly Point[]): string {
  const at = ({ x, y }: Point): string => `${round(x)} ${round(y)}`;
  const path = [`M${at(points[0]!)}`];
  for (let i = 1; i + 1 < points.length; i++) {
    const [from, middle, to] = [points[i - 1]!, points[i]!, points[i + 1]!];
    const half = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    if (i === 1) path.push(`L${at(half(from, middle))}`);
    path.push(`Q${at(middle)} ${at(half(middle, to))}`);
  }
  path.push(`L${at(points.at(-1)!)}`);
  return path.join("");
}

function drawNode(node: PictureNode, x: number, y: number, width: number, height: number): string {
  const { fill, line } = looks[node.kind];
  const lines = linesOf(node);
  const top = y - ((lines.length - 1) * lineHeight) / 2;
  const radius = node.kind === "op" ? 4 : round(Math.min(height / 2, 14));
  const texts = lines.map((text, i) => {
    const style =
      i === 0
        ? ' font-weight="bold"'
        : node.gradient !== null && i === lines.length - 1
          ? ` fill="${gradientColor}"`
          : "";
    return `<text x="${round(x)}" y="${baseline(top + i * lineHeight)}"${style}>${escaped(text)}</text>`;
  });
  const box = `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${round(height)}" rx="${radius}" fill="${fill}" stroke="${line}"/>`;
  return `<g id="${node.id}">${box}${texts.join("")}</g>`;
}

function drawLabel(text: string, { x, y }: Point, width: number, height: number): string {
  const box = `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${round(height)}" fill="white"/>`;
  return `${box}<text x="${round(x)}" y="${baseline(y, fontSize - 1)}" font-size="${fontSize - 1}" fill="#555555">${escaped(text)}</text>`;
}

export function toSvg({ nodes, edges }: Picture): string {
  const { graphlib, layout } = dagre();
  const plan = new graphlib.Graph({ multigraph: true });
  plan.setGraph({ rankdir: "LR", nodesep: 22, ranksep: 34, edgesep: 12, marginx: margin, marginy: margin });
  for (const node of nodes) {
    const lines = linesOf(node);
    const width = Math.max(...lines.map((line) => textWidth(line))) + 2 * padding + 4;
    plan.setNode(node.id, { width, height: lines.length * lineHeight + padding });
  }
  edges.forEach(({ from, to, derivative }, i) => {
    const size =
      derivative === null
        ? { width: 0, height: 0 }
        : { width: textWidth(derivative, fontSize - 1) + 6, height: lineHeight };
    plan.setEdge(from, to, { ...size, labelpos: "c" }, String(i));
  });
  layout(plan);

  const { width = 0, height = 0 } = plan.graph();
  const placed = edges.map(({ from, to, derivative }, i) => {
    const { points, x, y, width, height } = plan.edge({ v: from, w: to, name: String(i) });
    return { derivative, points, x, y, width, height };
  });
  const lines = placed.map(({ points }) => `<path d="${curve(points)}" marker-end="url(#nabla-arrow)"/>`);
  const labels = placed.map((edge) =>
    edge.derivative === null ? "" : drawLabel(edge.derivative, edge, edge.width as number, edge.height as number),
  );
  const boxes = nodes.map((node) => {
    const { x, y, width, height } = plan.node(node.id);
    return drawNode(node, x, y, width, height);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" role="img" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontSize}" text-anchor="middle">`,
    "<title>Computational graph</title>",
    '<defs><marker id="nabla-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666666"/></marker></defs>',
    '<rect width="100%" height="100%" fill="white"/>',
    `<g fill="none" stroke="#666666">${lines.join("\n")}</g>`,
    ...labels.filter((label) => label !== ""),
    ...boxes,
    "</svg>",
    "",
  ].join("\n");
}
