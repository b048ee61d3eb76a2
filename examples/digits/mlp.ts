/** A multilayer perceptron that reads handwritten digits: what `npm start` trains. */
import { defineJob, nn, optim } from "nabla";
import { accuracy, classify } from "../classify.js";
import { loadDigits, side } from "./data.js";
import { RandomAffine, scaled } from "./pixels.js";

export default defineJob({
  args: { mnist: "", validate: false, dropout: 0.1 },
  model: ({ dropout }) =>
    new nn.Sequential(
      scaled,
      new RandomAffine(side, { shift: 2, degrees: 0, scale: 0 }),
      new nn.Linear(side ** 2, 512),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(512, 256),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(256, 10),
    ),
  data: ({ args }) => loadDigits(args),
  loss: classify,
  metrics: { accuracy },
  batch: 256,
  epochs: 30,
  lr: 3e-3,
  optimizer: (parameters, { lr }) => new optim.AdamW(parameters, { lr, weightDecay: 0.01 }),
  schedule: (optimizer, { steps, lr }) => new optim.OneCycleLR(optimizer, { maxLr: lr, totalSteps: steps }),
  seed: 1,
  workers: 2,
  shards: 4,
});
