// Makes a fresh clone ready: installs what package-lock.json asks for, then builds. Does nothing when all is up to date.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { npm, root } from "./common.mjs";

/** npm writes this file at the end of every install. */
const installed = join(root, "node_modules", ".package-lock.json");
const lock = join(root, "package-lock.json");

function install() {
  const needed = existsSync(lock) ? statSync(lock).mtimeMs : 0;
  if (existsSync(installed) && statSync(installed).mtimeMs >= needed) return;
  console.error("installing the dependencies (once)");
  const options = ["--no-audit", "--no-fund"];
  // ci insists on every platform's packages; a registry that lacks some still serves this one's.
  if (npm(["ci", ...options], { mayFail: true }) === null) npm(["install", ...options]);
}

/** Installs if need be, then builds the named parts (all by default). */
export async function ensure(parts) {
  install();
  await build(parts);
}
