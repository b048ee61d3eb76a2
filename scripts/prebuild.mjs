// npm run build:prebuild: puts the add-on for this machine where the package carries it. npm pack runs it, with the whole build.
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./common.mjs";

/** lib/native/load.ts looks for the same name. */
function prebuildName() {
  const musl = process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
  return `${process.platform}-${process.arch}${musl ? "-musl" : ""}`;
}

await build(["native", "lib", "types"]);
const target = join(root, "prebuilds", prebuildName(), "nabla.node");
mkdirSync(dirname(target), { recursive: true });
copyFileSync(join(root, "build", "Release", "nabla.node"), target);
