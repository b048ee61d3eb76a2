/** A convolutional net that reads handwritten digits. */
import { defineJob, nn, optim, type Tensor } from "nabla";
import { accuracy, classify } from "../classify.js";
import { loadDigits, side } from "./data.js";
import { RandomAffine, scaled } from "./pixels.js";

/** A convolution that keeps the size, normalized. */
const block = (inputs: number, outputs: number) => [
  new nn.Conv2d(inputs, outputs, 3, { padding: 1, bias: false }),
  new nn.BatchNorm2d(outputs),
  new nn.ReLU(),
];

export default defineJob({
  args: { mnist: "", validate: false, width: 24, dropout: 0.3 },
  model: ({ width, dropout }) =>
    new nn.Sequential(
      scaled,
      new RandomAffine(side, { shift: 2, degrees: 10, scale: 0.1 }),
      (x: Tensor) => x.reshape([-1, 1, side, side]),
      ...block(1, width),
      ...block(width, width),
      new nn.MaxPool2d(2),
      ...block(width, 2 * width),
      ...block(2 * width, 2 * width),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Dropout(dropout),
      new nn.Linear((2 * width * side ** 2) / 16, 10),
    ),
  data: ({ args }) => loadDigits(args),
  loss: classify,
  metrics: { accuracy },
  batch: 64,
  epochs: 15,
  lr: 3e-3,
  optimizer: (parameters, { lr }) => new optim.AdamW(parameters, { lr, weightDecay: 0.05 }),
  schedule: (optimizer, { steps, lr }) => new optim.OneCycleLR(optimizer, { maxLr: lr, totalSteps: steps }),
  seed: 1,
  shards: 1,
});
