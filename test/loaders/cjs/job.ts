import { defineJob, nn, type Tensor } from "nabla";

export default defineJob({
  model: (width: number) => new nn.Sequential(new nn.Linear(2, width), new nn.Tanh(), new nn.Linear(width, 1)),
  loss: (model, [x, y]: [Tensor, Tensor]) => nn.functional.mseLoss(model.forward(x), y),
});
