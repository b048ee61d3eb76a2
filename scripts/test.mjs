// npm test: installs, builds, checks, and runs the C++ and the TypeScript tests. Arguments go to vitest.
import { packageBin, runNode } from "./common.mjs";
import { ensure } from "./ensure.mjs";

await ensure();
runNode([packageBin("vitest"), "run", ...process.argv.slice(2)]);
