/** A second copy of the built package, as a second install has it: the same files under another path, of another version. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as nabla from "nabla";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Copy {
  readonly path: string;
  readonly version: string;
  readonly entry: URL;
  load(): Promise<typeof nabla>;
  remove(): void;
}

export function makeCopy(): Copy {
  const folder = mkdtempSync(join(tmpdir(), "nabla-copy-"));
  const path = join(folder, "nabla");
  const version = "9.9.9";
  for (const part of ["dist", "build/Release/nabla.node"])
    cpSync(join(root, part), join(path, part), { recursive: true });
  mkdirSync(join(path, "node_modules"));
  for (const name of ["piscina", "@dagrejs"])
    symlinkSync(join(root, "node_modules", name), join(path, "node_modules", name), "junction");
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as object;
  writeFileSync(join(path, "package.json"), JSON.stringify({ ...own, version }));
  const entry = pathToFileURL(join(path, "dist/index.js"));
  return {
    path,
    version,
    entry,
    load: () => import(entry.href) as Promise<typeof nabla>,
    remove: () => rmSync(folder, { recursive: true }),
  };
}
