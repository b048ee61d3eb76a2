import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { packageRoot } from "../core/copy.js";
import { NablaError } from "../core/errors.js";
import type { Addon } from "./addon.js";

const require = createRequire(import.meta.url);

/** Where the binary may be, in order of preference: named by the user, built here, shipped in the package. */
function candidates(root: string): string[] {
  const platform = `${process.platform}-${process.arch}`;
  const names = process.platform === "linux" ? [platform, `${platform}-musl`] : [platform];
  const shipped = names.map((name) => join(root, "prebuilds", name, "nabla.node"));
  const own = [join(root, "build", "Release", "nabla.node"), join(root, "build-gyp", "Release", "nabla.node")];
  return [process.env["NABLA_BINARY"], ...own, ...shipped].filter((path) => path !== undefined);
}

function load(): Addon {
  const root = packageRoot();
  const tried: string[] = [];
  for (const path of candidates(root)) {
    if (!existsSync(path)) {
      tried.push(`  ${path}: not there`);
      continue;
    }
    try {
      return require(path) as Addon;
    } catch (error) {
      tried.push(`  ${path}: ${String((error as Error).message).split("\n")[0]}`);
    }
  }
  const where = `${process.platform}-${process.arch}, Node ${process.version}`;
  throw new NablaError(
    "ERR_NATIVE",
    "import",
    `import: no native binary for ${where}; looked for\n${tried.join("\n")}\n` +
      `Build it with a C++20 compiler and CMake:  cd ${root} && npx cmake-js build`,
    { tried },
  );
}

export const addon: Addon = load();
