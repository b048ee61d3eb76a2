// Fails each allocation of the add-on in turn, once and for good, as a workload runs:
//   NABLA_BINARY=build/Release/nabla_failing.node node --expose-gc allocations.mjs [most]
// Each call must give its result or ERR_MEMORY, the one after it its result, and nothing may stay allocated. `most` bounds the
// tries of a case, spread over all of its allocations. Prints what was tried, as JSON.
import { Worker } from "node:worker_threads";
import * as nb from "../../../dist/index.js";
import { addon } from "../../../dist/internal.js";
import { digest, large, random, workloads } from "./workloads.mjs";

const most = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);
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
for (const [name, run] of Object.entries(workloads)) {
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
