// npm run test:kills: kills a training run at each system call of its files, in turn, and lets it continue: the checkpoint
// that is there is whole, and the final weights have the bits of a run that was not interrupted. Then replays the system
// calls of a run, with a power cut after each. Needs strace, and the right to trace.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./common.mjs";
import { afterPowerCut } from "./power-cut.mjs";

await build(["native", "lib"]);
const script = join(root, "test/io/scripts/resume.mjs");
const calls = ["openat", "fchmod", "pwrite64", "fsync", "close", "rename", "unlink"];
// A single thread makes the calls, so that they have an order.
const env = { ...process.env, UV_THREADPOOL_SIZE: "1", NABLA_NUM_THREADS: "1" };

function within(work) {
  const folder = mkdtempSync(join(tmpdir(), "nabla-kills-"));
  try {
    return work(join(folder, "run.safetensors"), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(command, ...args) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, { env, encoding: "utf8" });
  if (error) throw error;
  return { ended: status === 0, killed: signal === "SIGKILL", last: stdout.trim().split("\n").at(-1), stderr };
}
const trained = (path, ...before) => start(...before, process.execPath, script, path, "3");
const traced = (path, ...options) => trained(path, "strace", "-f", "-qq", ...options);

/** The run, to its end: the bits of its weights. */
function finish(path) {
  const { ended, last, stderr } = trained(path);
  if (!ended) throw new Error(`the run does not continue: ${stderr}`);
  return last;
}

const whole = within(finish);
let kills = 0;
for (const call of calls) {
  for (let k = 1, ended = false; !ended; k++)
    within((path, folder) => {
      const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${k}`];
      const run = traced(path, "-o", "/dev/null", ...inject);
      ended = run.ended;
      if (ended) return;
      if (!run.killed) throw new Error(`neither ended nor killed: ${run.stderr}`);
      kills++;
      const bits = finish(path);
      const left = readdirSync(folder);
      if (bits !== whole || left.length !== 1)
        throw new Error(`killed at ${call} number ${k}: ${bits === whole ? "the same" : "other"} bits, files: ${left}`);
    });
  console.log(`${call}: killed at each; ${kills} kills so far, each continued with the same bits`);
}

within((path, folder) => {
  const log = join(folder, "calls.txt");
  if (!traced(path, "-y", "-s", "0", "-o", log, "-e", `trace=${calls}`).ended) throw new Error("cannot trace");
  console.log(`power cuts: ${afterPowerCut(log, path)} states of the disk, each with a whole checkpoint or none yet`);
});
