// Trains a job, or goes on with it: node run.mjs URL OUT OPTIONS, these as JSON. Prints each step, and at the end the bits of
// the weights, the metrics and the best evaluation.
import { createHash } from "node:crypto";
import { Trainer } from "nabla";

const [url, out, options] = process.argv.slice(2);
const progress = { name: "progress", afterStep: ({ step }) => void process.stdout.write(`${step}\n`) };
const trainer = new Trainer(url, { ...JSON.parse(options), out, resume: true, callbacks: [progress] });
const { model, reason, step, metrics, best, history } = await trainer.fit();
const hash = createHash("sha256");
for (const x of Object.values(model.stateDict())) hash.update(new Uint8Array(x.toTypedArray().buffer));
console.log(JSON.stringify({ weights: hash.digest("hex"), reason, step, metrics, best, evaluations: history.length }));
