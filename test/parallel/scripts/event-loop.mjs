// How late the main thread's event loop is while two workers compute.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DataParallel, optim, randint, randn } from "nabla";
import { print } from "./common.mjs";

const dp = new DataParallel(new URL("../jobs/wide.mjs", import.meta.url), { workers: 2 });
const opt = new optim.AdamW(dp.model.parameters(), { lr: 1e-3 });
const batch = [randn([512, 256]), randint(0, 10, [512])];
await dp.backward(batch);
const monitor = monitorEventLoopDelay({ resolution: 1 });
monitor.enable();
let steps = 0;
for (const end = performance.now() + 2000; performance.now() < end; steps++) {
  await dp.backward(batch);
  opt.step();
}
monitor.disable();
await dp.close();
print({ steps, p99: monitor.percentile(99) / 1e6 });
