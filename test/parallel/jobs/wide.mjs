import { defineJob, nn } from "nabla";

export default defineJob({
  model: () => new nn.Sequential(new nn.Linear(256, 512), new nn.ReLU(), new nn.Linear(512, 10)),
  loss: (model, [x, y]) => nn.functional.crossEntropy(model.forward(x), y),
});
