// Its workers fill their heap.
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
      const held = [];
      for (;;) {
        held.push(new Array(100_000).fill(held.length));
        Atomics.store(state.shards, 0, held.length);
      }
    }
    return mlp.loss(model, batch);
  },
});
