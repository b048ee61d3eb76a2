// npm run test:allocations: fails every allocation of the add-on in turn (test/native/scripts/allocations.mjs); minutes.
import { join } from "node:path";
import { build } from "./build.mjs";
import { root, run, runNode } from "./common.mjs";

await build(["native", "lib"]);
run("cmake", ["--build", "build", "--config", "Release", "--target", "nabla_failing"], { quiet: true });
const script = join(root, "test/native/scripts/allocations.mjs");
const env = { NABLA_BINARY: join(root, "build/Release/nabla_failing.node") };
const found = JSON.parse(runNode(["--expose-gc", script, ...process.argv.slice(2)], { quiet: true, env }));
console.log(found);
if (found.wrong.length > 0) process.exit(1);
