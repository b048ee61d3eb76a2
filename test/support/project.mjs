/** A folder with nabla and everything that the repository has in its node_modules, and files of one folder. */
import { cpSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** @param {string} folder of the repository, whose content becomes the project's. @param {boolean} linked with all packages.
 * @param {string} project where to make it: what lies there stays. */
export function makeProject(folder, linked, project = mkdtempSync(join(tmpdir(), "nabla-project-"))) {
  cpSync(join(root, folder), project, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const modules = join(project, "node_modules");
  for (const part of ["dist", "build/Release/nabla.node", "package.json"])
    cpSync(join(root, part), join(modules, "nabla", part), { recursive: true });
  const own = join(root, "node_modules");
  if (linked)
    for (const name of readdirSync(own).filter((entry) => !entry.startsWith(".") && entry !== "nabla"))
      symlinkSync(join(own, name), join(modules, name), "junction");
  // Copies where npm may run: it would take away packages through links.
  else for (const name of ["piscina", "@dagrejs"]) cpSync(join(own, name), join(modules, name), { recursive: true });
  return project;
}
