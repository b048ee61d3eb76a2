// Resident memory after a burst of 2 GB: `node idle.mjs exit` ends after the burst, `node idle.mjs wait` after 10 s.
import { constants, PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { memory, ones } from "../../../dist/index.js";

const MB = 2 ** 20;
const rss = () => process.memoryUsage.rss() / MB;
let majors = 0;
new PerformanceObserver((list) => {
  majors += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
}).observe({ entryTypes: ["gc"] });

function burst() {
  const large = Array.from({ length: 16 }, () => ones([64, MB / 4]));
  const middling = Array.from({ length: 512 }, () => ones([MB / 4]));
  const small = Array.from({ length: 8192 }, () => ones([64, 256]));
  return [...large, ...middling, ...small].reduce((sum, x) => sum + x.numel * 4, 0) / MB;
}

ones([1000]).add(1).sum().item();
const before = rss();
const burstMB = burst();
const after = rss();
if (process.argv[2] === "wait") {
  await sleep(50);
  majors = 0;
  await sleep(10_000);
}
const { cachedBytes } = memory();
console.log(
  JSON.stringify({ burst: burstMB, before, after, end: rss(), majors, cached: cachedBytes / MB, at: Date.now() }),
);
