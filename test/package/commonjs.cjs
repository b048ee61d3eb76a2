// A CommonJS program in a project with nabla: both ways of making a DataParallel give the same, in workers too.
const assert = require("node:assert/strict");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
const { DataParallel, manualSeed, ones } = require("nabla");

const url = pathToFileURL(join(__dirname, "smoke-job.mjs"));

async function lossOf(make, workers) {
  manualSeed(1);
  const parallel = await make(url, { workers });
  const loss = await parallel.backward([ones([8, 3]), ones([8, 1])]);
  await parallel.close();
  return loss.item();
}

async function main() {
  const ways = [DataParallel.load, (...args) => new DataParallel(...args)];
  const losses = [];
  for (const make of ways) for (const workers of [0, 2]) losses.push(await lossOf(make, workers));
  assert(losses[0] > 0);
  assert.deepEqual(losses, Array(4).fill(losses[0]));
}
void main();
