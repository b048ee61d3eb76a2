// What the scripts share. Only node: modules: npm start and npm test run these before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

export const readText = (path) => readFileSync(join(root, path), "utf8");
export const readJson = (path) => JSON.parse(readText(path));

/** Every file under `folder` whose name ends in one of `extensions`, as sorted paths from the root with forward slashes. */
export function filesUnder(folder, extensions = [""]) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory())
        return entry.name === "node_modules" || entry.name.startsWith(".") ? [] : filesUnder(path, extensions);
      return extensions.some((extension) => entry.name.endsWith(extension)) ? [path] : [];
    })
    .sort();
}

/** The newest change under `path`; folders count too, so that a file taken away is a change. */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), stats.mtimeMs);
}

/** Runs `work` unless its last success is newer than every input and its outputs are still there. */
export async function unlessUpToDate(name, { inputs, outputs }, work) {
  const stamp = join(root, "build", "stamps", name);
  const there = (path) => existsSync(join(root, path));
  if (existsSync(stamp) && outputs.every(there)) {
    const done = statSync(stamp).mtimeMs;
    if (inputs.filter(there).every((path) => newest(join(root, path)) <= done)) return;
  }
  const started = new Date(); // a file changed during the work belongs to the next run
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, "");
  utimesSync(stamp, started, started);
}

/** A program of a package of this repository, as arguments for Node: needs no shell and no PATH. */
export function packageBin(name, program = name) {
  const { bin } = readJson(`node_modules/${name}/package.json`);
  return join(root, "node_modules", name, typeof bin === "string" ? bin : bin[program]);
}

/**
 * Runs a command in the repository. When it fails, shows what it said (if `quiet` held it back) and ends this process, or
 * with `mayFail` returns null.
 */
export function run(command, args, { quiet = false, mayFail = false, env = {}, cwd = root } = {}) {
  const stdio = quiet ? "pipe" : "inherit";
  const result = spawnSync(command, args, {
    cwd,
    stdio,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, ...env },
  });
  if (result.status === 0) return result.stdout ?? "";
  if (mayFail) return null;
  if (quiet) process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  const why = result.error?.message ?? result.signal ?? `exit code ${result.status}`;
  console.error(`\n${command.split(sep).pop()} ${args.join(" ")}: ${why}`);
  process.exit(result.status || 1);
}

export const runNode = (args, options) => run(process.execPath, args, options);

/** npm itself: the one that runs this script, or else the one on PATH. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith(".js")) return runNode([cli, ...args], options);
  return run(process.platform === "win32" ? "npm.cmd" : "npm", args, options);
}

/** Whether this file is the one that Node was started with. */
export const isMain = (url) => process.argv[1] !== undefined && fileURLToPath(url) === join(process.argv[1]);
