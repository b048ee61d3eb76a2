// Under hooks of `require`: load imports the job, and so do workers; what `new` gets is another nabla.
import { createRequire } from "node:module";
import { DataParallel, nn, tensor, zeros } from "nabla";
import { job, print } from "./common.mjs";

const batch = [zeros([16, 8]), tensor(new Int32Array(16))];
const second = createRequire(import.meta.url)("nabla");
const said = { twice: second.nn.Linear !== nn.Linear };
// Both run on one native add-on in this thread.
const mine = tensor([1, 2, 3], { requiresGrad: true });
const theirs = second.tensor([4, 5, 6], { requiresGrad: true });
const sums = [];
for (let i = 0; i < 3000; i++) {
  const [a, b] = [mine.mul(i).sum(), theirs.square().sum()];
  mine.grad = null;
  theirs.grad = null;
  a.backward();
  b.backward();
  if (i % 1000 === 2) sums.push(a.item(), b.item(), mine.grad.toArray(), theirs.grad.toArray());
}
said.sums = sums;
for (const workers of [0, 2]) {
  const dp = await DataParallel.load(job("mlp"), { workers, seed: 1 });
  said[`load/${workers}`] = (await dp.backward(batch)).item() > 0;
  await dp.close();
}
try {
  new DataParallel(job("mlp"));
} catch (error) {
  said.new = `${error.name} ${error.code}: ${error.message}`;
}
print(said);
