/** The report of a run: one page with everything in it, which asks for nothing from elsewhere. */
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { packageRoot } from "../../core/copy.js";
import { writeAtomically } from "../../core/file.js";
import { duration, figure, grouped, shortened, visible } from "../../core/words.js";
import { endings } from "../endings.js";
import { type Summary, summarize } from "../summary.js";
import { chartsOf, mostName } from "./curves.js";

/** Longer texts are cut: of a page of 2 MB most belongs to the curves. */
const mostText = 100_000;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]!);

/** JSON inside a script element, which no text in it can end. */
const embedded = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

const asset = (name: string): string => readFileSync(join(packageRoot(), "dist", name), "utf8");

export interface ReportOptions {
  /** Why the run failed, where it did. */
  readonly failure?: string | undefined;
}

/** Writes `report.html` into the folder of a run, from its metrics. */
export async function writeReport(op: string, run: string, { failure }: ReportOptions = {}): Promise<string> {
  const summary = await summarize(op, run);
  const job = join(run, "job.json");
  const text = existsSync(job) ? shortened(readFileSync(job, "utf8"), mostText) : "";
  const path = join(run, "report.html");
  await writeAtomically(op, path, [Buffer.from(pageOf(summary, { name: basename(resolve(run)), job: text, failure }))]);
  return path;
}

interface Setting {
  readonly name: string;
  readonly job: string;
  readonly failure: string | undefined;
}

const tones = { finished: "good", stopped: "good", aborted: "open", signal: "open", nan: "bad" } as const;

function stateOf({ end }: Summary, failure: string | undefined): readonly [tone: string, text: string] {
  if (failure !== undefined) return ["bad", "failed"];
  if (end === null) return ["open", "has not ended"];
  const { reason } = end;
  return [tones[reason], `${endings[reason]}${reason === "signal" ? "; it can go on" : ""}`];
}

function factsOf(summary: Summary): [string, string][] {
  const { last, steps, parameters, rows, seconds, wait, starts, best } = summary;
  const made = grouped(last?.step ?? 0);
  return [
    ["steps", steps === null || steps === last?.step ? made : `${made} of ${grouped(steps)}`],
    ["epoch", last === null ? "–" : grouped(last.epoch + 1)],
    ["time in steps", duration(seconds)],
    ["rows a second", seconds > 0 ? figure(rows / seconds) : "–"],
    ["waiting for data", seconds > 0 ? `${((100 * wait) / seconds).toFixed(1)} %` : "–"],
    ["parameters", grouped(parameters)],
    ["last loss", last === null ? "–" : figure(last.loss)],
    ...(best === null ? [] : [["best at step", grouped(best.step)] as [string, string]]),
    ...(starts > 1 ? [["restarts", grouped(starts - 1)] as [string, string]] : []),
  ];
}

function evaluationsOf({ evaluations, best }: Summary): string {
  if (evaluations.length === 0) return "";
  const names = [...new Set(evaluations.flatMap(({ metrics }) => Object.keys(metrics)))].slice(0, 50);
  const head = ["step", "epoch", ...names].map((name) => `<th>${escaped(shortened(name, mostName))}</th>`).join("");
  const rows = evaluations.toReversed().map((evaluation) => {
    const { step, epoch, metrics } = evaluation;
    const values = names.map((name) => (Object.hasOwn(metrics, name) ? figure(metrics[name]!) : ""));
    const cells = [grouped(step), grouped(epoch), ...values].map((value) => `<td>${value}</td>`).join("");
    return `<tr${evaluation === best ? ' class="best"' : ""}>${cells}</tr>`;
  });
  return card("Evaluations", `<div class="scroll"><table><tr>${head}</tr>${rows.join("\n")}</table></div>`);
}

function warningsOf({ warnings, warningsLeftOut, curvesLeftOut }: Summary): string {
  const lines = [
    ...warnings,
    ...(warningsLeftOut > 0 ? [`and ${grouped(warningsLeftOut)} more`] : []),
    ...(curvesLeftOut > 0 ? ["some curves have no room here: metrics.jsonl has all of them"] : []),
  ];
  if (lines.length === 0) return "";
  return card("Warnings", `<ul>${lines.map((line) => `<li>${escaped(visible(line))}</li>`).join("")}</ul>`);
}

const card = (title: string, content: string): string =>
  `<section class="card"><h2>${escaped(title)}</h2>${content}</section>`;

function pageOf(summary: Summary, { name, job, failure }: Setting): string {
  const [tone, state] = stateOf(summary, failure);
  const charts = chartsOf([...summary.curves.values()]);
  const facts = factsOf(summary).map(([what, value]) => `<div><dt>${what}</dt><dd>${value}</dd></div>`);
  const cards = charts.map(
    ({ title }) =>
      `<section class="card chart"><div class="chart-head"><h2>${escaped(title)}</h2>` +
      `<button type="button" aria-pressed="false">log</button></div><div class="plot"></div></section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escaped(name)}</title>
<style>${asset("report-page.css")}</style>
</head>
<body>
<header><h1>${escaped(name)}</h1><span class="state ${tone}">${state}</span></header>
${failure === undefined ? "" : card("Error", `<pre class="bad">${escaped(shortened(failure, mostText))}</pre>`)}
<dl class="facts">${facts.join("")}</dl>
<div class="charts">${cards.join("\n")}</div>
${evaluationsOf(summary)}
${warningsOf(summary)}
${job === "" ? "" : `<section class="card"><details><summary>Job</summary><pre>${escaped(job)}</pre></details></section>`}
<footer>Drag over a chart to look closer, double-click to go back. Bands reach from the least to the most value.</footer>
<script type="application/json" id="curves">${embedded(charts)}</script>
<script>${asset("report-page.js").replaceAll("</script", "<\\/script")}</script>
</body>
</html>
`;
}
