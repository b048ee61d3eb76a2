// Workers die in the middle of steps; the result must not show it.
import { print, train } from "./common.mjs";

const how = process.argv[2];
const sizes = [32, 32, 32, 13];
const deaths = new Int32Array(new SharedArrayBuffer(4));
const args = { deaths, how };
const reference = await train("mlp", { workers: 0 }, sizes);
let terminated = 0;
const hooks = {
  job: "mortal",
  step: (dp, _opt, i) => {
    if (i === 0) return; // the pool starts
    if (how === "starting") {
      // The workers, and a moment later those that are about to take their place.
      const all = async () => Promise.all(dp.sharded.runner?.pool?.threads.map((worker) => worker.terminate()) ?? []);
      if (i === 1) setTimeout(() => all().then(() => setTimeout(all, 5)), 1);
    } else if (how !== "terminate") deaths[0] = 2;
    else
      for (let k = 0; k < 3; k++)
        setTimeout(async () => {
          const pool = dp.sharded.runner?.pool;
          const worker = pool?.threads[k % 2];
          if (worker !== undefined) {
            terminated++;
            await worker.terminate();
          }
        }, Math.random() * 4);
    if (how === "loop")
      setTimeout(async () => Promise.all(dp.sharded.runner.pool.threads.map((worker) => worker.terminate())), 200);
  },
};
const shaken = await train("mlp", { workers: 2, args }, sizes, hooks);
print({ reference, shaken, terminated });
