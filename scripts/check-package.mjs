// npm run check:package: packs, installs the tarball in an empty folder without running any script, and uses it there; then
// with every package manager, and from TypeScript. Prints the sizes and the GLIBC that the binary asks for; --source also
// builds the installed sources.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { npm, packageBin, readJson, root, run, runNode } from "./common.mjs";
import { installEverywhere } from "./package-managers.mjs";
import { compileConsumer } from "./package-types.mjs";

const limit = 10 * 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), "nabla-package-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const fail = (message) => {
  console.error(`check:package: ${message}`);
  process.exit(1);
};
const size = (path) => `${(statSync(path).size / 2 ** 20).toFixed(2)} MB`;

const scripts = Object.keys(readJson("package.json").scripts);
const automatic = scripts.filter((name) => /^(pre|post)?install$|^prepare$/.test(name));
if (automatic.length > 0) fail(`package.json has ${automatic}: package managers block them`);

npm(["pack", "--pack-destination", folder], { quiet: true });
const tarball = join(folder, readdirSync(folder)[0]);

const consumer = join(folder, "consumer");
mkdirSync(consumer);
writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true, type: "module" }));
npm(["install", tarball, "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], {
  cwd: consumer,
  quiet: true,
});
for (const name of ["smoke.mjs", "smoke-job.mjs"]) cpSync(join(root, "test", "package", name), join(consumer, name));

const installed = join(consumer, "node_modules", "nabla");
const prebuilds = join(installed, "prebuilds");
const env = { NABLA_BINARY: undefined };
runNode(["smoke.mjs"], { cwd: consumer, quiet: true, env });
const { bin } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
if (!existsSync(join(consumer, "node_modules", ".bin", "nabla"))) fail("the command nabla is not installed");
const said = runNode([join(installed, bin.nabla), "info"], { cwd: consumer, quiet: true, env });
if (!said.includes("kernels")) fail(`nabla info says ${said}`);
for (const platform of readdirSync(prebuilds)) {
  const binary = join(prebuilds, platform, "nabla.node");
  console.log(`${platform}: ${size(binary)} in a package of ${size(tarball)}`);
  if (statSync(binary).size > limit) fail(`${platform} is over 10 MB`);
  if (!platform.startsWith("linux")) continue;
  const symbols = run("objdump", ["-T", binary], { quiet: true });
  const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor),
  ]);
  const [newest] = versions.sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  console.log(`${platform}: needs GLIBC ${newest.join(".")}`);
  if (newest[0] > 2 || newest[1] > 17) fail("the binary must not ask for more than GLIBC 2.17");
  const layout = run("readelf", ["-Wdl", binary], { quiet: true });
  const guards = {
    "relocations that are read-only before anything runs": /GNU_RELRO/.test(layout) && /BIND_NOW/.test(layout),
    "a stack that is not executable": /GNU_STACK .* RW /.test(layout),
    "guarded stacks": symbols.includes("__stack_chk_fail"),
    "checked copies": /__(?!stack)\w+_chk\b/.test(symbols),
  };
  for (const [what, there] of Object.entries(guards)) if (!there) fail(`${platform}: the binary lacks ${what}`);
  console.log(`${platform}: ${Object.keys(guards).join(", ")}`);
}

/** Editors and stack traces follow these to the code. */
function checkMaps() {
  const dist = join(installed, "dist");
  const maps = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".map"));
  if (!maps.some((name) => name.endsWith(".d.ts.map"))) fail("there are no declaration maps");
  for (const name of maps) {
    const { sources } = JSON.parse(readFileSync(join(dist, name), "utf8"));
    for (const source of sources)
      if (!existsSync(join(dist, dirname(name), source))) fail(`${name} names ${source}, which is not in the package`);
  }
  console.log(`maps: ${maps.length}, whose sources are in the package`);
}

checkMaps();
compileConsumer(consumer);
installEverywhere(tarball, folder, fail);

if (process.argv.includes("--source")) {
  rmSync(prebuilds, { recursive: true });
  runNode([packageBin("cmake-js"), "build"], { cwd: installed, quiet: true });
  runNode(["smoke.mjs"], { cwd: consumer, quiet: true, env });
  console.log("built from the installed sources");
}
