/** The columns of a table. */

export interface NumberColumn {
  readonly kind: "number";
  /** The values; NaN where one is missing. */
  readonly values: Float64Array;
}

export interface TextColumn {
  readonly kind: "text";
  /** The distinct values, in the order in which they first occur. */
  readonly categories: readonly string[];
  /** For each row the index of its category; -1 where it is missing. */
  readonly codes: Int32Array;
}

export type Column = NumberColumn | TextColumn;

/** The columns of a table by name. */
export interface NamedColumns {
  readonly names: readonly string[];
  /** The number of rows. */
  readonly length: number;
  column(name: string): Column;
}

/** The index of a category, which is new where it is not there yet. */
export function codeOf(categories: Map<string, number>, text: string): number {
  const known = categories.get(text);
  if (known !== undefined) return known;
  categories.set(text, categories.size);
  return categories.size - 1;
}

/** Names in a message. */
export const listed = (names: readonly string[]): string =>
  names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
