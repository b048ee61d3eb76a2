// A pool that has failed, or never started, is not kept.
import { createRequire } from "node:module";
import { DataParallel, tensor, zeros } from "nabla";
import { job, print } from "./common.mjs";
import { alive } from "./threads.mjs";

const threads = createRequire(import.meta.url)("node:worker_threads");
const batch = [zeros([16, 8]), tensor(new Int32Array(16))];
const said = {};
const dp = new DataParallel(job("mlp"), { workers: 2, seed: 5 });
const { Worker } = threads;
threads.Worker = class {
  constructor() {
    throw new Error("no thread to be had");
  }
};
said.failed = await dp.backward(batch).then(
  () => "finished",
  (error) => `${error.name} ${error.code}: ${error.message}`,
);
said.step = dp.stateDict().step;
threads.Worker = Worker;
said.next = (await dp.backward(batch)).item();
// Both workers end while nothing runs.
await Promise.all([...alive].map((worker) => worker.terminate()));
said.afterIdleDeaths = (await dp.backward(batch)).item();
await dp.close();
const inline = new DataParallel(job("mlp"), { workers: 0, seed: 5 });
inline.model.copyFrom(dp.model);
said.inline = [(await inline.backward(batch)).item(), (await inline.backward(batch)).item()];
said.left = alive.size;
const dead = new DataParallel(job("mlp"), { workers: 2 });
threads.Worker = class {
  constructor() {
    throw new Error("no thread to be had");
  }
};
const failing = dead.backward(batch).catch((error) => error.code);
await dead.close();
said.closedWhileFailing = await failing;
print(said);
