import { defineJob, nn } from "nabla";

export default defineJob({
  model: () => new nn.Sequential(new nn.Linear(8, 16), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(16, 3)),
  loss: (model, [x, y]) => nn.functional.crossEntropy(model.forward(x), y),
});
