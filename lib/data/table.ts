/** A table with named columns of numbers or text, as a CSV file holds it. */

import { needPlace, refuse } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { needList } from "../core/options.js";
import { isPlain } from "../core/tree.js";
import { typedArray } from "../tensor/javascript-memory.js";
import { type Column, codeOf, listed, type NamedColumns } from "./column.js";
import type { Dataset } from "./dataset.js";
import { type EncodedTable, type EncodeOptions, encodeTable } from "./table-encoder.js";

/** A row of a table; a missing value is null. */
export type TableRow = Record<string, number | string | null>;

/**
 * A table with named columns. It is a data set of its rows; {@link Table.encode} makes tensors of it. {@link readCsv} reads
 * one from a file, {@link Table.from} makes one of objects.
 */
export class Table implements Dataset<TableRow>, NamedColumns {
  /** The names of the columns. */
  readonly names: readonly string[];
  /** The number of rows. */
  readonly length: number;
  private readonly columns: ReadonlyMap<string, Column>;

  /** @internal */
  constructor(columns: ReadonlyMap<string, Column>, length: number) {
    this.columns = columns;
    this.names = [...columns.keys()];
    this.length = length;
  }

  /**
   * A table of objects with the same keys. A column with a string is text, any other numbers; null, undefined and NaN are
   * missing.
   * @throws ERR_ARGUMENT for anything but plain objects of numbers, strings, booleans, null and undefined.
   * @example Table.from([{ city: "Rome", rooms: 3 }, { city: "Oslo", rooms: null }]).at(1); // { city: "Oslo", rooms: null }
   */
  static from(rows: Iterable<Readonly<Record<string, unknown>>>): Table {
    const op = "Table.from";
    const list = needList(op, "rows", rows, "objects");
    for (const row of list) if (!isPlain(row)) refuse(op, "a row", "a plain object", row);
    const names = new Set(list.flatMap((row) => Object.keys(row)));
    const columns = new Map<string, Column>();
    for (const name of names) {
      const cells = list.map((row) => (Object.hasOwn(row, name) ? row[name] : null) ?? null);
      columns.set(name, columnOf(op, name, cells));
    }
    return new Table(columns, list.length);
  }

  /** A column; ERR_ARGUMENT for a name that the table does not have. */
  column(name: string): Column {
    return (
      this.columns.get(name) ?? fail("ERR_ARGUMENT", "column", "no such column", listed(this.names), describe(name))
    );
  }

  /** Row `i`; a negative `i` counts from the end. */
  at(i: number): TableRow {
    const row = needPlace("Table", "row", i, this.length);
    return Object.fromEntries([...this.columns].map(([name, column]) => [name, cell(column, row)]));
  }

  /**
   * Makes tensors of the table: `x` has a row of float32 for each of the table's, `y` the column `target`, and `encoder` is
   * plain data with which other tables, such as a request to a server, are encoded in the same way. A column of numbers
   * becomes one column of `x`, a column of text one for each category, which is 1 where the row has it.
   * @throws ERR_ARGUMENT for a column that is missing or of another kind than the encoder's, a missing value unless
   * `missing` says what to do, a target that is missing, and invalid options.
   * @example
   * const table = parseCsv("city,rooms,price\nRome,3,500\nOslo,,700\nRome,1,300");
   * const { x, y, encoder } = table.encode({ target: "price", missing: "median" });
   * x.shape; // [3, 3]
   * y?.toArray(); // [[500], [700], [300]]
   * Table.from([{ city: "Oslo", rooms: 2 }]).encode({ encoder }).x.toArray(); // [[0, 1, 0]]
   */
  encode(options?: EncodeOptions): EncodedTable {
    return encodeTable(this, options);
  }
}
brand("other", Table);

function cell(column: Column, row: number): number | string | null {
  if (column.kind === "text") return column.categories[column.codes[row]!] ?? null;
  const value = column.values[row]!;
  return Number.isNaN(value) ? null : value;
}

function columnOf(op: string, name: string, cells: readonly unknown[]): Column {
  const odd = cells.find((x) => x !== null && !["number", "string", "boolean"].includes(typeof x));
  if (odd !== undefined) refuse(op, `column "${name}"`, "numbers, strings or null", odd);
  if (!cells.some((x) => typeof x === "string")) {
    const values = typedArray<Float64Array>(op, Float64Array, cells.length);
    cells.forEach((x, i) => {
      values[i] = x === null ? Number.NaN : Number(x);
    });
    return { kind: "number", values };
  }
  const categories = new Map<string, number>();
  const codes = typedArray<Int32Array>(op, Int32Array, cells.length);
  cells.forEach((x, i) => {
    codes[i] = x === null || Number.isNaN(x) ? -1 : codeOf(categories, String(x));
  });
  return { kind: "text", categories: [...categories.keys()], codes };
}
