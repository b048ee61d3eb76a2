// A job in which everything has a state that could be lost: dropout, running averages, an average of the weights, steps of
// two batches, clipping, two schedules. 10 steps an epoch.
import { defineJob, nn, optim, TensorDataset, tensor } from "nabla";

const rows = 100;
const x = tensor(Array.from({ length: rows * 3 }, (_, i) => Math.sin(i * 1.7))).reshape([rows, 3]);
const y = tensor(Array.from({ length: rows }, (_, i) => (i * i) % 3)).to("int64");

export default defineJob({
  args: { width: 8 },
  model: ({ width }) =>
    new nn.Sequential(
      new nn.Linear(3, width),
      new nn.BatchNorm1d(width),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Linear(width, 3),
    ),
  data: () => ({ train: new TensorDataset(x, y), test: new TensorDataset(x, y) }),
  loss: (model, [x, y]) => {
    const output = model.forward(x);
    return { loss: nn.functional.crossEntropy(output, y), output };
  },
  metrics: { accuracy: (output, [, y]) => output.argmax(1).eq(y) },
  batch: 5,
  steps: 60,
  lr: 0.05,
  clip: 0.5,
  accumulate: 2,
  ema: 0.9,
  schedule: (optimizer, { steps, lr }) => [
    new optim.OneCycleLR(optimizer, { maxLr: lr, totalSteps: steps }),
    new optim.ReduceLROnPlateau(optimizer, { patience: 1 }),
  ],
  evaluate: { every: { steps: 7 } },
  stop: { metric: "test.accuracy", patience: 1000 },
  checkpoint: { every: { steps: 4 }, best: "test.loss" },
  shards: 2,
});
