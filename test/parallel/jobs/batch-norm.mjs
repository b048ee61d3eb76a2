// A model that changes its buffers while it trains.
import { defineJob, nn } from "nabla";

export default defineJob({
  model: () =>
    new nn.Sequential(
      new nn.Linear(8, 16),
      new nn.BatchNorm1d(16, { momentum: 0.5 }),
      new nn.ReLU(),
      new nn.Linear(16, 3),
    ),
  loss: (model, [x, y]) => nn.functional.crossEntropy(model.forward(x), y),
});
