// What 0, 1, 2 and 4 workers give, for the job, the shards and the default dtype named.
import { setDefaultDtype } from "nabla";
import { print, train } from "./common.mjs";

const [name, shards, dtype] = process.argv.slice(2);
setDefaultDtype(dtype);
// Batch normalization needs two rows a shard.
const sizes = name === "batch-norm" ? [32, 32, 24, 32] : [32, 32, 32, 32, 32, 13, 3, 1];
const results = [];
for (const workers of [0, 1, 2, 4]) results.push(await train(name, { workers, shards: Number(shards) }, sizes));
print(results);
