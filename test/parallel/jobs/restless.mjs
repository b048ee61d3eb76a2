// Its workers throw behind the job's back, now and then.
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
    if (!isMainThread) {
      const count = Atomics.add(state.shards, 0, 1);
      queueMicrotask(() => {
        if (count % 16 === 5) throw new Error("thrown outside of the job");
      });
    }
    return mlp.loss(model, batch);
  },
});
