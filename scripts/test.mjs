// npm test: installs, builds, checks, and runs the C++ and the TypeScript tests. Arguments go to vitest.
import { join } from "node:path";
import { packageBin, root, runNode } from "./common.mjs";
import { ensure } from "./ensure.mjs";
import { testNative } from "./test-native.mjs";

await ensure();
runNode([join(root, "scripts", "check.mjs")]);
testNative();
runNode([packageBin("vitest"), "run", ...process.argv.slice(2)]);
