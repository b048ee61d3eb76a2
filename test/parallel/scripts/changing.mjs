// What the main thread changes between steps reaches the workers: modes, frozen parameters, weights, dtypes.
import { print, train } from "./common.mjs";

const hooks = {
  step: (dp, opt, i) => {
    const { model } = dp;
    if (i === 1) model.eval();
    if (i === 2) model.train();
    if (i === 3) model.children()[2].eval();
    if (i === 4) model.parameters()[0].requiresGrad = false;
    if (i === 5) model.parameters()[0].requiresGrad = true;
    if (i === 6) opt.paramGroups[0].lr = 0.5;
    if (i === 7)
      model.loadStateDict(Object.fromEntries(Object.entries(model.stateDict()).map(([k, v]) => [k, v.mul(2)])));
  },
};
const results = [];
for (const workers of [0, 2]) results.push(await train("mlp", { workers, shards: 4 }, Array(9).fill(16), hooks));
print(results);
