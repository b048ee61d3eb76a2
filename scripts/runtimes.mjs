// The program of another runtime, from its npm package for this platform, installed once into build-runtimes/.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "./common.mjs";

const system = process.platform === "win32" ? "win" : process.platform;
const end = process.platform === "win32" ? ".exe" : "";
const libc = process.platform === "linux" ? "-glibc" : "";
const packages = {
  node: { name: `node-${system}-${process.arch}`, program: `bin/node${end}` },
  bun: {
    name: `@oven/bun-${system.replace("win", "windows")}-${process.arch.replace("arm64", "aarch64")}`,
    program: `bin/bun${end}`,
  },
  deno: { name: `@deno/${process.platform}-${process.arch}${libc}`, program: `deno${end}` },
};

export function runtime(kind, version = "latest") {
  const { name, program } = packages[kind];
  const folder = join(root, "build-runtimes", `${kind}-${version}`);
  const path = join(folder, "node_modules", name, program);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
    npm(["install", `${name}@${version}`, "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, quiet: true });
  }
  return path;
}
