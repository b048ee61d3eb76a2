// Its workers die where the shared memory in `args` says: deaths[0] is how many more, calls[0] counts.
import { isMainThread } from "node:worker_threads";
import { defineJob } from "nabla";
import mlp from "./mlp.mjs";

let state = null;
export default defineJob({
  model: (args) => {
    state = args;
    return mlp.model();
  },
  loss: (model, batch) => {
    const loss = mlp.loss(model, batch);
    if (!isMainThread && state !== null) {
      const { deaths, how } = state;
      if (Atomics.load(deaths, 0) > 0 && Atomics.sub(deaths, 0, 1) > 0) {
        if (how === "exit") process.exit(7);
        if (how === "async") {
          setImmediate(() => {
            throw new Error("thrown outside of any task");
          });
          return loss;
        }
        for (;;); // until it is terminated
      }
    }
    return loss;
  },
});
