// The text of a file of results: JSON with a line for each result, so that a file can be read and compared by lines.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const digits = 6;

const rounded = (_, value) =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(digits)) : value;

/** Paths of this machine say nothing elsewhere: the name of a file stays. */
const withoutFolders = (text) => text.replaceAll(/(?<![\w.])\/(?:[\w.@+-]+\/)+/g, "");

/** The commit of the measured code; with "+" where files differ from it. */
export function commitHere() {
  try {
    const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
    const changed =
      git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results", ":!README.md") !== "";
    return git("rev-parse", "--short=12", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}

/** The command of this run as one would type it in the repository. */
export function commandLine(args) {
  const quoted = args
    .map((arg) => withoutFolders(arg.replaceAll(root, "")))
    .map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg));
  return ["npm run bench --", ...quoted].join(" ");
}

const list = (name, rows) =>
  rows.length === 0
    ? `"${name}": []`
    : `"${name}": [\n${rows.map((row) => JSON.stringify(row, rounded)).join(",\n")}\n]`;

/** A report as text. `JSON.parse` reads it. */
export function textOf({ command, commit, machine, results, missing, bounds }) {
  const facts = Object.entries(machine).map(([name, fact]) => `  "${name}": ${JSON.stringify(fact)}`);
  const parts = [
    `"command": ${JSON.stringify(command)}`,
    `"commit": ${JSON.stringify(commit)}`,
    `"machine": {\n${facts.join(",\n")}\n}`,
    list("results", results),
    list(
      "missing",
      missing.map((row) => ({ ...row, reason: withoutFolders(row.reason) })),
    ),
    list("bounds", bounds),
  ];
  return `{\n${parts.join(",\n")}\n}\n`;
}
