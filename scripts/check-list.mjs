// A line of list.def compiles few objects again, and each of these is compared with the rest when the library is loaded.
// Counts the sources that include the list, through whatever headers, of a build for x64.
import { posix } from "node:path";
import { readText } from "./common.mjs";

const list = "native/kernels/list.def";
const registry = "native/exec/registry.cc";
const limit = 8;

const direct = (file) =>
  [...readText(file).matchAll(/^\s*#include\s+"([^"]+)"/gm)].map(([, header]) => posix.join("native", header));
const known = new Map([[list, true]]);
function includesList(file) {
  if (!known.has(file)) {
    known.set(file, false); // a circle adds nothing
    known.set(file, direct(file).some(includesList));
  }
  return known.get(file);
}

const sources = JSON.parse(readText("native/sources.json"));
const objects = [...sources.common, ...sources.x64_avx2, ...sources.x64_avx512];
const dependent = objects.filter(includesList);
const faults = [];
if (!dependent.includes(registry)) faults.push(`${registry} does not include ${list}`);
if (dependent.length > limit)
  faults.push(
    `a line of ${list} rebuilds ${dependent.length} objects, at most ${limit}: kernels/list.h is for those that need ` +
      `the numbers of kernels; others call the drivers' functions\n  ${dependent.join("\n  ")}`,
  );
for (const file of dependent.filter((file) => file !== registry && !file.startsWith("native/kernels/isa_"))) {
  const name = /^const ListStamp (\w+) = \{"([^"]+)", kListHash\};$/m.exec(readText(file));
  if (name?.[2] !== file || !readText(registry).includes(`&${name[1]}`))
    faults.push(`${file} includes ${list}: it needs a ListStamp with its name that ${registry} compares`);
}
for (const fault of faults) console.error(fault);
console.log(`list: ${dependent.length} of ${objects.length} objects depend on ${list}`);
process.exitCode = faults.length === 0 ? 0 : 1;
