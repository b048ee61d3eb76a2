// One working set near NABLA_MEMORY_LIMIT=256m: `node limit.mjs CASE`. Prints what was counted.
import { constants, PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { grad, manualSeed, memory, nn, ones, optim, randn, tensor, vmap } from "../../../dist/index.js";

const MB = 2 ** 20;
/** A tensor of so many megabytes. */
const block = (megabytes) => ones([megabytes, MB / 4]);
const check = (x) => {
  if (x.at(-1, -1).item() !== 1) throw new Error("a value changed");
};

function train(model, x, steps) {
  const opt = new optim.SGD(model.parameters(), { lr: 1e-4 });
  for (let i = 0; i < steps; i++) {
    opt.zeroGrad();
    model.forward(x).square().mean().backward();
    opt.step();
  }
}

const cases = {
  dropped() {
    for (let i = 0; i < 10; i++) check(block(100));
  },
  replaced() {
    let x = block(100);
    for (let i = 0; i < 10; i++) x = x.mul(1);
    check(x);
  },
  "beside what is held"() {
    const held = block(140);
    for (let i = 0; i < 20; i++) check(block(100));
    check(held);
  },
  "after an old tensor"() {
    const held = block(140);
    let old = block(100);
    for (let k = 0; k < 50_000; k++) ones([4]); // minor collections, which promote it
    check(old);
    old = null;
    for (let i = 0; i < 20; i++) check(block(100)); // the first needs a major collection, those after it none
    check(held);
  },
  "recorded, after an old tensor"() {
    const held = block(100);
    held.requiresGrad = true;
    let old = block(140);
    for (let k = 0; k < 50_000; k++) ones([4]); // minor collections, which promote it
    check(old);
    old = null;
    for (let i = 0; i < 20; i++) check(held.sqrt()); // whose graph saves the result
    check(held);
  },
  "a window of old tensors"() {
    const window = [];
    for (let i = 0; i < 60; i++) {
      window.push(block(20));
      if (window.length > 8) window.shift();
      for (let k = 0; k < 2000; k++) ones([4]); // minor collections: what the window drops is old
    }
    window.forEach(check);
  },
  "other sizes each time"() {
    for (const size of [10, 20, 40, 80, 160, 200, 150, 120, 90, 60, 30, 15, 200]) check(block(size));
  },
  "many small ones"() {
    const fill = () => Array.from({ length: 1500 }, () => ones([32, 1024])).forEach(check);
    for (let i = 0; i < 10; i++) fill();
  },
  "from typed arrays"() {
    for (let i = 0; i < 10; i++) check(tensor(new Float32Array(25 * MB).fill(1), { shape: [100, MB / 4] }));
  },
  training() {
    manualSeed(1);
    const model = new nn.Sequential(...Array.from({ length: 12 }, () => new nn.Tanh()), new nn.Linear(512, 512));
    train(model, randn([6144, 512]), 12); // activations of 12 MB each
  },
  "per-sample gradients"() {
    manualSeed(1);
    const w = randn([256, 256]);
    const xs = randn([128, 256]); // the gradients take 32 MB
    const slope = grad((v, x) => x.matmul(v).tanh().square().sum());
    const each = vmap(slope, { inDims: [null, 0] });
    for (let i = 0; i < 30; i++) each(w, xs).square().sum().item();
  },
  async "with pauses"() {
    for (let i = 0; i < 10; i++) {
      const x = block(100);
      await sleep(1);
      check(x);
    }
  },
  async "in a worker"() {
    const held = block(60);
    const worker = new Worker(new URL(import.meta.url), { workerData: "dropped" });
    await new Promise((resolve, reject) => worker.once("error", reject).once("exit", resolve));
    check(held);
  },
  "more than there is"() {
    const held = [];
    let code;
    try {
      for (;;) held.push(block(50));
    } catch (error) {
      code = error.code;
    }
    if (code !== "ERR_MEMORY" || held.length !== 4) throw new Error(`${code} after ${held.length}`);
    held.forEach(check);
    held.length = 0;
    check(block(200));
  },
};

let majors = 0;
const observer = new PerformanceObserver((list) => {
  majors += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
});
observer.observe({ entryTypes: ["gc"] });
await cases[isMainThread ? process.argv[2] : workerData]();
await sleep(50); // the observer hears of a collection later
if (isMainThread) console.log(JSON.stringify({ peak: memory().peakBytes, majors }));
