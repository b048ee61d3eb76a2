// npm run figures: writes README's table of figures from bench/results/latest.json; with --check fails where it differs.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, readText, root } from "./common.mjs";

const file = "bench/results/latest.json";
const { machine, bounds } = readJson(file);
const [start, end] = ["<!-- figures -->", "<!-- /figures -->"];

const rows = bounds.map(
  ({ text, against, target, shown, held }) =>
    `| ${text} | ${against || "itself"} | ${target.replace(/ x$/, " ×")} | ${shown.replace(/ x$/, " ×")} | ${held ? "held" : "**missed**"} |`,
);
const section = [
  start,
  `\`npm run bench -- --json ${file}\` on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, every rival in the same run;`,
  "medians, as ratios of speed unless a unit says otherwise:",
  "",
  "| what | against | bound | measured | |",
  "|---|---|---|---|---|",
  ...rows,
  end,
].join("\n");

const readme = readText("README.md");
const [from, to] = [readme.indexOf(start), readme.indexOf(end) + end.length];
if (from < 0 || to < from) throw new Error(`README.md lacks ${start} and ${end}`);
const wanted = readme.slice(0, from) + section + readme.slice(to);
if (!process.argv.includes("--check")) writeFileSync(join(root, "README.md"), wanted);
else if (wanted !== readme) {
  console.error("README.md's figures are not those of the results: run npm run figures");
  process.exit(1);
}
