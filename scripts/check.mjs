// npm run check: format and lint, types under strict, layers, list.def, pages, words, FEATURES.md, C++ format.
import { join } from "node:path";
import { build } from "./build.mjs";
import { packageBin, root, runNode } from "./common.mjs";

await build(["native", "lib", "types"]); // what the tests import, and their types
const typescript = ["lib", "test", "bench", "examples", "scripts", "vitest.config.ts"];
runNode([packageBin("@biomejs/biome", "biome"), "check", "--error-on-warnings", ...typescript]);
for (const project of ["test", "lib/report/html/page"]) runNode([packageBin("typescript", "tsc"), "-p", project]);
for (const script of [
  ["check-layers.mjs"],
  ["check-list.mjs"],
  ["check-pages.mjs"],
  ["check-words.mjs"],
  ["features.mjs", "--check"],
  ["figures.mjs", "--check"],
  ["format-native.mjs"],
])
  runNode([join(root, "scripts", script[0]), ...script.slice(1)]);
