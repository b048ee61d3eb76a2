/** Job modules in vitest's own pools, which load modules in different ways. */
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { makeProject } from "../support/project.mjs";

const cwd = makeProject("test/loaders/runner", true);
afterAll(() => rmSync(cwd, { recursive: true }));
writeFileSync(join(cwd, "vitest.config.mjs"), "export default { test: { globals: true } };");

test.each(["vmThreads", "vmForks", "threads"])("%s", { timeout: 120_000 }, async (pool) => {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--pool", pool, "--reporter", "json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd }).catch(
    (error: { readonly stdout: string }) => error,
  );
  const { numPassedTests, testResults } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    numPassedTests: number;
    testResults: unknown;
  };
  expect(numPassedTests, JSON.stringify(testResults)).toBe(2);
});
