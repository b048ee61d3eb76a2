// Fails each allocation of the add-on in turn, once and for good, as a workload runs:
//   NABLA_BINARY=build/Release/nabla_failing.node node --expose-gc allocations.mjs [most]
// Each call must give its result or ERR_MEMORY, the one after it its result, and nothing may stay allocated. `most` bounds the
// tries of a case, spread over all of its allocations. Prints what was tried, as JSON.
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import * as nb from "../../../dist/index.js";
import { addon } from "../../../dist/internal.js";

const most = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);
const { nn, optim } = nb;
const digest = (x) => createHash("sha1").update(new Uint8Array(x.toTypedArray().buffer)).digest("hex");
const random = (shape, options) => nb.randn(shape, { generator: new nb.RandomGenerator(1), ...options });
const leaf = (shape) => random(shape, { requiresGrad: true });

const spd = (n) => {
  const a = random([n, n], { dtype: "float64" });
  return a.matmul(a.t()).add(nb.eye(n, { dtype: "float64" }).mul(n));
};

/** Differentiates f by tensors of the shapes; the digests of loss and gradients. */
function gradients(f, ...shapes) {
  const xs = shapes.map(leaf);
  const y = f(...xs)
    .square()
    .mean();
  y.backward();
  return [y, ...xs.map((x) => x.grad)].map(digest).join();
}

function train(make) {
  const model = new nn.Sequential(
    new nn.Linear(40, 64),
    new nn.Tanh(),
    new nn.Linear(64, 300),
    new nn.Linear(300, 300),
  );
  for (const [i, p] of model.parameters().entries()) nb.noGrad(() => p.assign(random(p.shape).mul(0.1 + i / 100)));
  const opt = make(model.parameters());
  const x = random([8, 40]);
  const step = () => {
    opt.zeroGrad();
    const loss = model.forward(x).square().mean();
    loss.backward();
    return loss;
  };
  for (let i = 0; i < 2; i++)
    if (opt instanceof optim.LBFGS) opt.step(step);
    else {
      step();
      opt.step();
    }
  return model.parameters().map(digest).join();
}

const large = [2 ** 20 + 7];
const cases = {
  create: () => digest(nb.tensor([1, 2, 3])) + digest(nb.zeros(large)) + digest(nb.arange(1000)),
  "typed array": () => digest(nb.tensor(new Float32Array(2 ** 20).fill(2))),
  halves: () => digest(nb.tensor(new Float32Array(2 ** 12).fill(2), { dtype: "bfloat16" }).exp()),
  "many small": () => {
    const all = Array.from({ length: 6000 }, (_, i) => nb.scalar(i));
    return all.reduce((sum, x) => sum + x.item(), 0);
  },
  "a long tape": () => {
    const x = nb.scalar(1, { requiresGrad: true });
    let y = x;
    for (let i = 0; i < 3000; i++) y = y.mul(1.0001);
    y.backward();
    return x.grad.item();
  },
  "many operands": () => digest(nb.cat(Array.from({ length: 3000 }, (_, i) => nb.scalar(i).reshape([1])))),
  map: () => digest(random(large).sigmoid()) + digest(random([7]).exp()),
  broadcast: () =>
    digest(
      random([700, 1])
        .mul(random([1, 900]))
        .add(1),
    ),
  strided: () =>
    digest(
      random([600, 700])
        .t()
        .add(random([700, 600]))
        .contiguous(),
    ),
  cast: () => digest(random(large).to("float64").to("int32")),
  reduce: () => digest(random([300, 900]).sum(0)) + digest(random(large).mean()) + digest(random([30, 40]).argmax(1)),
  scan: () => digest(random([20, 30000]).cumsum(1)) + digest(random([20, 30]).cumprod(0)),
  sort: () => digest(random([200_000]).sort().values) + digest(random([50, 900]).argsort(1)),
  topk: () => digest(random([20, 5000]).topk(9).values),
  median: () => digest(random([20, 500]).median(1).values) + digest(random([5000]).quantile(0.3)),
  matmul: () =>
    digest(random([300, 400]).matmul(random([400, 500]))) + digest(random([3, 400]).matmul(random([400, 500]))),
  "batched matmul": () => digest(random([6, 1, 30, 40]).matmul(random([5, 40, 50]))),
  linear: () => gradients((x, w, b) => nb.linear(x, w, b).relu(), [64, 128], [256, 128], [256]),
  einsum: () => digest(nb.einsum("bij,bjk->bik", random([4, 20, 30]), random([4, 30, 20]))),
  conv2d: () => gradients((x, w) => nb.conv2d(x, w, null, { padding: 1 }), [2, 8, 20, 20], [16, 8, 3, 3]),
  "strided conv2d": () =>
    gradients((x, w) => nb.conv2d(x, w, null, { stride: 2, groups: 2 }), [2, 8, 21, 21], [16, 4, 3, 3]),
  "depthwise conv2d": () => gradients((x, w) => nb.conv2d(x, w, null, { groups: 8 }), [2, 8, 20, 20], [8, 1, 3, 3]),
  convTranspose2d: () => gradients((x, w) => nb.convTranspose2d(x, w), [2, 8, 10, 10], [8, 4, 3, 3]),
  "large conv2d": () => gradients((x, w) => nb.conv2d(x, w, null, { padding: 1 }), [1, 256, 7, 7], [512, 256, 3, 3]),
  pool: () => gradients((x) => nb.avgPool2d(nb.maxPool2d(x, 2), 2), [2, 4, 20, 20]),
  attention: () =>
    gradients(
      (q, k, v) => nb.scaledDotProductAttention(q, k, v, { isCausal: true }),
      [2, 4, 60, 16],
      [2, 4, 60, 16],
      [2, 4, 60, 16],
    ),
  "long attention": () =>
    gradients((q, k, v) => nb.scaledDotProductAttention(q, k, v), [1, 1, 1100, 8], [1, 1, 1100, 8], [1, 1, 1100, 8]),
  softmax: () => gradients((x) => x.softmax(-1).add(x.logSoftmax(-1)), [100, 500]),
  crossEntropy: () => gradients((x) => nb.crossEntropy(x, nb.arange(100)), [100, 500]),
  norms: () => gradients((x, w) => nb.layerNorm(x, [500], { weight: w }).add(nb.rmsNorm(x, [500])), [100, 500], [500]),
  batchNorm: () =>
    gradients(
      (x, w, b) => nb.batchNorm(x, null, null, { weight: w, bias: b, training: true }),
      [8, 16, 10, 10],
      [16],
      [16],
    ),
  lstm: () => {
    const model = new nn.LSTM(8, 16);
    for (const p of model.parameters()) nb.noGrad(() => p.assign(random(p.shape)));
    return digest(model.forward(random([5, 4, 8])).output);
  },
  index: () =>
    digest(random([50, 60]).at([3, 1, 4], ":")) + digest(random([50, 60]).gather(0, nb.arange(50).reshape([50, 1]))),
  scatter: () => digest(nb.zeros([50, 60]).scatterAdd(0, nb.zeros([50, 60], { dtype: "int32" }), random([50, 60]))),
  nonzero: () => digest(random([5000]).gt(0).nonzero()) + digest(nb.maskedSelect(random([5000]), random([5000]).gt(0))),
  embedding: () => gradients((w) => nb.embedding(nb.arange(50), w), [100, 30]),
  unique: () => digest(random([500]).mul(5).to("int32").unique().values),
  cat: () => digest(nb.cat([random([40, 50]), random([30, 50])])) + digest(nb.stack([random([40]), random([40])])),
  pad: () =>
    digest(random([40, 50]).pad([1, 2, 3, 4])) +
    digest(random([40, 50]).roll(3, 0)) +
    digest(random([4, 5]).tile([9, 9])),
  cholesky: () => digest(spd(40).cholesky()),
  qr: () => digest(random([60, 40], { dtype: "float64" }).qr().r),
  svd: () => digest(random([30, 20], { dtype: "float64" }).svd().s),
  eigh: () => digest(nb.eigh(spd(20)).values),
  solve: () =>
    digest(spd(40).solve(random([40, 3], { dtype: "float64" }))) + digest(spd(40).inv()) + digest(spd(30).det()),
  random: () => {
    nb.manualSeed(3);
    return (
      digest(nb.rand([5000])) +
      digest(nb.randperm(900)) +
      digest(nb.dropout(nb.ones([5000]), 0.5)) +
      digest(nb.bernoulli(nb.full([500], 0.5)))
    );
  },
  multinomial: () => {
    nb.manualSeed(3);
    return digest(nb.multinomial(nb.ones([500]), 20));
  },
  jvp: () => digest(nb.jvp((x) => x.sin().mul(x), [random([500])], [random([500])])[1]),
  hessian: () => digest(nb.hessian((x) => x.pow(3).sum())(random([6]))),
  vmap: () => digest(nb.vmap(nb.grad((x) => x.square().sum()))(random([20, 30]))),
  checkpoint: () => gradients((x) => nb.checkpoint((y) => y.sin().exp(), x), [500]),
  detectAnomaly: () => nb.detectAnomaly(() => gradients((x) => x.exp(), [50])),
  scope: () => digest(nb.scope(() => random([300, 300]).matmul(random([300, 300])))),
  retained: () => {
    const x = leaf([400]);
    const y = x.square().sum();
    y.backward({ retainGraph: true });
    y.backward();
    return digest(x.grad);
  },
  assign: () => digest(nb.zeros([400]).assign(random([400]))),
  share: () => digest(nb.attach(random([400]).share())),
  safetensors: () => digest(nb.decodeSafetensors(nb.encodeSafetensors({ a: random([400]) })).a),
  print: () => String(random([40, 40])).length,
  graph: () => nb.graph(leaf([3]).mul(2).sum()).toDot().length,
  "clip the norm": () => {
    const p = leaf([4000]);
    p.square().sum().backward();
    return optim.clipGradNorm([p], 1).item();
  },
  SGD: () => train((p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 })),
  AdamW: () => train((p) => new optim.AdamW(p, { lr: 0.1 })),
  RMSprop: () => train((p) => new optim.RMSprop(p, { lr: 0.01 })),
  Adagrad: () => train((p) => new optim.Adagrad(p, { lr: 0.01 })),
  Lion: () => train((p) => new optim.Lion(p, { lr: 0.01 })),
  LBFGS: () => train((p) => new optim.LBFGS(p, { lr: 0.1, maxIter: 3 })),
};

/** Collects and reclaims until nothing more is found, so that what is live is what somebody holds. */
async function settle() {
  addon.failAllocation(0); // gives back scratch, which counts as live
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    globalThis.gc();
    addon.reclaim();
  }
  const { liveBytes, liveStorages } = nb.memory();
  return { liveBytes, liveStorages };
}

/** Small results live as long as any of the sixteen that share a weak reference. */
const grown = (before, after) =>
  after.liveBytes > before.liveBytes + 16 * 512 + 4096 || after.liveStorages > before.liveStorages + 16;

const found = { cases: 0, allocations: 0, tries: 0, refused: 0, wrong: [] };

function attempt(name, run, expected, n, forGood) {
  const where = `${name}, allocation ${n}${forGood ? " and all after it" : ""}`;
  found.tries++;
  addon.failAllocation(n, forGood);
  let error = null;
  let result;
  try {
    result = run();
  } catch (caught) {
    error = caught;
  }
  addon.failAllocation(0);
  if (error !== null) {
    found.refused++;
    if (!(error instanceof nb.NablaError) || error.code !== "ERR_MEMORY")
      found.wrong.push(`${where}: ${error.stack ?? error}`);
  } else if (result !== expected) found.wrong.push(`${where}: another result`);
  try {
    if (run() !== expected) found.wrong.push(`${where}: another result in the next call`);
  } catch (caught) {
    found.wrong.push(`${where}: the next call: ${caught.stack ?? caught}`);
  }
}

// Threads that cannot be started are done without.
nb.setNumThreads(1);
const [from, to] = [random(large), nb.zeros(large)];
nb.setNumThreads(2);
addon.failAllocation(1, true);
to.assign(from);
found.tries++;
found.cases++;
if (addon.failAllocation(0) === 0) found.wrong.push("threads: none was started");
if (digest(to) !== digest(from)) found.wrong.push("threads: another result");

nb.setNumThreads(1);
for (const [name, run] of Object.entries(cases)) {
  if (process.env.NABLA_CASE !== undefined && process.env.NABLA_CASE !== name) continue;
  const expected = run();
  if (run() !== expected) throw new Error(`${name}: two runs differ`);
  addon.failAllocation(0);
  run();
  const count = addon.failAllocation(0);
  found.cases++;
  found.allocations += count;
  const step = Math.max(1, Math.ceil(count / most));
  const round = async () => {
    for (let n = 1; n <= count; n += step)
      for (const forGood of [false, true]) attempt(name, run, expected, n, forGood);
    return settle();
  };
  const before = await settle();
  let after = await round();
  // The engine may hold on to what the last run made; what leaks grows with every round.
  if (grown(before, after)) after = await round();
  if (grown(before, after) && grown(after, await round()))
    found.wrong.push(`${name}: ${JSON.stringify(before)} before, ${JSON.stringify(after)} after`);
}

/** A worker that loads the add-on while the n-th allocation fails ends with an error or works. */
const source = `import("${new URL("../../../dist/index.js", import.meta.url)}").then(
  (nb) => require("node:worker_threads").parentPort.postMessage(nb.tensor([1, 2]).sum().item()))
  .catch((error) => require("node:worker_threads").parentPort.postMessage(error.code));`;
const start = () =>
  new Promise((resolve) => {
    const worker = new Worker(source, { eval: true });
    let said = null;
    worker.on("message", (message) => {
      said = message;
    });
    worker.on("error", (error) => {
      said = error.message;
    });
    worker.on("exit", () => resolve(said));
  });
if (process.env.NABLA_CASE === undefined) {
  await start();
  addon.failAllocation(0);
  await start();
  const count = addon.failAllocation(0);
  found.cases++;
  found.allocations += count;
  for (let n = 1; n <= count; n += Math.max(1, Math.ceil(count / most))) {
    found.tries++;
    addon.failAllocation(n, true);
    const said = await start();
    addon.failAllocation(0);
    if (said !== 3) found.refused++;
    if (said !== 3 && said !== "ERR_MEMORY" && said !== "ERR_NATIVE")
      found.wrong.push(`a worker, allocation ${n}: ${said}`);
  }
  if ((await start()) !== 3) found.wrong.push("a worker after failures");
}
console.log(JSON.stringify(found));
