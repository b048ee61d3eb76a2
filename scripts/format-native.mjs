// clang-format over the C++ files: names those that it would change, or with --write changes them. It is optional, and its
// output differs from one major version to the next: without the right one on PATH this says so and passes.
import { spawnSync } from "node:child_process";
import { filesUnder, root } from "./common.mjs";

const major = 23; // pip install clang-format
const clangFormat = (...args) => spawnSync("clang-format", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 });

const found = /version (\d+)/.exec(clangFormat("--version").stdout ?? "")?.[1];
if (Number(found) !== major) {
  console.log(
    `clang-format: version ${major} wanted, ${found ?? "none"} on PATH: the formatting of C++ was not checked`,
  );
  process.exit();
}
const files = ["native", "test/cpp", "bench/native"].flatMap((folder) => filesUnder(folder, [".h", ".cc", ".def"]));
const { status, stderr } = clangFormat(
  ...(process.argv.includes("--write") ? ["-i"] : ["--dry-run", "--Werror"]),
  ...files,
);
if (status !== 0) {
  const named = new Set(stderr.match(/^[^\s:]+(?=:\d+:\d+: error)/gm));
  console.error(`not formatted (npm run format):\n${[...named].map((file) => `  ${file}`).join("\n") || stderr}`);
  process.exit(1);
}
