// A convolutional net in which everything has a state that could be lost.
import { defineJob, nn, optim, RandomGenerator, randint, randn, TensorDataset } from "nabla";

const generator = new RandomGenerator(7);
const images = (count) =>
  new TensorDataset(randn([count, 1, 12, 12], { generator }), randint(0, 10, [count], { generator }));

export default defineJob({
  args: { channels: 8 },
  model: ({ channels }) =>
    new nn.Sequential(
      new nn.Conv2d(1, channels, 3, { padding: 1 }),
      new nn.BatchNorm2d(channels),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(channels, 2 * channels, 3, { padding: 1 }),
      new nn.BatchNorm2d(2 * channels),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Dropout(0.3),
      new nn.Linear(18 * channels, 10),
    ),
  data: () => ({ train: images(800), test: images(96) }),
  loss: (model, [x, y]) => {
    const output = model.forward(x);
    return { loss: nn.functional.crossEntropy(output, y), output };
  },
  metrics: { accuracy: (output, [, y]) => output.argmax(1).eq(y) },
  batch: 16,
  steps: 600,
  lr: 0.01,
  clip: 1,
  accumulate: 2,
  ema: 0.99,
  schedule: (optimizer) => new optim.ReduceLROnPlateau(optimizer, { patience: 2, factor: 0.7 }),
  evaluate: { every: { steps: 23 } },
  stop: { metric: "test.accuracy", patience: 1000 },
  checkpoint: { every: { steps: 7 }, best: "test.loss" },
  shards: 4,
});
