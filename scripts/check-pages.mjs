// The pages name what exists: files, npm scripts, links, and, in ARCHITECTURE.md, functions and classes. ARCHITECTURE.md
// stays short. A check that matched almost nothing would prove nothing, so it fails.
import { existsSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { filesUnder, readJson, readText, root } from "./common.mjs";

const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "FEATURES.md",
  "bench/README.md",
  ...filesUnder("docs", [".md"]),
];
const limits = { lines: 200, columns: 120, words: 2500 };
const folders = ["bench", "docs", "examples", "lib", "native", "scripts", "test"];
const made = /^(build|dist|node_modules|prebuilds|runs|build-gyp)(\/|$)/; // by commands, so it need not be there
const named = /\.(ts|mts|mjs|cjs|js|json|md|cc|h|def|sh|txt|py|cmake|gyp)$/;

const faults = [];
const seen = { files: 0, scripts: 0, links: 0, names: 0 };
const files = [...readdirSync(root), ...folders.flatMap((folder) => filesUnder(folder))];
const sources = filesUnder("lib", [".ts"])
  .concat(filesUnder("native", [".h", ".cc", ".def"]))
  .map(readText)
  .join("\n");
const words = new Set(sources.match(/[A-Za-z_]\w*/g));
const { scripts } = readJson("package.json");

/** Whether a path, a name without folders or a pattern with * names something that is there. */
function exists(name, page) {
  const here = posix.normalize(posix.join(posix.dirname(page), name));
  if (name.includes("*")) {
    const pattern = new RegExp(`^(.*/)?${name.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
    return files.some((path) => pattern.test(path));
  }
  if ([name, here].some((path) => existsSync(`${root}/${path}`))) return true;
  return !name.includes("/") && files.some((path) => posix.basename(path) === name);
}

function needFile(name, page) {
  seen.files++;
  if (!made.test(name) && !exists(name, page)) faults.push(`${page}: there is no ${name}`);
}

function checkPage(page) {
  const text = readText(page);
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, "");
  for (const [, code] of prose.matchAll(/`([^`]+)`/g))
    for (const word of code.split(/\s+/))
      if (/^[\w@.*-]+(\/[\w@.*-]*)*$/.test(word) && (named.test(word) || folders.some((f) => word.startsWith(`${f}/`))))
        needFile(word, page);
  for (const [, path] of text.matchAll(/^\/\/ ([\w./-]+):/gm)) if (named.test(path)) needFile(path, page);
  for (const [, script] of text.matchAll(/\bnpm (?:run )?((?<=run )[\w:-]+|start|test)/g)) {
    seen.scripts++;
    if (!(script in scripts)) faults.push(`${page}: package.json has no script ${script}`);
  }
  for (const [, target] of prose.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
    seen.links++;
    const path = posix.join(posix.dirname(page), target);
    if (!/^https?:/.test(target) && !existsSync(`${root}/${path}`))
      faults.push(`${page}: the link to ${target} leads nowhere`);
  }
}

function checkArchitecture(page) {
  const text = readText(page);
  const found = {
    lines: text.split("\n").length - 1,
    columns: Math.max(...text.split("\n").map((line) => [...line].length)),
    words: text.split(/\s+/).filter(Boolean).length,
  };
  for (const [unit, most] of Object.entries(limits))
    if (found[unit] > most) faults.push(`${page} has ${found[unit]} ${unit}; at most ${most}`);
  for (const [, code] of text.matchAll(/`((?:[A-Za-z_]\w*\.)?[A-Za-z_]\w*)(?:\(\))?`/g)) {
    seen.names++;
    for (const word of code.split("."))
      if (!named.test(code) && !words.has(word)) faults.push(`${page}: nothing in lib/ or native/ is called ${word}`);
  }
  return found;
}

for (const page of pages) checkPage(page);
const { lines, words: count } = checkArchitecture("ARCHITECTURE.md");
for (const [what, least] of Object.entries({ files: 60, scripts: 30, links: 8, names: 15 }))
  if (seen[what] < least) faults.push(`the check of ${what} matched ${seen[what]}; expected at least ${least}`);
for (const fault of new Set(faults)) console.error(fault);
console.log(
  `pages: ${seen.files} files, ${seen.scripts} scripts, ${seen.links} links; ARCHITECTURE.md: ${lines} lines, ${count} words`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
