// A training run that saves a checkpoint after each step and continues from the one that is there: node resume.mjs PATH STEPS.
// Prints each step once its checkpoint is on disk, and at the end the bits of the weights. Meant to be killed on the way.
import { existsSync } from "node:fs";
import { loadCheckpoint, manualSeed, nn, optim, rand, saveCheckpoint } from "../../../dist/index.js";

const [path, steps] = [process.argv[2], Number(process.argv[3])];
manualSeed(1);
const model = new nn.Sequential(
  new nn.Linear(4, 16),
  new nn.BatchNorm1d(16),
  new nn.Dropout(0.2),
  new nn.Linear(16, 1),
);
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
const schedule = new optim.StepLR(optimizer, { stepSize: 3, gamma: 0.7 });
let step = 0;
if (existsSync(path)) step = (await loadCheckpoint(path, { model, optimizer, schedule })).step;
while (step < steps) {
  optimizer.zeroGrad();
  model
    .forward(rand([8, 4]))
    .square()
    .mean()
    .backward();
  optimizer.step();
  schedule.step();
  step++;
  await saveCheckpoint(path, { model, optimizer, schedule, step });
  process.stdout.write(`${step}\n`);
}
const bits = model.parameters().flatMap((parameter) => [...new Uint32Array(parameter.toTypedArray().buffer)]);
console.log(JSON.stringify(bits));
