// npm run figures: writes the tables of bounds in README and bench/results/latest.md from bench/results/latest.json; with
// --check fails where they differ.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, readText, root } from "./common.mjs";

const file = "bench/results/latest.json";
const { command, machine, bounds } = readJson(file);
const [start, end] = ["<!-- figures -->", "<!-- /figures -->"];

/** Why a bound is missed, by the beginning of its text: a sentence for each that the results miss. */
const reasons = {
  "forward, 4 elements":
    "half of the time goes into checks and the JavaScript objects of the result: a view, which runs no kernel, takes half as long.",
  "step of the MLP 784-512-256-10, batch 128, AdamW, against jax-js":
    "jax-js compiles the step to WebAssembly, and the ratio depends on the processor: 6.7 on a Xeon, 13.6 on a Zen 5.",
  "2 DataParallel workers against 1":
    "two threads without workers are no faster (next row), so the limit is the second core, not the communication with workers.",
};

function reasonOf({ text }) {
  const known = Object.keys(reasons).find((start) => text.startsWith(start));
  if (known === undefined) {
    console.error(`the bound "${text}" is missed: say why, in one sentence, in scripts/figures.mjs`);
    process.exit(1);
  }
  return `- ${text}: ${reasons[known]}`;
}

const row = ({ text, against, target, shown, held }) =>
  `| ${text} | ${against || "itself"} | ${target.replace(/ x$/, " ×")} | ${shown.replace(/ x$/, " ×")} | ${held ? "held" : "**missed**"} |`;

function table(some) {
  const missed = some.filter((bound) => !bound.held);
  return [
    "Each row is a bound that nabla is held to: with `>=`, how many times as fast as the other it must be at least; with `<=`,",
    "how much time, delay or memory it may take at most. The figures are medians of one run in which all rivals took turns:",
    `\`${command}\` on ${machine.cpu} (${machine.processor}), ${machine.cores} cores, Node ${machine.node}.`,
    "",
    "| what | against | bound | measured | |",
    "|---|---|---|---|---|",
    ...some.map(row),
    ...(missed.length > 0 ? ["", "Why bounds are missed:", "", ...missed.map(reasonOf)] : []),
  ].join("\n");
}

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
