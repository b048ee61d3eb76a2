// A stranger's first minutes, through the package's public face only: `node smoke.mjs` in the repository or where the
// package is installed. NABLA_BINARY chooses the binary in the repository.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { DataParallel, grad, manualSeed, memory, nn, ones, optim, randn, tensor } from "nabla";

function learn() {
  manualSeed(1);
  const model = new nn.Linear(3, 1);
  const opt = new optim.SGD(model.parameters(), { lr: 0.1 });
  const x = randn([64, 3]);
  const y = x.matmul(tensor([[1], [-2], [3]]));
  const loss = () => nn.functional.mseLoss(model.forward(x), y);
  const before = loss().item();
  for (let step = 0; step < 100; step++) {
    opt.zeroGrad();
    loss().backward();
    opt.step();
  }
  assert(loss().item() < before / 1000, "gradient descent finds the line");
}

assert.deepEqual(tensor([[1, 2], [3, 4]]).matmul(ones([2, 1])).toArray(), [[3], [7]]); // biome-ignore format: a matrix
assert.equal(grad((x) => x.mul(x))(3).item(), 6);
learn();

if (isMainThread) {
  const required = createRequire(import.meta.url)("nabla");
  assert.equal(required.tensor, tensor, "import and require give one instance");

  const worker = new Worker(new URL(import.meta.url));
  const answer = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  assert.equal(answer, "learned in a worker");

  const parallel = await DataParallel.load(new URL("./smoke-job.mjs", import.meta.url), { workers: 2 });
  const loss = await parallel.backward([ones([8, 3]), ones([8, 1])]);
  assert(Number.isFinite(loss.item()));
  await parallel.close();
  assert(memory().liveBytes > 0);
  console.log("smoke test passed");
} else parentPort.postMessage("learned in a worker");
