// A job whose data never comes.
import { defineJob, nn } from "../../../dist/index.js";

export default defineJob({
  model: () => new nn.Linear(1, 1),
  data: () => {
    console.error("waiting");
    return new Promise((resolve) => setTimeout(resolve, 60_000));
  },
  loss: (model, [x]) => model.forward(x).mean(),
});
