// Installs the packed tarball with every package manager, first without and then with its lockfile, where no compiler can be
// found, and uses it: an install must neither compile nor run a script of ours.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { npm, packageBin, root } from "./common.mjs";

const node = process.execPath;
const yarnClassic = [node, packageBin("yarn-classic", "yarn")];
const yarn = [node, packageBin("@yarnpkg/cli-dist", "yarn")];
const pnpm = [node, packageBin("pnpm")];
const npmCli = process.env.npm_execpath?.endsWith(".js") ? [node, process.env.npm_execpath] : ["npm"];

/**
 * Each installs afresh, then again from what the first install wrote down. `node` runs a program where not node itself does;
 * `packages` is where the installed packages are.
 */
const managers = {
  npm: {
    first: [...npmCli, "install", "--prefer-offline", "--no-audit", "--no-fund"],
    again: [
      [...npmCli, "ci", "--prefer-offline", "--no-audit", "--no-fund"],
      [...npmCli, "install", "--prefer-offline", "--no-audit", "--no-fund"],
      [...npmCli, "rebuild"],
    ],
  },
  "yarn 1": {
    first: [...yarnClassic, "install", "--prefer-offline", "--non-interactive"],
    again: [[...yarnClassic, "install", "--frozen-lockfile", "--prefer-offline", "--non-interactive"]],
  },
  "yarn 4": {
    settings: { ".yarnrc.yml": "nodeLinker: node-modules\nenableScripts: true\nenableTelemetry: false\n" },
    first: [...yarn, "install"],
    again: [[...yarn, "install", "--immutable"]],
  },
  "yarn 4, PnP": {
    // A binary cannot be loaded out of a zip: the package asks to be unplugged, whether or not scripts may run.
    settings: { ".yarnrc.yml": "nodeLinker: pnp\nenableScripts: false\nenableTelemetry: false\n" },
    first: [...yarn, "install"],
    again: [[...yarn, "install", "--immutable"]],
    node: [...yarn, "node"],
    packages: ".yarn/unplugged",
  },
  pnpm: {
    first: [...pnpm, "install", "--prefer-offline"],
    again: [[...pnpm, "install", "--frozen-lockfile", "--prefer-offline"]],
  },
};

/** The registry that npm is set up with, for managers that do not read its settings. */
const registry = () => npm(["config", "get", "registry"], { quiet: true }).trim();

const compilers = [
  "cc",
  "c++",
  "gcc",
  "g++",
  "clang",
  "clang++",
  "make",
  "ninja",
  "cmake",
  "node-gyp",
  "python",
  "python3",
];

/** A PATH on which each tool that could compile fails, and says so in a file. */
function withoutCompilers(folder) {
  const bin = join(folder, "no-compilers");
  const calls = join(folder, "compiled");
  mkdirSync(bin);
  for (const name of compilers) {
    const file = join(bin, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> '${calls}'\nexit 1\n`);
    chmodSync(file, 0o755);
  }
  return { calls, path: [bin, dirname(node), process.env.PATH].join(delimiter) };
}

/** ERR where anything fails: the manager, its second install, the smoke test, or that something was compiled. */
export function installEverywhere(tarball, folder, fail) {
  const { calls, path } = withoutCompilers(folder);
  const env = {
    ...process.env,
    PATH: path,
    NABLA_BINARY: undefined,
    CI: undefined, // there managers refuse to write the first lockfile
    YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
    npm_config_nodedir: undefined,
    YARN_NPM_REGISTRY_SERVER: registry(),
    YARN_ENABLE_GLOBAL_CACHE: "false",
    YARN_CACHE_FOLDER: join(folder, "yarn-cache"),
  };
  for (const [name, manager] of Object.entries(managers)) {
    const { settings = {}, first, again, node: runner = [node], packages = "node_modules" } = manager;
    const project = join(folder, name.replace(/\W+/g, "-"));
    mkdirSync(project);
    const manifest = { name: "consumer", version: "1.0.0", private: true, dependencies: { nabla: `file:${tarball}` } };
    writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
    for (const [file, text] of Object.entries(settings)) writeFileSync(join(project, file), text);
    for (const file of ["smoke.mjs", "smoke-job.mjs", "commonjs.cjs"])
      cpSync(join(root, "test", "package", file), join(project, file));
    const run = ([command, ...args]) => {
      const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, env, encoding: "utf8" });
      if (status !== 0) fail(`${name}: ${args.slice(-3).join(" ")} failed\n${stdout}${stderr}`);
    };
    for (const [i, command] of [first, ...again].entries()) {
      if (i > 0 && command.at(-1) !== "rebuild") rmSync(join(project, packages), { recursive: true, force: true });
      run(command);
      const own = readdirSync(join(project, packages)).find((entry) => /^nabla(-file-|$)/.test(entry));
      if (own === undefined) fail(`${name}: ${command.slice(-3).join(" ")} left no folder of nabla`);
      const installed = join(project, packages, own, ...(own === "nabla" ? [] : ["node_modules", "nabla"]));
      if (!existsSync(join(installed, "package.json"))) fail(`${name}: nabla is not in ${installed}`);
      if (existsSync(join(installed, "build"))) fail(`${name}: ${command.slice(-3).join(" ")} left a build folder`);
      if (existsSync(calls)) fail(`${name}: ${command.slice(-3).join(" ")} looked for a compiler`);
      for (const program of ["smoke.mjs", "commonjs.cjs"]) run([...runner, program]);
    }
    const locks = readdirSync(project).filter((file) => /lock/.test(file));
    console.log(`${name}: installed ${1 + again.length} times without a compiler (${locks.join(", ")})`);
  }
}
