// Imports run downwards only, in both languages: a file sees its own layer and those before it, never a sibling or a
// layer above. Type-only imports count. A check that matched almost no files would prove nothing, so it fails.
import { posix } from "node:path";
import { filesUnder, readText } from "./common.mjs";

/** Each row is one level, lowest first; the folders of a row are siblings and do not see each other. */
const languages = [
  {
    name: "TypeScript",
    folder: "lib",
    extensions: [".ts"],
    levels: [
      ["core"],
      ["native"],
      ["tensor"],
      ["engine"],
      ["ops"],
      ["autograd"],
      ["graph"],
      ["nn", "optim", "data", "io"],
      ["job"],
      ["parallel"],
      ["train"],
      ["report"],
      ["cli"],
    ],
    // What these are for needs no native call: ops and the engine make them.
    hidden: { from: ["graph", "nn", "optim", "data"], layer: "native" },
    entries: [
      "lib/index.ts",
      "lib/install.ts",
      "lib/internal.ts",
      "lib/parallel/worker.ts",
      "lib/parallel/loader-worker.ts",
      "lib/cli/main.ts",
    ], // see every layer
    imports: /(?:\bfrom|\bimport|\bimport\()\s*"(\.{1,2}\/[^"]+)"/g,
    resolve: (file, specifier) => posix.join(posix.dirname(file), specifier),
    atLeast: { files: 60, imports: 200 },
  },
  {
    name: "C++",
    folder: "native",
    extensions: [".h", ".cc", ".def"],
    levels: [["base"], ["runtime", "kernels"], ["exec"], ["program"], ["binding"]],
    imports: /^\s*#include\s+"([^"]+)"/gm,
    resolve: (_, header) => `native/${header}`,
    external: {
      pattern: /^\s*#include\s+[<"](napi|node_api|js_native_api|uv|v8|node)[^>"]*[>"]/gm,
      allowedIn: ["binding"],
    },
    atLeast: { files: 40, imports: 100 },
  },
  {
    name: "drivers",
    folder: "native/exec",
    extensions: [".h", ".cc"],
    levels: [
      ["call.h"],
      ["common"],
      ["elementwise", "matmul", "norm", "random", "sort"],
      ["attention", "conv", "index", "linalg", "optim", "reduce"],
      ["loss"],
      ["registry.h"],
      ["registry.cc"],
    ],
    imports: /^\s*#include\s+"(exec\/[^"]+)"/gm,
    resolve: (_, header) => `native/${header}`,
    atLeast: { files: 50, imports: 80 },
  },
];

function checkLanguage({
  folder,
  extensions,
  levels,
  hidden,
  entries = [],
  imports,
  resolve,
  external,
  atLeast,
  name,
}) {
  const rank = new Map(levels.flatMap((row, level) => row.map((layer) => [layer, level])));
  const layerOf = (path) => posix.relative(folder, path).split("/", 1)[0];
  const faults = [];
  let seen = 0;
  const files = filesUnder(folder, extensions);
  for (const file of files) {
    if (entries.includes(file)) continue;
    const text = readText(file);
    const layer = layerOf(file);
    if (!rank.has(layer)) faults.push(`${file}: ${folder}/${layer} is not a layer of ${name}`);
    for (const [, specifier] of text.matchAll(imports)) {
      seen++;
      const target = layerOf(resolve(file, specifier));
      const unseen = hidden?.layer === target && hidden.from.includes(layer);
      const allowed = target === layer || (!unseen && (rank.get(target) ?? Infinity) < rank.get(layer));
      if (!allowed) faults.push(`${file} imports ${specifier}: ${layer} may not see ${target}`);
    }
    if (external === undefined || external.allowedIn.includes(layer)) continue;
    for (const [line] of text.matchAll(external.pattern))
      faults.push(`${file} has ${line.trim()}: only ${external.allowedIn} may`);
  }
  if (files.length < atLeast.files)
    faults.push(`${name}: matched ${files.length} files, expected at least ${atLeast.files}`);
  if (seen < atLeast.imports) faults.push(`${name}: matched ${seen} imports, expected at least ${atLeast.imports}`);
  return { faults, summary: `${name}: ${files.length} files, ${seen} imports` };
}

/**
 * What takes calls in place of the engine is the engine's and the interceptors' business: an op that took another way
 * while somebody watches would not be what is seen.
 */
const interceptors = ["lib/autograd/anomaly.ts", "lib/autograd/batching.ts"];
function checkInterception() {
  const faults = [];
  let seen = 0;
  for (const file of filesUnder("lib", [".ts"])) {
    if (!/\bmode\.intercept\b|\bintercepting\(/.test(readText(file))) continue;
    if (file.startsWith("lib/engine/") || interceptors.includes(file)) seen++;
    else faults.push(`${file} reads mode.intercept: only lib/engine and ${interceptors.join(", ")} may`);
  }
  if (seen <= interceptors.length) faults.push("no file of lib/engine reads mode.intercept");
  return { faults, summary: `interception: ${seen} files` };
}

const results = [...languages.map(checkLanguage), checkInterception()];
for (const fault of results.flatMap((result) => result.faults)) console.error(fault);
console.log(`layers: ${results.map((result) => result.summary).join("; ")}`);
process.exitCode = results.every((result) => result.faults.length === 0) ? 0 : 1;
