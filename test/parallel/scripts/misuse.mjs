import { DataParallel, NablaError, nn, ones, scalar, tensor, zeros } from "nabla";
import { job, print } from "./common.mjs";

const said = {};
async function tell(name, f) {
  try {
    await f();
    said[name] = "nothing";
  } catch (error) {
    said[name] = `${error instanceof NablaError ? error.code : error.constructor.name}: ${error.message}`;
  }
}
for (const name of [
  "broken",
  "no-default",
  "not-a-job",
  "top-level-await",
  "throws-at-load",
  "missing-import",
  "no-module",
  "no-parameters",
  "not-there",
]) {
  await tell(name, () => new DataParallel(job(name), { workers: 0 }));
  await tell(`load ${name}`, () => DataParallel.load(job(name), { workers: 0 }));
}
for (const [name, url] of [
  ["model", new nn.Linear(1, 1)],
  ["function", () => new nn.Linear(1, 1)],
  ["path", "./job.js"],
  ["commonjs", new URL("../jobs/commonjs.cjs", import.meta.url)],
]) {
  await tell(name, () => new DataParallel(url));
  await tell(`load ${name}`, () => DataParallel.load(url));
}
await tell("web", () => new DataParallel(new URL("https://example.org/job.js")));
await tell("workers", () => new DataParallel(job("mlp"), { workers: -1 }));
await tell("shards", () => new DataParallel(job("mlp"), { shards: 0 }));
await tell("unknown", () => new DataParallel(job("mlp"), { worker: 1 }));
await tell("seed", () => new DataParallel(job("mlp"), { seed: Number.NaN }));
await tell("args", () => new DataParallel(job("mlp"), { args: { f: () => 1 } }));

const good = [zeros([8, 8]), tensor(new Int32Array(8))];
for (const workers of [0, 1]) {
  const dp = new DataParallel(job("mlp"), { workers });
  const name = (what) => `${what}/${workers}`;
  await tell(name("no batch"), () => dp.backward());
  await tell(name("no tensor"), () => dp.backward([1, 2]));
  await tell(name("scalar"), () => dp.backward([scalar(1)]));
  await tell(name("ragged"), () => dp.backward([zeros([8, 8]), zeros([7])]));
  await tell(name("empty"), () => dp.backward([zeros([0, 8]), zeros([0])]));
  await tell(name("width"), () => dp.backward([zeros([8, 9]), tensor(new Int32Array(8))]));
  await tell(name("class"), () => dp.backward([zeros([8, 8]), tensor([0, 1, 2, 3, 0, 1, 2, 0])]));
  if (workers > 0) await tell(name("function"), () => dp.backward([...good, () => 1]));
  const disposed = ones([8, 8]);
  disposed.dispose();
  await tell(name("disposed"), () => dp.backward([disposed, good[1]]));
  const running = dp.backward(good);
  await tell(name("concurrent"), () => dp.backward(good));
  await running;
  await tell(name("still good"), () => dp.backward(good));
  await dp.close();
  await dp.close();
  await tell(name("closed"), () => dp.backward(good));
}
const dp = new DataParallel(job("mlp"), { workers: 1e6, shards: 2 });
await dp.backward(good);
const running = tell("closed while it ran", () => dp.backward(good));
await dp.close();
await running;
print(said);
