// npm run figures: writes the tables of bounds in README and bench/results/latest.md from bench/results/latest.json; with
// --check fails where they differ.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, readText, root } from "./common.mjs";

const file = "bench/results/latest.json";
const { command, machine, bounds } = readJson(file);
const [start, end] = ["<!-- figures -->", "<!-- /figures -->"];

const row = ({ text, against, target, shown, held }) =>
  `| ${text} | ${against || "itself"} | ${target.replace(/ x$/, " ×")} | ${shown.replace(/ x$/, " ×")} | ${held ? "held" : "**missed**"} |`;
const table = (some) =>
  [
    `\`${command}\` on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, every rival in the same run;`,
    "medians, as ratios of speed unless a unit says otherwise:",
    "",
    "| what | against | bound | measured | |",
    "|---|---|---|---|---|",
    ...some.map(row),
  ].join("\n");

const readme = readText("README.md");
const [from, to] = [readme.indexOf(start), readme.indexOf(end) + end.length];
if (from < 0 || to < from) throw new Error(`README.md lacks ${start} and ${end}`);
const section = [start, table(bounds.filter((bound) => !bound.detail)), end].join("\n");
const wanted = {
  "README.md": readme.slice(0, from) + section + readme.slice(to),
  "bench/results/latest.md": `# All bounds of the last whole run\n\n${table(bounds)}\n`,
};
for (const [path, text] of Object.entries(wanted)) {
  if (!process.argv.includes("--check")) writeFileSync(join(root, path), text);
  else if (!existsSync(join(root, path)) || readText(path) !== text) {
    console.error(`${path}'s figures are not those of the results: run npm run figures`);
    process.exit(1);
  }
}
