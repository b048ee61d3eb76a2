import { defineJob, nn } from "nabla";

export default defineJob({
  args: { width: 4 },
  model: ({ width }) => new nn.Linear(2, width),
  loss: (model, x) => model.forward(x).mean(),
  seed: 5,
  shards: 3,
  workers: 0,
});
