// npm run test:job-kills: kills runs of two jobs a hundred times each, at random moments, and lets them go on: the final
// weights, metrics and evaluations have the bits of a run that was not interrupted. Each job is killed twenty times in each
// of five runs; each life has another number of gradient workers and of threads, and in two runs another instruction set.
// Arguments: the seed of the moments, the kills of a run, and the runs of a job.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { root } from "./common.mjs";

await build(["native", "lib", "examples"]);
const seed = Number(process.argv[2] ?? Date.now() % 2 ** 31);
const kills = Number(process.argv[3] ?? 20);
const runs = Number(process.argv[4] ?? 5);
const steps = 600;
const script = join(root, "test/train/scripts/run.mjs");
const jobs = {
  "character GPT": {
    path: "build/examples/gpt/job.js",
    options: {
      args: { text: join(root, "docs/changes.md"), dropout: 0.1 },
      steps,
      shards: 4,
      evaluate: { every: { steps: 300 } },
      checkpoint: { every: { steps: 7 }, best: "held.loss" },
    },
  },
  "convolutional net": { path: "test/train/jobs/conv.mjs", options: { steps } },
};

let state = seed;
/** A random integer below n. */
function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}

/** A life of a run: killed after so many steps and milliseconds, or never. */
function live({ path, options }, out, env, workers, until) {
  const url = pathToFileURL(join(root, path)).href;
  const child = spawn(process.execPath, [script, url, out, JSON.stringify({ ...options, workers })], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let seen = 0;
    let last = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      seen += text.split("\n").length - 1;
      last = text.trim().split("\n").at(-1);
      if (until !== null && seen >= until.steps) setTimeout(() => child.kill("SIGKILL"), until.milliseconds);
    });
    child.on("error", reject).on("close", (status, signal) => {
      if (signal === "SIGKILL" || status === 0) resolve({ killed: signal === "SIGKILL", last });
      else reject(new Error(`a run ended with ${status ?? signal}`));
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), "nabla-job-kills-"));
let failed = false;
try {
  for (const [name, job] of Object.entries(jobs)) {
    const clean = (out, said) => said.replaceAll(out, "");
    const wholeOut = join(folder, "whole");
    const whole = clean(wholeOut, (await live(job, wholeOut, {}, 0, null)).last);
    rmSync(wholeOut, { recursive: true });
    console.log(`${name}: ${whole}`);
    for (let run = 0; run < runs; run++) {
      const out = join(folder, `run-${run}`);
      const isa = run < 2 ? { NABLA_ISA: "avx2" } : {};
      let done = 0;
      for (let kill = 0; kill < kills; kill++) {
        const env = { ...isa, NABLA_NUM_THREADS: `${1 + below(2)}` };
        // Together the lives are shorter than the run, also where each loses what it made since its last checkpoint.
        const until = { steps: 1 + below((1.6 * steps) / (kills + 1) - 1), milliseconds: below(30) };
        if ((await live(job, out, env, [2, 0, 1, 4][below(4)], until)).killed) done++;
      }
      const said = clean(out, (await live(job, out, isa, 0, null)).last);
      rmSync(out, { recursive: true });
      const same = said === whole;
      failed ||= !same || done === 0;
      console.log(
        `${name}: run ${run + 1}, ${done} kills, ${Object.values(isa)[0] ?? "every instruction"}: ${same ? "the same bits" : said}`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`seed ${seed}`);
process.exitCode = failed ? 1 : 0;
