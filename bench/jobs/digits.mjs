// A perceptron on pictures of the size of digits.
import { defineJob, manualSeed, nn, rand, randint, TensorDataset } from "nabla";

export default defineJob({
  args: {},
  model: () =>
    new nn.Sequential(
      new nn.Linear(784, 512),
      new nn.ReLU(),
      new nn.Linear(512, 256),
      new nn.ReLU(),
      new nn.Linear(256, 10),
    ),
  data: () => {
    manualSeed(1);
    return { train: new TensorDataset(rand([8_000, 784]), randint(0, 10, [8_000])) };
  },
  loss: (model, [x, y]) => nn.functional.crossEntropy(model.forward(x), y),
  batch: 128,
  lr: 1e-3,
});
