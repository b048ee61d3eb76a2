/** Tables in CSV files. */
import { refuse as refuseArgument } from "../../core/arguments.js";
import { breather } from "../../core/breather.js";
import { describe } from "../../core/errors.js";
import { types } from "../../core/node.js";
import { checkOptions, isNameIn, needList } from "../../core/options.js";
import { type FilePath, pathOf } from "../../core/path.js";
import { refuse, type Source } from "../../core/source.js";
import { isPlain } from "../../core/tree.js";
import { type Column, listed } from "../column.js";
import { Table } from "../table.js";
import { type Bad, type Body, readNumbers, readTexts, type Steps } from "./csv-columns.js";
import { Scanner, textOf } from "./csv-scan.js";
import { afterMark, readWhole } from "./whole-file.js";

export interface CsvOptions {
  /** What separates fields, one ASCII character; default ",". */
  readonly delimiter?: string | undefined;
  /** Whether the first row has the names of the columns; default true. */
  readonly header?: boolean | undefined;
  /** The names of the columns, in place of those of the header; without either they are "0", "1" and so on. */
  readonly names?: readonly string[] | undefined;
  /** What stands for a missing value; default "", NA, N/A, n/a, NaN, nan, NULL, null, None and <NA>. */
  readonly missing?: readonly string[] | undefined;
  /** The kinds of columns by name; those of the others are guessed: numbers if all their values are. */
  readonly types?: Readonly<Record<string, "number" | "text">> | undefined;
}

/**
 * Reads a CSV file in UTF-8: fields may be quoted (two quotes stand for one, and line breaks are kept) and lines may end
 * in CR LF. Empty lines are skipped.
 * @throws ERR_FORMAT, with the number of the line, if rows differ in length, a quote is never closed, a column of the type
 * "number" has text, two columns have one name, or the text is not UTF-8; ERR_MEMORY if the table exceeds the memory
 * limit; ERR_ARGUMENT for invalid options, a folder, device, FIFO or socket; for a missing file Node's ENOENT error.
 * @example
 * const table = await readCsv("houses.csv");
 * table.names; // ["city", "rooms", "price"]
 */
export async function readCsv(path: FilePath, options?: CsvOptions): Promise<Table> {
  const source = { op: "readCsv", name: pathOf("readCsv", path) };
  const rules = rulesOf(source, options);
  const steps = tableSteps(bufferOf(await readWhole(source)), rules, source);
  const pause = breather();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/**
 * The table in a CSV text, or its bytes in UTF-8.
 * @throws as {@link readCsv}.
 * @example parseCsv('name,age\n"Ada, Countess",36').at(0); // { name: "Ada, Countess", age: 36 }
 */
export function parseCsv(text: string | Uint8Array, options?: CsvOptions): Table {
  const source = { op: "parseCsv", name: "text" };
  if (typeof text !== "string" && !types.isUint8Array(text))
    refuseArgument(source.op, "the text", "a string or a Uint8Array", text);
  const rules = rulesOf(source, options);
  const steps = tableSteps(typeof text === "string" ? Buffer.from(text) : bufferOf(text), rules, source);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

interface Rules {
  readonly delimiter: number;
  readonly header: boolean;
  readonly names: readonly string[] | undefined;
  readonly missing: ReadonlySet<string>;
  readonly types: ReadonlyMap<string, "number" | "text">;
}

const absent = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>"];

function rulesOf({ op }: Source, options: CsvOptions | undefined): Rules {
  const known = ["delimiter", "names", "missing", "types"] as const;
  const { delimiter = ",", header = true, ...given } = checkOptions<CsvOptions>(op, options, known, ["header"]);
  if (typeof delimiter !== "string" || !/^[^\r\n"\u0080-\uffff]$/.test(delimiter))
    refuseArgument(op, "the delimiter", "one ASCII character, no quote or line break", delimiter);
  const texts = (what: string, list: readonly string[]): string[] => {
    const all = needList(op, what, list, "strings");
    for (const text of all) if (typeof text !== "string") refuseArgument(op, what, "strings", text);
    return all;
  };
  const kinds = given.types ?? {};
  if (!isPlain(kinds)) refuseArgument(op, "types", "an object of kinds by name", kinds);
  const entries = Object.entries(kinds) as [string, "number" | "text"][];
  for (const [name, kind] of entries)
    if (!isNameIn({ number: 1, text: 1 }, kind))
      refuseArgument(op, `the type of "${name.slice(0, 40)}"`, '"number" or "text"', kind);
  return {
    delimiter: delimiter.charCodeAt(0),
    header,
    names: given.names === undefined ? undefined : texts("names", given.names),
    missing: new Set(given.missing === undefined ? absent : texts("missing", given.missing)),
    types: new Map(entries),
  };
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function* tableSteps(bytes: Buffer, rules: Rules, source: Source): Steps<Table> {
  const start = afterMark(bytes, source);
  const bad: Bad = (fact, line, expected, got) => refuse(source, `line ${line}: ${fact}`, expected, got);
  const text = textOf(bytes, source);
  const first = firstRow(bytes, rules.delimiter, start, text, bad);
  const names = rules.names ?? (rules.header ? first.fields : first.fields.map((_, i) => `${i}`));
  if (names.length !== first.fields.length)
    refuseArgument(source.op, "names", `${first.fields.length} names, one for each column`, `${names.length}`);
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name)) bad(`two columns are called ${describe(name)}`, first.line);
    known.add(name);
  }
  for (const name of rules.types.keys())
    if (!known.has(name)) refuseArgument(source.op, "types", `names of columns: ${listed(names)}`, name);

  const from = rules.header ? first.end : start;
  const line = rules.header ? first.nextLine : 1;
  const kinds = names.map((name) => rules.types.get(name));
  const body: Body = {
    bytes,
    names,
    kinds,
    missing: rules.missing,
    op: source.op,
    text,
    bad,
    scanner: () => new Scanner(bytes, rules.delimiter, from, line, bad),
  };
  const { numbers, rows } = yield* readNumbers(body);
  const texts = yield* readTexts(body, numbers, rows);
  return new Table(new Map(names.map((name, i): [string, Column] => [name, numbers[i] ?? texts[i]!])), rows);
}

interface FirstRow {
  readonly fields: readonly string[];
  readonly line: number;
  readonly end: number;
  readonly nextLine: number;
}

function firstRow(
  bytes: Uint8Array,
  delimiter: number,
  start: number,
  text: (from: number, to: number) => string,
  bad: (fact: string, line: number) => never,
): FirstRow {
  const scanner = new Scanner(bytes, delimiter, start, 1, bad);
  const fields: [number, number][] = [];
  let line = 0;
  while (line === 0 && scanner.at < bytes.length)
    scanner.scan(scanner.at + 1, {
      field: (_, from, to) => void fields.push([from, to]),
      row: (_, at) => {
        line = at;
      },
    });
  if (line === 0) bad("there is no row", 1);
  return { fields: fields.map(([from, to]) => text(from, to)), line, end: scanner.at, nextLine: scanner.line };
}
