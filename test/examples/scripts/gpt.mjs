// Trains the character GPT of examples/gpt with nabla, and with PyTorch from the same weights on the same windows, and
// compares the losses of the held-out tenth of the text: gpt.mjs [STEPS]. Needs PyTorch: npm run bench:setup.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { numThreads, saveNpz, TokenWindows, Trainer, tensor } from "nabla";
import job from "../../../build/examples/gpt/job.js";
import { loadTokens } from "../../../build/examples/gpt/text.js";

const root = join(import.meta.dirname, "../../..");
const most = 0.02;
const steps = Number(process.argv[2] ?? 2000);
const { args, lr } = job;

const starts = [];
class Recorded extends TokenWindows {
  rows(indices) {
    starts.push(...indices);
    return super.rows(indices);
  }
}
const weights = {};
const recorded = {
  ...job,
  data: async (context) => {
    const { train } = await loadTokens(args.text);
    return { ...(await job.data(context)), train: new Recorded(train, { blockSize: args.block }) };
  },
};
const keep = {
  name: "weights",
  onStart(_event, { model }) {
    for (const [name, p] of Object.entries(model.stateDict())) weights[`w.${name}`] = p.clone();
  },
};
const trainer = new Trainer(recorded, { steps, evaluate: { every: { steps } }, callbacks: [keep] });
const { metrics } = await trainer.fit();

const folder = mkdtempSync(join(tmpdir(), "nabla-gpt-"));
try {
  const path = join(folder, "inputs.npz");
  const spec = { ...args, lr, threads: numThreads() };
  const { train, held } = await loadTokens(args.text);
  const order = tensor(Int32Array.from(starts), { shape: [steps, starts.length / steps] });
  const bytes = tensor(Uint8Array.from(Buffer.from(JSON.stringify(spec))));
  await saveNpz(path, { ...weights, train, held, starts: order, spec: bytes });
  const python = join(root, "bench/rivals/.venv/bin/python");
  const run = spawnSync(python, [join(import.meta.dirname, "gpt.py"), path], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr || String(run.error));
  const [ours, theirs] = [metrics["held.loss"], Number(run.stdout)];
  console.log(`after ${steps} steps, held-out loss: nabla ${ours.toFixed(4)}, PyTorch ${theirs.toFixed(4)}`);
  if (!(Math.abs(ours - theirs) <= most)) {
    console.error(`they differ by more than ${most}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
