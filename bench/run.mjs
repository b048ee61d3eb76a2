// npm run bench -- [suite ...] [--json FILE] [--quick] [--case TEXT] [--contender NAME ...]
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { judge } from "./harness/bounds.mjs";
import { Contestant } from "./harness/contestant.mjs";
import { busyCores, machine } from "./harness/machine.mjs";
import { full, measure, quick } from "./harness/measure.mjs";
import { boundsTable, trialTable } from "./harness/report.mjs";
import { commandLine, commitHere, textOf } from "./harness/results.mjs";
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
      entries: trial.entries?.filter(
        (e) => !contender || contender.includes(e.contender) || e.contender === trial.yardstick,
      ),
    }));
}

function busyNote(cores) {
  return cores > 0.1 ? `\nOther processes keep ${cores} cores busy: figures will wander, those of 2 threads most.` : "";
}

function listed(versions) {
  return Object.entries(versions).map(([name, version]) => `  ${name}: ${version}`);
}

async function save(file, report) {
  if (!file) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, textOf(report));
}

async function main() {
  const { chosen, ...given } = options();
  const report = {
    command: commandLine(process.argv.slice(2)),
    commit: commitHere(),
    machine: { ...(await machine()), versions: {} },
    results: [],
    missing: [],
    bounds: [],
  };
  const { cpu, processor, cores, node, busy_cores, versions } = report.machine;
  console.log(`${cpu} (${processor}), ${cores} cores, Node ${node}${busyNote(busy_cores)}`);
  for (const suite of chosen) {
    console.log([`\n== ${suite.name} ==`, suite.note?.(given)].filter(Boolean).join("\n"));
    for (const trial of trialsOf(suite, given)) {
      const found = await (trial.run ? trial.run(given) : measure(trial, given.quick ? quick : full));
      console.log(`\n${trialTable(trial, found)}`);
      report.results.push(...found.results);
      report.missing.push(...found.missing);
      Object.assign(versions, found.versions);
    }
    const judged = suite.bounds.map((bound) => judge({ ...bound, suite: suite.name }, report.results));
    // What --case or --contender left out says nothing about a bound.
    const partial = given.case !== undefined || given.contender !== undefined;
    report.bounds.push(...judged.filter(({ measured }) => !partial || measured !== null));
    await save(given.json, report); // suite by suite: a run cut short leaves what it measured
  }
  report.machine.busy_cores_after = await busyCores();
  await save(given.json, report);
  console.log(["\n== versions ==", ...listed(versions), busyNote(report.machine.busy_cores_after)].join("\n"));
  if (report.bounds.length) console.log(`\n== bounds ==\n${boundsTable(report.bounds)}`);
  if (given.json) console.log(`\nwritten: ${given.json}`);
}

await main()
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .finally(Contestant.dismiss);
