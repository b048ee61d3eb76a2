// close() at every moment: it settles once, when no thread is left, whatever workers do meanwhile.

import { DataParallel, tensor, zeros } from "nabla";
import { job, print } from "./common.mjs";
import { alive, started } from "./threads.mjs";

const [how, count] = process.argv.slice(2);
const batch = [zeros([16, 8]), tensor(new Int32Array(16))];
const outcomes = {};
const left = [];
for (let i = 0; i < Number(count); i++) {
  const shards = new Int32Array(new SharedArrayBuffer(4));
  const dp = new DataParallel(job(how), { workers: 2, args: { shards } });
  const running = dp.backward(batch).then(
    () => "finished",
    (error) => `${error.name} ${error.code}: ${error.message}`,
  );
  if (how === "greedy") {
    // Its heap ends with about 54 arrays: close comes shortly before, while it is collected again and again.
    let over = false;
    void running.then(() => {
      over = true;
    });
    while (!over && Atomics.load(shards, 0) < 48 + (i % 8)) await new Promise((resolve) => setTimeout(resolve, 0));
  } else {
    // Every other time from before the workers have started, else from the first shard on.
    const computing = how === "restless" && i % 2 === 1;
    while (computing && Atomics.load(shards, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, (i / count) * 400));
  }
  const [first, second] = [dp.close(), dp.close()];
  if (first !== second) throw new Error("close gave two promises");
  await first;
  left.push(alive.size);
  const outcome = await Promise.race([running, new Promise((resolve) => setImmediate(resolve, "pending after close"))]);
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
// What piscina might still do.
await new Promise((resolve) => setTimeout(resolve, 50));
left.push(alive.size);
print({ outcomes, left, started });
