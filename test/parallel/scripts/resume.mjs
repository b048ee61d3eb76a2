// Trains from a saved state, if there is one, to a step, and saves: arguments are workers, the last step, and the file.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { DataLoader, DataParallel, manualSeed, optim, randint, randn, TensorDataset, tensor } from "nabla";
import { digest, job, print } from "./common.mjs";

const [workers, last, file] = process.argv.slice(2);
manualSeed(1);
const data = new TensorDataset(randn([96, 8]), randint(0, 3, [96]));
const loader = new DataLoader(data, { batchSize: 16, shuffle: true, seed: 2 });
const resumed = existsSync(file);
// Whatever was drawn before: the seed of the restarted run is that of the first.
manualSeed(resumed ? 77 : 3);
const dp = await DataParallel.load(job("mlp"), { workers: Number(workers), shards: 4 });
const opt = new optim.AdamW(dp.model.parameters(), { lr: 0.01 });
const plain = (_, value) =>
  value?.toTypedArray === undefined ? value : { array: value.toArray(), dtype: value.dtype };
const revived = (_, value) => (value?.array === undefined ? value : tensor(value.array, { dtype: value.dtype }));
if (resumed) {
  const state = JSON.parse(readFileSync(file, "utf8"), revived);
  dp.model.loadStateDict(state.model);
  opt.loadStateDict(state.opt);
  loader.loadStateDict(state.loader);
  dp.loadStateDict(state.dp);
}
const losses = [];
let state;
loop: for (;;)
  for (const batch of loader) {
    losses.push((await dp.backward(batch)).item());
    opt.step();
    if (dp.stateDict().step < Number(last)) continue;
    state = { model: dp.model.stateDict(), opt: opt.stateDict(), loader: loader.stateDict(), dp: dp.stateDict() };
    break loop;
  }
await dp.close();
const text = JSON.stringify(state, function (key, value) {
  return plain(key, this[key] ?? value);
});
writeFileSync(file, text);
print({ losses, weights: digest(dp.model.parameters()), state: dp.stateDict() });
