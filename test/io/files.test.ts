import { execFileSync, spawn } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadIdx, loadSafetensors, saveSafetensors, tensor } from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answer } from "../support/child.js";

const w = tensor([1, 2]);
const posix = process.platform !== "win32";
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-files-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe.runIf(posix)("what is no regular file", () => {
  const refused = (op: string) => expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT", op });
  /** Neither written to nor waited for, and as it was afterwards. */
  async function isLeftAlone(path: string): Promise<void> {
    const before = await lstat(path);
    await expect(saveSafetensors(path, { w })).rejects.toThrowError(refused("saveSafetensors"));
    await expect(loadSafetensors(path)).rejects.toThrowError(refused("loadSafetensors"));
    await expect(loadIdx(path)).rejects.toThrowError(refused("loadIdx"));
    expect((await lstat(path)).ino).toBe(before.ino);
    expect((await readdir(dir)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  }

  test("a FIFO", async () => {
    execFileSync("mkfifo", [join(dir, "fifo")]);
    await isLeftAlone(join(dir, "fifo"));
    await symlink("fifo", join(dir, "link"));
    await isLeftAlone(join(dir, "link"));
  });
  test("a socket", async () => {
    const server = createServer().listen(join(dir, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    await isLeftAlone(join(dir, "socket"));
    await new Promise((resolve) => server.close(resolve));
  });
  test("a folder", async () => {
    await mkdir(join(dir, "folder"));
    await isLeftAlone(join(dir, "folder"));
  });
  test.runIf(process.getuid?.() === 0)("a device", async ({ skip }) => {
    try {
      execFileSync("mknod", [join(dir, "null"), "c", "1", "3"], { stdio: "ignore" });
    } catch {
      skip("no device can be made here");
    }
    await isLeftAlone(join(dir, "null"));
  });
});

describe.runIf(posix)("a save", () => {
  test("keeps the mode of a file that is there", async () => {
    const path = join(dir, "w");
    await writeFile(path, "old");
    for (const mode of [0o600, 0o640, 0o444]) {
      await chmod(path, mode);
      await saveSafetensors(path, { w });
      expect((await stat(path)).mode & 0o7777).toBe(mode);
    }
    const before = process.umask(0o027);
    await saveSafetensors(join(dir, "new"), { w });
    process.umask(before);
    expect((await stat(join(dir, "new"))).mode & 0o7777).toBe(0o640);
  });

  test("follows symbolic links, also to a file that is not there yet", async () => {
    await mkdir(join(dir, "a", "b"), { recursive: true });
    await symlink("a/b", join(dir, "folder"));
    await symlink("../w", join(dir, "a", "b", "up")); // from the real folder: a/w
    await symlink(join(dir, "folder", "up"), join(dir, "link"));
    for (let i = 0; i < 2; i++) {
      await saveSafetensors(join(dir, "link"), { w });
      expect((await lstat(join(dir, "link"))).isSymbolicLink()).toBe(true);
      expect((await lstat(join(dir, "a", "w"))).isFile()).toBe(true);
    }
    expect((await loadSafetensors(join(dir, "link")))["w"]!.toArray()).toEqual([1, 2]);
    await symlink("circle", join(dir, "circle"));
    await expect(saveSafetensors(join(dir, "circle"), { w })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  test("takes names of 255 bytes", async () => {
    const name = `${"ü".repeat(127)}n`;
    await saveSafetensors(join(dir, name), { w });
    expect(await readdir(dir)).toEqual([name]);
  });
});

describe.runIf(process.platform === "linux")("temporary files", () => {
  const script = fileURLToPath(new URL("./scripts/save.mjs", import.meta.url));
  const leftovers = async () => (await readdir(dir)).filter((name) => name.endsWith(".tmp"));

  test("of processes that are gone are removed by the next save, those of living ones never", async () => {
    const child = spawn(process.execPath, [script, join(dir, "large")], { stdio: "inherit" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    while ((await leftovers()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGSTOP");
    const [name] = await leftovers();
    if (name === undefined) throw new Error("the child finished its file before it was stopped");
    await saveSafetensors(join(dir, "w"), { w });
    expect(await leftovers()).toEqual([name]);
    child.kill("SIGKILL");
    await ended;
    expect(await leftovers()).toEqual([name]);
    await saveSafetensors(join(dir, "w"), { w });
    expect(await leftovers()).toEqual([]);

    // A number that another process has now; another machine; somebody else's file.
    const [, host, boot] = /^\.nabla-(\w+)-(\w+)-/.exec(name)!;
    const names = {
      again: `.nabla-${host}-${boot}-${process.pid}-1-00000000.tmp`,
      elsewhere: `.nabla-00000000-${boot}-1-1-00000000.tmp`,
      other: "weights.tmp",
    };
    for (const each of Object.values(names)) await writeFile(join(dir, each), "");
    await saveSafetensors(join(dir, "w"), { w });
    expect((await leftovers()).sort()).toEqual([names.elsewhere, names.other].sort());
  }, 60_000);
});

test("a file whose tensors do not fit the memory limit is refused before any is made", async () => {
  const script = new URL("./scripts/limit.mjs", import.meta.url);
  const options = { args: [join(dir, "w")], env: { NABLA_MEMORY_LIMIT: "512m" } };
  const { code, peak } = await answer<{ code: string; peak: number }>(script, options);
  expect(code).toBe("ERR_MEMORY");
  expect(peak).toBeLessThan(2 ** 20);
  const roomy = { ...options, env: { NABLA_MEMORY_LIMIT: "640m" } };
  expect((await answer<{ code: string }>(script, roomy)).code).toBe("read");
}, 60_000);
