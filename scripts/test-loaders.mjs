// Job modules under loaders and Jest: installs them in a folder of their own, and runs test/loaders there.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeProject } from "../test/support/project.mjs";
import { build } from "./build.mjs";

const packages = ["tsx@4", "ts-node@10", "@swc-node/register@1", "@swc/core@1", "typescript@5", "jest@30"];
const ways = [
  ["tsx, ES modules", ["--import", "tsx", "esm/main.ts"]],
  ["tsx, CommonJS", ["--import", "tsx", "cjs/main.ts"]],
  ["ts-node, CommonJS", ["-r", "ts-node/register", "cjs/main.ts"]],
  ["swc-node, ES modules", ["--import", "@swc-node/register/esm-register", "esm/main.ts"]],
  ["swc-node, CommonJS", ["-r", "@swc-node/register", "cjs/main.ts"]],
];

await build(["native", "lib"]);
const cwd = mkdtempSync(join(tmpdir(), "nabla-loaders-"));
const failures = [];
try {
  execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], {
    cwd,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  // npm would take away what it has not installed.
  makeProject("test/loaders", false, cwd);
  const compilerOptions = { module: "NodeNext", moduleResolution: "NodeNext", target: "ES2022", skipLibCheck: true };
  writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify({ compilerOptions, "ts-node": { transpileOnly: true } }));
  for (const [name, args] of ways) {
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8", timeout: 120_000 });
    let said;
    try {
      said = JSON.parse(stdout.trim().split("\n").at(-1));
    } catch {
      said = { stdout, stderr };
    }
    const good =
      said["load/0"] > 0 &&
      said["load/2"] === said["load/0"] &&
      (said["new/2"] === said["load/0"] || /DataParallel\.load\(url|TypeScript needs/.test(said["new/2"]));
    console.log(`${good ? "ok" : "FAILED"}  ${name}`);
    if (!good) failures.push([name, said]);
  }
  const jest = ["--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--rootDir", "runner"];
  writeFileSync(join(cwd, "runner", "jest.config.json"), JSON.stringify({ transform: {}, testEnvironment: "node" }));
  const { status, stderr } = spawnSync(process.execPath, [...jest, "--config", "runner/jest.config.json"], {
    cwd,
    encoding: "utf8",
    timeout: 120_000,
  });
  console.log(`${status === 0 ? "ok" : "FAILED"}  Jest`);
  if (status !== 0) failures.push(["Jest", stderr]);
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
for (const failure of failures) console.error(...failure);
process.exit(failures.length === 0 ? 0 : 1);
