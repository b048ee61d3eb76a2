import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { packageRoot } from "../core/copy.js";
import { describe, fail, NablaError } from "../core/errors.js";
import type { Addon } from "./addon.js";

const require = createRequire(import.meta.url);

/** Where the binary may be, in order of preference: built here, shipped in the package. */
function candidates(root: string): string[] {
  const platform = `${process.platform}-${process.arch}`;
  const names = process.platform === "linux" ? [platform, `${platform}-musl`] : [platform];
  const shipped = names.map((name) => join(root, "prebuilds", name, "nabla.node"));
  return [join(root, "build", "Release", "nabla.node"), join(root, "build-gyp", "Release", "nabla.node"), ...shipped];
}

function refuseVariable(name: string, valid: string, why = ""): never {
  const got = `${describe(process.env[name])}${why}`;
  fail("ERR_ARGUMENT", "import", `the environment variable ${name} cannot be used`, valid, got);
}

/** Where there is no binary: in a zip of Yarn's there is one, which no system can load from there. */
const remedy = (root: string): string =>
  /\.zip[\\/]/.test(root)
    ? 'Let Yarn unplug the package: "dependenciesMeta": { "nabla": { "unplugged": true } } in package.json'
    : `Build it with a C++20 compiler and CMake:  cd ${root} && npx cmake-js build`;

function load(): Addon {
  const root = packageRoot();
  const named = process.env["NABLA_BINARY"];
  const where = `${process.platform}-${process.arch}, Node ${process.version}`;
  const tried: string[] = [];
  for (const path of named ? [resolve(named)] : candidates(root)) {
    if (!existsSync(path)) {
      tried.push(`${path}: not there`);
      continue;
    }
    try {
      const loaded = require(path) as Partial<Addon>;
      if (typeof loaded.unusableSetting === "function") return loaded as Addon;
      tried.push(`${path}: not the add-on of this version`);
    } catch (error) {
      const { message } = error as Error;
      if (message === "std::bad_alloc") fail("ERR_MEMORY", "import", `out of memory while ${path} was loaded`);
      tried.push(`${path}: ${String(message).split("\n")[0]}`);
    }
  }
  if (named) refuseVariable("NABLA_BINARY", `the path of a nabla.node for ${where}`, ` (${tried[0]})`);
  throw new NablaError(
    "ERR_NATIVE",
    "import",
    `import: no native binary for ${where}; looked for\n  ${tried.join("\n  ")}\n${remedy(root)}`,
    { tried },
  );
}

function checkSettings(loaded: Addon): Addon {
  const unusable = loaded.unusableSetting();
  if (unusable !== undefined) refuseVariable(...unusable);
  return loaded;
}

export const addon: Addon = checkSettings(load());
