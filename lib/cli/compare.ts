/** nabla compare: two runs side by side. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isPlain } from "../core/tree.js";
import { duration, figure, grouped, shortened, table, visible } from "../core/words.js";
import { type Summary, summarize } from "../report/summary.js";

const op = "nabla compare";

/** The fields of the job of a run, as texts. */
function fieldsOf(run: string): ReadonlyMap<string, string> {
  const path = join(run, "job.json");
  if (!existsSync(path)) return new Map();
  const job: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (!isPlain(job)) return new Map();
  return new Map(
    Object.entries(job).map(([name, field]) => [name, JSON.stringify(isPlain(field) ? field["value"] : field) ?? ""]),
  );
}

type Row = readonly [name: string, a: string, b: string];

const cell = (text: string): string => visible(shortened(text, 40));

function numbersOf(summary: Summary): ReadonlyMap<string, string> {
  const { last, seconds, rows, evaluations, best } = summary;
  return new Map([
    ["steps", grouped(last?.step ?? 0)],
    ["time in steps", duration(seconds)],
    ["rows a second", seconds > 0 ? figure(rows / seconds) : "–"],
    ["last loss", last === null ? "–" : figure(last.loss)],
    ...Object.entries(evaluations.at(-1)?.metrics ?? {}).map(([name, value]) => [name, figure(value)] as const),
    ...(best === null ? [] : [["best at step", grouped(best.step)] as const]),
    ...Object.entries(best?.metrics ?? {}).map(([name, value]) => [`best ${name}`, figure(value)] as const),
  ]);
}

/** The rows of two lists of values by name. */
function rowsOf(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): Row[] {
  const names = [...new Set([...a.keys(), ...b.keys()])];
  return names.map((name) => [cell(name), cell(a.get(name) ?? "–"), cell(b.get(name) ?? "–")]);
}

/** What differs between the jobs, and what came of them. */
export async function compare(a: string, b: string): Promise<string> {
  const [first, second] = [await summarize(op, a), await summarize(op, b)];
  const fields = rowsOf(fieldsOf(a), fieldsOf(b)).filter(([, x, y]) => x !== y);
  const rows: Row[] = [["", visible(a), visible(b)], ...fields, ...rowsOf(numbersOf(first), numbersOf(second))];
  return table(rows, (column) => column > 0).join("\n");
}
