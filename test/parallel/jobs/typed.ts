// A job in TypeScript: types that can be erased, and nothing else.
import { defineJob, nn, type Tensor } from "nabla";

interface Args {
  readonly width: number;
}

export default defineJob({
  model: ({ width }: Args) => new nn.Sequential(new nn.Linear(8, width), new nn.ReLU(), new nn.Linear(width, 3)),
  loss: (model: nn.Sequential, [x, y]: [Tensor, Tensor]): Tensor => nn.functional.crossEntropy(model.forward(x), y),
});
