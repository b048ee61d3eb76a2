// npm run test:nodes: what is assumed of the engine, on every supported Node. Arguments go to vitest in place of the files.
import { build } from "./build.mjs";
import { packageBin, run } from "./common.mjs";
import { runtime } from "./runtimes.mjs";

const files = [
  "test/native/collector.test.ts",
  "test/tensor/limit.test.ts",
  "test/tensor/memory.test.ts",
  "test/tensor/javascript-memory.test.ts",
  "test/tensor/idle.test.ts",
  "test/tensor/realms.test.ts",
  "test/core/errors.test.ts",
  "test/package/start.test.ts",
  "test/io",
  "test/data",
  "test/train",
  "test/cli",
  "test/report",
];
const args = process.argv.length > 2 ? process.argv.slice(2) : files;

await build(["native", "lib"]);
for (const version of ["20", "22", "24", "26"]) {
  console.log(`Node ${version}`);
  run(runtime("node", version), [packageBin("vitest"), "run", ...args]);
}
