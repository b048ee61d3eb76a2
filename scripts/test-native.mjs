// The C++ tests, without Node: node scripts/test-native.mjs [--sanitize | --exhaustive [--op NAME]]
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isMain, root, run } from "./common.mjs";

const jobs = ["--parallel", String(availableParallelism())];

/** Configures and builds the test programs in a folder of their own; returns that folder. */
function buildTests(folder, options = []) {
  const settings = ["NABLA_TESTS=ON", "CMAKE_BUILD_TYPE=Release", ...options].map((setting) => `-D${setting}`);
  run("cmake", ["-S", ".", "-B", folder, ...settings], { quiet: true });
  run("cmake", ["--build", folder, "--config", "Release", ...jobs], { quiet: true });
  return folder;
}

/** Builds and runs the tests; in a build with sanitizers, what they report is a failure. */
export function testNative(folder = "build-tests", options = []) {
  buildTests(folder, options);
  const env = { UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1", TSAN_OPTIONS: "halt_on_error=1" };
  run("ctest", ["--test-dir", folder, "-C", "Release", "--output-on-failure", "--no-tests=error"], { env });
}

if (isMain(import.meta.url)) {
  const boolean = { type: "boolean" };
  const { values } = parseArgs({ options: { sanitize: boolean, exhaustive: boolean, op: { type: "string" } } });
  if (values.sanitize) {
    testNative("build-asan", ["NABLA_SANITIZE=address,undefined"]);
    testNative("build-tsan", ["NABLA_SANITIZE=thread"]);
  } else if (values.exhaustive) {
    const program = join(root, buildTests("build-tests"), "nabla_kernels_tests");
    run(program, ["--exhaustive", ...(values.op === undefined ? [] : [values.op])]);
  } else testNative();
}
