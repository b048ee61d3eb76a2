import { advantage } from "./bounds.mjs";

/** A figure in at most four digits, or as a whole number where it is longer. */
export function figure(value) {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Lines up rows of strings: the first column to the left, the others to the right. */
export function columns(rows, indent = "  ") {
  const widths = rows.reduce((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, cell.length)), []);
  const pad = (cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  return rows.map((row) => (indent + row.map(pad).join("   ")).trimEnd()).join("\n");
}

/** The table of one trial: a line per contender, then who is missing and why. */
export function trialTable({ title, threads, yardstick }, { results, missing }) {
  const groups = [...new Set(results.map((r) => r.metric))].filter((metric) => !metric.startsWith("of "));
  const parts = groups.map((metric) => {
    const rows = results.filter((r) => r.metric === metric);
    const cases = new Set(rows.map((r) => r.case)).size > 1;
    const ours = (row) => rows.filter((r) => r.contender === "nabla" && r.case === row.case);
    const share = (row) => results.find((r) => r.metric === `of ${yardstick}` && same(r, row));
    const body = rows.map((row) => [
      cases ? `${row.contender}: ${row.case}` : row.contender,
      figure(row.median),
      `[${figure(row.min)}..${figure(row.max)}]`,
      ...(yardstick ? [share(row) ? `${figure(share(row).median)} %` : ""] : []),
      ours(row).length === 1 && row.contender !== "nabla" && row.contender !== yardstick
        ? `${advantage(ours(row)[0], row).toFixed(2)} x`
        : "",
    ]);
    const head = [
      `${metric}, ${rows[0].unit}`,
      "median",
      "[min..max]",
      ...(yardstick ? [`of ${yardstick}`] : []),
      "nabla/rival",
    ];
    return columns(rows.some((r) => r.samples > 1) ? [head, ...body] : [head, ...body].map((row) => row.slice(0, 2)));
  });
  const gone = missing.map(
    (m) => `  ${m.contender}${title === m.case ? "" : ` (${m.case})`}: ${m.status}: ${m.reason}`,
  );
  return [`${title}${threads ? `, ${threads} thread${threads > 1 ? "s" : ""}` : ""}`, ...parts, ...gone].join("\n");
}

/** The bounds of the suites that ran: target, measured, held or missed. */
export function boundsTable(bounds) {
  const rows = bounds.map((b) => [b.text, b.against, b.target, b.shown, b.held ? "held" : "MISSED"]);
  return columns([["bound", "against", "target", "measured", ""], ...rows]);
}

const same = (a, b) => a.case === b.case && a.contender === b.contender && a.threads === b.threads;
