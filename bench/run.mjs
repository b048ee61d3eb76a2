// npm run bench -- [suite ...] [--json FILE] [--quick] [--case TEXT] [--contender NAME ...]
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { judge } from "./harness/bounds.mjs";
import { machine } from "./harness/machine.mjs";
import { full, measure, quick } from "./harness/measure.mjs";
import { boundsTable, trialTable } from "./harness/report.mjs";
import { suites } from "./suites/index.mjs";

const names = suites.map((suite) => suite.name);

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "string" },
      quick: { type: "boolean", default: false },
      case: { type: "string" },
      contender: { type: "string", multiple: true },
    },
  });
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown) throw new Error(`unknown suite "${unknown}"; expected some of ${names.join(", ")}`);
  return { ...values, chosen: positionals.length ? suites.filter((s) => positionals.includes(s.name)) : suites };
}

/** The trials of a suite that the options leave. */
function trialsOf(suite, { quick, case: text, contender }) {
  const all = typeof suite.trials === "function" ? suite.trials({ quick }) : suite.trials;
  return all
    .filter((trial) => !text || trial.title.includes(text))
    .map((trial) => ({
      ...trial,
      suite: suite.name,
      threads: new Set(trial.entries?.map((e) => e.threads)).size === 1 ? trial.entries[0].threads : undefined,
      entries: trial.entries?.filter((e) => !contender || contender.includes(e.contender) || e.contender === trial.yardstick),
    }));
}

async function main() {
  const chosen = options();
  const report = { machine: await machine(), results: [], missing: [], bounds: [] };
  const { cpu, cores, node, load } = report.machine;
  console.log(`${cpu}, ${cores} cores, Node ${node}, load ${load.join(" ")}`);
  if (load[0] > cores / 2) console.log(`The machine is busy: expect figures that wander.`);
  const versions = {};
  for (const suite of chosen.chosen) {
    console.log(`\n== ${suite.name} ==`);
    const note = suite.note?.(chosen);
    if (note) console.log(note);
    for (const trial of trialsOf(suite, chosen)) {
      const found = await (trial.run ? trial.run(chosen) : measure(trial, chosen.quick ? quick : full));
      console.log(`\n${trialTable(trial, found)}`);
      report.results.push(...found.results);
      report.missing.push(...found.missing);
      Object.assign(versions, found.versions);
    }
    report.bounds.push(...suite.bounds.map((bound) => judge({ ...bound, suite: suite.name }, report.results)));
  }
  report.machine.versions = versions;
  console.log(`\n== versions ==\n${Object.entries(versions).map(([name, version]) => `  ${name}: ${version}`).join("\n")}`);
  if (report.bounds.length) console.log(`\n== bounds ==\n${boundsTable(report.bounds)}`);
  if (chosen.json) {
    await mkdir(dirname(chosen.json), { recursive: true });
    await writeFile(chosen.json, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`\nwritten: ${chosen.json}`);
  }
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
