import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

test("the packed tarball installs without scripts and works under import, require, workers and DataParallel", () => {
  const output = execFileSync(process.execPath, ["scripts/check-package.mjs"], { encoding: "utf8" });
  expect(output).toMatch(/: \d+\.\d+ MB in a package of/);
}, 300_000);
