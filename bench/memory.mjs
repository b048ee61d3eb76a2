// What training leaves in memory. Each case runs once, in a synchronous loop that never yields, and reports figures.
import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { optim, tensor } from "nabla";
import { networkInputs, uniform } from "./harness/inputs.mjs";
import { lossOf, perceptron } from "./jobs/mlp.mjs";

const MB = 2 ** 20;
const rss = () => process.memoryUsage.rss() / MB;

/** Counts the full collections since its creation; `count` needs a turn of the event loop to hear of them. */
function majorCollections() {
  const MAJOR = 4;
  let [seen, since] = [0, performance.now()];
  const observer = new PerformanceObserver((list) => {
    seen += list.getEntries().filter((entry) => entry.detail.kind === MAJOR && entry.startTime >= since).length;
  });
  observer.observe({ entryTypes: ["gc"] });
  return {
    restart: () => (since = performance.now()),
    async count() {
      await sleep(100);
      observer.disconnect();
      return seen;
    },
  };
}

/** Least-squares slope of equally spaced figures, per step. */
function slope(figures) {
  const [meanX, meanY] = [(figures.length - 1) / 2, figures.reduce((sum, y) => sum + y, 0) / figures.length];
  const over = figures.reduce((sum, y, x) => sum + (x - meanX) * (y - meanY), 0);
  return over / figures.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0);
}

/** Eager steps of a small perceptron; resident memory is read every 20,000 of them. */
export async function steadySteps(spec) {
  const { steps, every } = spec;
  const { x, y } = networkInputs(spec);
  const [input, target] = [tensor(x, { shape: [spec.batch, 2] }), tensor(y, { shape: [spec.batch, 1] })];
  const [model, measure] = [perceptron(spec), lossOf(spec)];
  const opt = new optim.SGD(model.parameters(), { lr: spec.lr });
  const collections = majorCollections();
  const readings = [];
  const start = performance.now();
  for (let step = 1; step <= steps; step++) {
    const loss = measure(model.forward(input), target);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    if (step % every === 0) readings.push(rss());
    if (step === every) collections.restart();
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    metrics: [
      { metric: `growth after the first ${every}`, unit: "MB", value: Math.max(...readings) - readings[0] },
      { metric: "slope", unit: "MB/100k steps", value: (slope(readings) / every) * 1e5 },
      { metric: "resident at the end", unit: "MB", value: readings.at(-1) },
      { metric: "major collections", unit: "count", value: await collections.count() },
      { metric: "time", unit: "us/step", value: (seconds / steps) * 1e6 },
    ],
  };
}

/** Steps whose tape holds 1 GB of activations, beside an application heap of unrelated objects. */
export async function activations({ heap, depth, size, steps }) {
  const unrelated = liveObjects(heap);
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  setFlagsFromString("--no-expose-gc");
  const tensorMB = (size * 4) / MB;
  const live = rss() + (depth + 3) * tensorMB; // the chain, its root, the gradient and the one before it
  const root = tensor(uniform(size, 1), { requiresGrad: true });
  const collections = majorCollections();
  let start = performance.now();
  const settled = 3;
  for (let step = 0; step < steps + settled; step++) {
    if (step === settled) {
      start = performance.now();
      collections.restart();
    }
    let x = root;
    for (let i = 0; i < depth; i++) x = x.tanh();
    root.grad = null;
    x.sum().backward();
  }
  const seconds = (performance.now() - start) / 1000;
  const found = [
    { metric: "peak over the live set", unit: "MB", value: process.resourceUsage().maxRSS / 1024 - live },
    { metric: "live set", unit: "MB", value: live },
    { metric: "major collections", unit: "count", value: await collections.count() },
    { metric: "time", unit: "ms/step", value: (seconds / steps) * 1e3 },
  ];
  if (unrelated.length === 0) throw new Error("the application heap was collected");
  return { metrics: found };
}

function liveObjects(megabytes) {
  const objects = [];
  const before = process.memoryUsage().heapUsed;
  while (process.memoryUsage().heapUsed - before < megabytes * MB) {
    for (let i = 0; i < 20_000; i++) objects.push({ id: i, name: `object ${i}`, values: [i, i + 1, i + 2] });
  }
  return objects;
}
