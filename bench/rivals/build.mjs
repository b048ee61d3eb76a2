// Compiles the native rivals when a suite first asks for one.
import { execFile } from "node:child_process";
import { mkdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const programs = {
  machine: { source: "machine.cc", flags: ["-fopenmp"] },
  openblas: { source: "blas.cc", flags: ["-DUSE_OPENBLAS", "-lopenblas"] },
  blis: { source: "blas.cc", flags: ["-DUSE_BLIS", "-lblis"] },
  onednn: { source: "blas.cc", flags: ["-DUSE_ONEDNN", "-ldnnl"] },
};
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const modified = async (file) => (await stat(file).catch(() => null))?.mtimeMs ?? 0;
const built = new Map();

/** The path of a native rival's program; rejects, with the compiler's complaint, where it cannot be built. */
export function program(name) {
  if (!built.has(name)) built.set(name, build(programs[name], path(`.bin/${name}`)));
  return built.get(name);
}

async function build({ source, flags }, target) {
  const inputs = await Promise.all([source, "protocol.h", "build.mjs"].map((file) => modified(path(file))));
  if ((await modified(target)) > Math.max(...inputs)) return target;
  await mkdir(path(".bin"), { recursive: true });
  const args = ["-O3", "-std=c++20", path(source), "-o", target, ...flags];
  await promisify(execFile)("g++", args).catch((error) => {
    const complaint = String(error.stderr ?? error.message)
      .split("\n")
      .find((line) => /error|cannot find/.test(line));
    throw new Error(complaint?.slice(complaint.indexOf(": ") + 2) ?? error.message);
  });
  return target;
}
