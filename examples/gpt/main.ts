/**
 * Trains the GPT of job.ts, and prints what it writes at each evaluation. Goes on where it was interrupted.
 * Run: node build/examples/gpt/main.js [FOLDER]
 */
import { type Callback, Trainer } from "nabla";
import type { Gpt } from "./model.js";
import { writeText } from "./sample.js";

const out = process.argv[2] ?? "runs/gpt";

const samples: Callback = {
  name: "samples",
  onEvaluate({ step, metrics }, { model }) {
    console.log(`step ${step}: loss ${metrics["held.loss"]?.toFixed(3)} on the held-out tenth`);
    console.log(`${writeText(model as Gpt, "\n", { length: 300, seed: step, temperature: 0.8 })}\n`);
  },
};
const trainer = new Trainer(new URL("./job.js", import.meta.url), { out, resume: true, callbacks: [samples] });
const { reason, step } = await trainer.fit();
console.log(`${reason} at step ${step}; checkpoints are in ${out}`);
