import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const script = pathToFileURL(join(import.meta.dirname, "..", "..", "scripts", "power-cut.mjs")).href;
const { afterPowerCut } = (await import(script)) as { afterPowerCut(log: string, path: string): number };

const write = "7  pwrite64(18</d/.t.tmp>, ..., 9, 0) = 9";
const sync = "7  fsync(18</d/.t.tmp>) = 0";
const rename = '7  rename("/d/.t.tmp", "/d/run") = 0';
const syncFolder = "7  fsync(19</d>) = 0";

function after(...calls: string[]): number {
  const folder = mkdtempSync(join(tmpdir(), "nabla-power-cut-"));
  try {
    writeFileSync(join(folder, "log"), calls.join("\n"));
    return afterPowerCut(join(folder, "log"), "/d/run");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a file that is synced, renamed and confirmed survives every power cut", () => {
  expect(after(write, sync, rename, syncFolder, write, sync, rename, syncFolder)).toBeGreaterThan(8);
});

test.each([
  ["a file that is not synced", [write, rename, syncFolder], /half a file/],
  [
    "a sync that failed",
    [write, sync.replace("= 0", "= -1 EIO (Input/output error)"), rename, syncFolder],
    /half a file/,
  ],
  ["bytes after the sync", [write, sync, write, rename, syncFolder], /half a file/],
  ["a rename that is not confirmed", [write, sync, rename], /not confirmed/],
  ["no rename", [write, sync, syncFolder], /0 renames/],
  ["a file that is deleted", [write, sync, rename, syncFolder, '7  unlink("/d/run") = 0'], /deleted/],
])("%s is found", (_, calls, message) => {
  expect(() => after(...calls)).toThrow(message);
});
