// clang-format over the C++ files, with --write in place. It is optional: without it on PATH this says so and passes.
import { filesUnder, hasProgram, run } from "./common.mjs";

const files = [
  ...filesUnder("native", [".h", ".cc", ".def"]),
  ...filesUnder("test/cpp", [".h", ".cc"]),
  ...filesUnder("bench/native", [".cc"]),
];
const how = process.argv.includes("--write") ? ["-i"] : ["--dry-run", "--Werror"];
if (hasProgram("clang-format")) run("clang-format", [...how, "--style=file", ...files]);
else console.log("clang-format: not on PATH, formatting of C++ was skipped");
