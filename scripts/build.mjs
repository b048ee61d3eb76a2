// Builds the native add-on, the package in dist/, its types and the examples; skips each part that is up to date.
//   node scripts/build.mjs [--native] [--lib] [--types] [--examples] [--quiet]
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { filesUnder, isMain, packageBin, readText, root, runNode, unlessUpToDate } from "./common.mjs";

const entries = {
  index: "lib/index.ts",
  internal: "lib/internal.ts",
  worker: "lib/parallel/worker.ts",
  "loader-worker": "lib/parallel/loader-worker.ts",
  cli: "lib/cli/main.ts",
};
const settings = {
  absWorkingDir: root,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  sourcesContent: false, // the package carries lib/
  minifyWhitespace: true, // a fifth less to parse at each start; names stay, and source maps lead to lib/
  logLevel: "warning",
};

function buildNative({ quiet }) {
  const args = [packageBin("cmake-js"), "build", "--parallel", String(availableParallelism())];
  runNode(args, { quiet });
}

/** esbuild has said what is wrong by the time that it throws. */
async function bundle(options) {
  const esbuild = await import("esbuild");
  return esbuild.build({ ...settings, ...options }).catch(() => process.exit(1));
}

/** Script and style of a run's report, with uPlot and its license in them: the report asks for nothing from elsewhere. */
function bundlePage() {
  const license = readText("node_modules/uplot/LICENSE").trim();
  return bundle({
    entryPoints: ["main.ts", "page.css"].map((name) => ({ in: `lib/report/html/page/${name}`, out: "report-page" })),
    outdir: "dist",
    bundle: true,
    minify: true,
    sourcemap: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
    banner: { js: `/*! uPlot\n${license}\n*/` },
    metafile: true,
  });
}

async function buildLib() {
  const entryPoints = Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(join(root, path))));
  const options = { entryPoints, outdir: "dist", bundle: true, splitting: true, packages: "external" };
  const built = [await bundle({ ...options, metafile: true }), await bundlePage()];
  // Imports a worker of dist/ when it runs.
  const entry = { entry: "lib/parallel/entry.ts" };
  const commonJs = { format: "cjs", outExtension: { ".js": ".cjs" } };
  await bundle({ entryPoints: entry, outdir: "dist", ...commonJs });
  const stale = readdirSync(join(root, "dist")).filter(
    (name) => /\.js(\.map)?$/.test(name) && !built.some(({ metafile }) => metafile.outputs[`dist/${name}`]),
  );
  for (const name of stale) rmSync(join(root, "dist", name));
}

async function buildExamples() {
  const entryPoints = filesUnder("examples", [".ts"]);
  await bundle({ entryPoints, outbase: "examples", outdir: "build/examples" });
  for (const table of filesUnder("examples", [".csv"])) cpSync(join(root, table), join(root, "build", table));
}

function buildTypes({ quiet }) {
  rmSync(join(root, "dist/types"), { recursive: true, force: true });
  runNode([packageBin("typescript", "tsc"), "-p", "."], { quiet });
}

const tools = ["package-lock.json", "scripts/build.mjs"];
const parts = {
  native: {
    inputs: ["native", "CMakeLists.txt", ...tools],
    outputs: ["build/Release/nabla.node"],
    build: buildNative,
  },
  lib: { inputs: ["lib", ...tools], outputs: ["dist/index.js"], build: buildLib },
  examples: { inputs: ["examples", ...tools], outputs: ["build/examples/digits/mlp.js"], build: buildExamples },
  types: { inputs: ["lib", "tsconfig.json", ...tools], outputs: ["dist/types/index.d.ts"], build: buildTypes },
};

/** Builds the named parts that are out of date, in order. */
export async function build(names = Object.keys(parts), { quiet = true } = {}) {
  for (const name of names) {
    await unlessUpToDate(name, parts[name], async () => {
      const start = performance.now();
      console.error(`building ${name}`);
      await parts[name].build({ quiet });
      console.error(`  done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    });
  }
}

if (isMain(import.meta.url)) {
  const known = [...Object.keys(parts), "quiet"];
  const { values } = parseArgs({ options: Object.fromEntries(known.map((name) => [name, { type: "boolean" }])) });
  const { quiet = false, ...named } = values;
  await build(Object.keys(named).length > 0 ? Object.keys(named) : undefined, { quiet });
}
