// npm run check: format and lint, types under strict, layers, C++ format.
import { join } from "node:path";
import { packageBin, root, runNode } from "./common.mjs";

const typescript = ["lib", "test", "bench", "examples", "scripts", "vitest.config.ts"];
runNode([packageBin("@biomejs/biome", "biome"), "ci", "--error-on-warnings", ...typescript]);
runNode([packageBin("typescript", "tsc"), "-p", "test"]);
for (const script of ["check-layers.mjs", "format-native.mjs"]) runNode([join(root, "scripts", script)]);
