// A user's own worker: does what it is told, one message at a time.
import { parentPort, threadId } from "node:worker_threads";
import { attach, manualSeed, memory, noGrad, ones, randn, scope, tensor, zeros } from "nabla";

const held = new Map();
const commands = {
  attach: (name, shared) => {
    held.set(name, attach(shared));
    return held.get(name).toArray();
  },
  read: (name) => held.get(name).toArray(),
  write: (name, value) => noGrad(() => held.get(name).assign(value)),
  share: (name, values) => {
    held.set(name, tensor(values));
    return held.get(name).share();
  },
  drop: (name) => {
    held.get(name).dispose();
    held.delete(name);
    return memory().liveStorages;
  },
  /** Trains a small net, multiplies and allocates until it is terminated. */
  compute: (shared) => {
    manualSeed(threadId);
    const common = attach(shared);
    const w = randn([32, 32], { requiresGrad: true });
    parentPort.postMessage("computing");
    for (let i = 0; ; i++) {
      const big = i % 50 === 0 ? ones([1 << 18]) : null;
      const loss = w
        .matmul(randn([32, 8]))
        .tanh()
        .add(common.sum())
        .square()
        .mean();
      loss.backward();
      noGrad(() => w.assign(w.sub(w.grad.mul(0.01))));
      w.grad = null;
      const wide = zeros([128, 128]).matmul(zeros([128, 128]));
      if (i % 20 === 0) scope(() => randn([64]).share());
      big?.dispose();
      wide.add(1);
    }
  },
};
parentPort.on("message", ([command, ...args]) => {
  try {
    parentPort.postMessage({ value: commands[command](...args) ?? null });
  } catch (error) {
    parentPort.postMessage({ code: error.code, message: error.message });
  }
});
