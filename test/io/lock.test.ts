import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { addon, lockFile } from "nabla/internal";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nabla-lock-"));
  path = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true }));

const refused = expect.objectContaining({
  name: "NablaError",
  code: "ERR_ARGUMENT",
  message: expect.stringMatching(/^Trainer: another process trains into .*nabla-lock-/),
});
const lock = () => lockFile("Trainer", path);

test("a second lock is refused until the first is released", () => {
  const first = lock();
  expect(first.warning).toBe(null);
  expect(lock).toThrowError(refused);
  first.release();
  const second = lock();
  first.release(); // again: what it held is another's now
  expect(lock).toThrowError(refused);
  second.release();
  lock().release();
});

test("a lock goes with its process, also when that is killed and has left a child behind", async () => {
  const script = fileURLToPath(new URL("scripts/hold.mjs", import.meta.url));
  const holder = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const [heir] = await once(holder.stdout, "data");
  expect(lock).toThrowError(refused);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  try {
    lock().release();
  } finally {
    process.kill(Number(heir));
  }
});

test("a lock goes with its thread", async () => {
  const internal = JSON.stringify(new URL("../../dist/internal.js", import.meta.url));
  const code = `import(${internal}).then(({ lockFile }) => {
    globalThis.kept = lockFile("Trainer", ${JSON.stringify(path)});
    require("node:worker_threads").parentPort.postMessage("held");
    setInterval(() => {}, 1000);
  });`;
  const worker = new Worker(code, { eval: true });
  await once(worker, "message");
  expect(lock).toThrowError(refused);
  await worker.terminate();
  lock().release();
});

test("a file system without locks is a warning", () => {
  const none = vi.spyOn(addon, "lockFile").mockReturnValue("none");
  expect(lock().warning).toBe(
    `the file system of ${folder} has no locks: nothing keeps a second process from training into it`,
  );
  none.mockRestore();
});

test("a folder that is missing is Node's error", () => {
  expect(() => lockFile("Trainer", join(folder, "missing", "lock"))).toThrowError(
    expect.objectContaining({ code: "ENOENT" }),
  );
});
