// npm run build:gyp: the add-on through node-gyp and binding.gyp, into build-gyp/Release/nabla.node. node-gyp always works
// in ./build, which is CMake's here; so it gets a copy of the sources to itself.
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { root, runNode } from "./common.mjs";

const gyp = process.env.npm_config_node_gyp; // npm's own; set for what it runs
if (gyp === undefined) {
  console.error("build:gyp: start it as npm run build:gyp, which knows where node-gyp is");
  process.exit(2);
}
const copy = join(root, "build-gyp", "source");
rmSync(copy, { recursive: true, force: true });
for (const path of ["binding.gyp", "package.json", "native"])
  cpSync(join(root, path), join(copy, path), { recursive: true });

// A Node installed from an archive or a package brings its headers; without them node-gyp downloads the same.
const prefix = dirname(dirname(process.execPath));
const headers = existsSync(join(prefix, "include", "node", "common.gypi")) ? [`--nodedir=${prefix}`] : [];
runNode([gyp, "rebuild", ...headers, `--jobs=${availableParallelism()}`], { cwd: copy, quiet: true });

mkdirSync(join(root, "build-gyp", "Release"), { recursive: true });
copyFileSync(join(copy, "build", "Release", "nabla.node"), join(root, "build-gyp", "Release", "nabla.node"));
console.log("built build-gyp/Release/nabla.node");
