import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { summary } from "../harness/measure.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rivals = fileURLToPath(new URL("../rivals", import.meta.url));
const quiet = "console.log = console.warn = () => {};";

const node = (code, cwd) => ({ file: process.execPath, args: ["--input-type=module", "-e", code], cwd });
const python = (file, code) => ({ file, args: ["-c", code], cwd: rivals });
const torch = "import torch; torch.tensor([1., 2.]).sum().item()";
const commands = {
  node: { file: process.execPath, args: ["-e", "0"], cwd: root },
  nabla: node('import { tensor } from "nabla"; tensor([1, 2]).sum().item();', root),
  "tfjs-cpu": node(
    `${quiet} const { default: tf } = await import("@tensorflow/tfjs"); tf.tensor([1, 2]).sum().dataSync();`,
    rivals,
  ),
  "jax-js": node(
    'import { init, numpy as np } from "@jax-js/jax"; await init("wasm"); np.array([1, 2]).sum().item();',
    rivals,
  ),
  numpy: python(".venv/bin/python", "import numpy as np; np.array([1., 2.]).sum().item()"),
  pytorch: python(".venv/bin/python", torch),
  "pytorch-debian": python("/usr/bin/python3", torch),
};
const CASE = "import to first result";

function launch({ file, args, cwd }) {
  const start = performance.now();
  const { status, error, stderr } = spawnSync(file, args, { cwd, encoding: "utf8" });
  if (status !== 0)
    throw error ?? new Error(stderr.split("\n").find((line) => /error/i.test(line)) ?? `exit ${status}`);
  return performance.now() - start;
}

async function run({ quick }) {
  const [results, missing] = [[], []];
  const players = Object.entries(commands).map(([contender, command]) => ({
    name: { suite: "startup", case: contender === "node" ? "node -e 0" : CASE, contender, threads: 1 },
    command,
    times: [],
  }));
  const left = new Set(players);
  for (let i = quick ? -1 : -2; i < (quick ? 7 : 20); i++) {
    for (const player of left) {
      try {
        const ms = launch(player.command);
        if (i >= 0) player.times.push(ms);
      } catch (error) {
        left.delete(player);
        const absent = /ENOENT|ERR_MODULE_NOT_FOUND|ModuleNotFoundError/.test(error.message);
        missing.push({ ...player.name, status: absent ? "absent" : "failed", reason: error.message });
      }
    }
  }
  for (const { name, times } of left) results.push({ ...name, metric: "time", unit: "ms", ...summary(times) });
  return { results, missing, versions: {} };
}

/** Wall time of a whole process: the import, the first result, the exit. */
export const startup = {
  name: "startup",
  trials: [{ title: CASE, run }],
  bounds: [
    {
      text: "a process that imports nabla and computes, against `node -e 0`",
      atMostTimes: 2,
      ours: { case: CASE, metric: "time", contender: /^nabla$/ },
      theirs: { case: "node -e 0", metric: "time", contender: /^node$/ },
    },
  ],
};
