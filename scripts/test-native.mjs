// The C++ tests, without Node:
//   node scripts/test-native.mjs [--sanitize | --exhaustive [--op NAME] | --neon | --emulate-avx512 | --write-digest]
import { spawnSync } from "node:child_process";
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

/** The tests for 64-bit ARM, cross-compiled and run by an emulator. */
function testNeon() {
  for (const [program, debian] of [
    ["aarch64-linux-gnu-g++", "g++-aarch64-linux-gnu"],
    ["qemu-aarch64", "qemu-user"],
  ])
    if (spawnSync(program, ["--version"]).status !== 0) {
      console.error(`test:neon needs ${program}: apt-get install ${debian}`);
      process.exit(1);
    }
  testNative("build-neon", [`CMAKE_TOOLCHAIN_FILE=${join(root, "test/cpp/aarch64.cmake")}`]);
}

if (isMain(import.meta.url)) {
  const boolean = { type: "boolean" };
  const modes = { sanitize: boolean, exhaustive: boolean, neon: boolean, "emulate-avx512": boolean };
  const { values } = parseArgs({ options: { ...modes, "write-digest": boolean, op: { type: "string" } } });
  if (values.sanitize) {
    testNative("build-asan", ["NABLA_SANITIZE=address,undefined"]);
    testNative("build-tsan", ["NABLA_SANITIZE=thread"]);
  } else if (values.exhaustive) {
    const program = join(root, buildTests("build-tests"), "nabla_kernels_tests");
    run(program, ["--exhaustive", ...(values.op === undefined ? [] : [values.op])]);
  } else if (values.neon) testNeon();
  else if (values["emulate-avx512"]) testNative("build-emulated", ["NABLA_EMULATE_AVX512=ON"]);
  else if (values["write-digest"]) {
    const program = join(root, buildTests("build-tests"), "nabla_kernels_tests");
    run(program, ["--digest", "test/cpp/kernels/digest.txt", "--write"]);
  } else testNative();
}
