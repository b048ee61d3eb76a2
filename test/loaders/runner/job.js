import { defineJob, nn } from "nabla";

export default defineJob({
  model: () => new nn.Sequential(new nn.Linear(2, 3), new nn.Tanh(), new nn.Linear(3, 1)),
  loss: (model, [x, y]) => nn.functional.mseLoss(model.forward(x), y),
});
