// Workers made, put to work on a shared tensor and terminated at random moments: node many-workers.mjs [workers].
import { Worker } from "node:worker_threads";
import { memory, ones } from "nabla";
import { print } from "./common.mjs";

const count = Number(process.argv[2] ?? 100);
const rss = () => process.memoryUsage.rss() / 2 ** 20;
const common = ones([1000]);
const sum = common.sum().item();
const live = memory().liveStorages;
let early = 0;
for (let i = 0; i < count; i += 2) {
  await Promise.all(
    [0, 1].map(async () => {
      const worker = new Worker(new URL("./worker.mjs", import.meta.url));
      worker.postMessage(["compute", common.share()]);
      // Some are ended while they start, some while they compute.
      if (Math.random() < 0.8) await new Promise((resolve) => worker.once("message", resolve));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      await worker.terminate();
    }),
  );
  if (i + 2 === 20) early = rss();
}
print({
  live: memory().liveStorages - live,
  same: common.sum().item() === sum,
  early,
  grown: rss() - early,
  handles: memory().handles,
});
