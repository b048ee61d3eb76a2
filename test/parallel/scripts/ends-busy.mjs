// The process ends while workers compute, in the way named.
import { Worker } from "node:worker_threads";
import { ones } from "nabla";

const how = process.argv[2];
const x = ones([1000]);
const workers = [0, 1, 2].map(() => new Worker(new URL("./worker.mjs", import.meta.url)));
await Promise.all(
  workers.map((worker) => {
    worker.postMessage(["compute", x.share()]);
    return new Promise((resolve) => worker.once("message", resolve));
  }),
);
const big = ones([600, 600]);
if (how === "exit") process.exit(3);
if (how === "exit while computing") {
  setTimeout(() => process.exit(3), 5);
  for (let i = 0; i < 1000; i++) {
    big.matmul(big);
    await null;
    if (i % 5 === 0) await new Promise(setImmediate);
  }
}
if (how === "throws") throw new Error("uncaught in main");
if (how === "ends") for (const worker of workers) worker.unref();
if (how === "killed") process.kill(process.pid, "SIGTERM");
