/**
 * The table: a CSV file, or 344 penguins of three species, with some values missing (K. Gorman, T. Williams and
 * W. Fraser, 2014; the Palmer Penguins data are in the public domain, CC0).
 */
import { readFileSync } from "node:fs";
import { type EncodedTable, parseCsv, randomSplit, type Subset, type Tensor, TensorDataset } from "nabla";

export interface TableArgs {
  /** The path of a CSV file; "" for the penguins. */
  readonly csv: string;
  /** The column with the classes. */
  readonly target: string;
}

export function encodeRows({ csv, target }: TableArgs): EncodedTable {
  const path = csv === "" ? new URL("penguins.csv", import.meta.url) : csv;
  return parseCsv(readFileSync(path)).encode({ target, missing: "median" });
}

/** The numbers of features and classes. */
export function sizesOf(args: TableArgs): { features: number; classes: number } {
  const { x, encoder } = encodeRows(args);
  return { features: x.size(1), classes: encoder.target?.categories?.length ?? 0 };
}

export type Rows = Subset<[features: Tensor, classes: Tensor]>;

/** Four fifths of the rows to learn from, and a fifth held out. */
export function splitRows(args: TableArgs): { train: Rows; test: Rows } {
  const { x, y } = encodeRows(args);
  if (y === null || y.ndim !== 1) throw new Error(`the column "${args.target}" does not hold classes`);
  const [train, test] = randomSplit(new TensorDataset(x, y), [0.8, 0.2], { seed: 1 });
  return { train, test };
}
