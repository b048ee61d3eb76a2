/** The content of a picture, independent of the format. */
export interface PictureNode {
  /** Identifies the node in edges. */
  readonly id: string;
  /** An op, a tensor that requires grad, one that does not, or a number. */
  readonly kind: "op" | "leaf" | "constant" | "number";
  /** The op's name, or the user's. */
  readonly label: string;
  /** The value, or dtype and shape if it is large or unknown; null for a number, whose label it is. */
  readonly value: string | null;
  /** The derivative of the result with respect to this node; null unless it was requested and is known. */
  readonly gradient: string | null;
}

export interface PictureEdge {
  /** The `id` of the input. */
  readonly from: string;
  /** The `id` of the op. */
  readonly to: string;
  /** The derivative of the op with respect to this input; null unless both have one element. */
  readonly derivative: string | null;
}

export interface Picture {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}

/** The lines of text of a node. */
export function linesOf({ label, value, gradient }: PictureNode): string[] {
  return [label, ...(value === null ? [] : [value]), ...(gradient === null ? [] : [`grad ${gradient}`])];
}

interface Look {
  readonly fill: string;
  readonly line: string;
}

export const looks: Readonly<Record<PictureNode["kind"], Look>> = {
  op: { fill: "#e8eefb", line: "#4469b0" },
  leaf: { fill: "#e6f4e7", line: "#3c8a47" },
  constant: { fill: "#f3f3f3", line: "#7a7a7a" },
  number: { fill: "#ffffff", line: "#b5b5b5" },
};
export const gradientColor = "#b3261e";
