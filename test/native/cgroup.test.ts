/** Limits of a real control group, which this test makes inside its own where the machine lets it, and removes again. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("./scripts/cgroup.mjs", import.meta.url));
const limit = 300 * 2 ** 20;
const name = `nabla-test-${process.pid}`;

/** A folder of a group, and what is written to its files. */
interface Part {
  readonly folder: string;
  readonly limits: Readonly<Record<string, string | number>>;
}

/** The group of this process in the hierarchy of a controller, or with "" in that of version 2. */
function ownGroup(controller: string): string | undefined {
  const lines = readFileSync("/proc/self/cgroup", "utf8").split("\n");
  const own = lines.map((line) => line.split(":")).find(([, names]) => names?.split(",").includes(controller));
  return own?.slice(2).join(":");
}

/** The parts of a group below this process's own (version 1), or beside it (version 2: a group with processes has none below). */
function parts(): Part[] {
  const [memory, cpu] = ["memory", "cpu"].map(ownGroup);
  if (memory !== undefined && cpu !== undefined)
    return [
      {
        folder: join("/sys/fs/cgroup/memory", memory, name),
        limits: { "memory.limit_in_bytes": limit, "memory.swappiness": 0 },
      },
      {
        folder: join("/sys/fs/cgroup/cpu", cpu, name),
        limits: { "cpu.cfs_period_us": 100_000, "cpu.cfs_quota_us": 50_000 },
      },
    ];
  const group = ownGroup("");
  if (group === undefined) return [];
  const limits = { "memory.max": limit, "memory.swap.max": 0, "cpu.max": "50000 100000" };
  return [{ folder: join("/sys/fs/cgroup", dirname(group), name), limits }];
}

/** Makes the group; the reason where that is not permitted. */
function made(group: readonly Part[]): string | undefined {
  if (group.length === 0) return "there are no control groups";
  try {
    for (const { folder, limits } of group) {
      mkdirSync(folder);
      for (const [file, value] of Object.entries(limits))
        if (existsSync(join(folder, file)) || !/swap/.test(file)) writeFileSync(join(folder, file), String(value));
    }
    return undefined;
  } catch (error) {
    return `no control group can be made: ${(error as Error).message}`;
  }
}

function remove(group: readonly Part[]): void {
  for (const { folder } of group) if (existsSync(folder)) rmdirSync(folder);
}

test.skipIf(process.platform !== "linux")("a process in a group of 300 MB and half a core", (context) => {
  const group = existsSync("/proc/self/cgroup") ? parts() : [];
  try {
    const reason = made(group);
    if (reason !== undefined) return context.skip(reason);
    // The shell enters the group and becomes node: nothing of it runs outside.
    const enter = group.map(({ folder }) => `echo $$ > '${join(folder, "cgroup.procs")}' && `).join("");
    const env = { ...process.env, NABLA_MEMORY_LIMIT: undefined, NABLA_NUM_THREADS: undefined };
    const args = ["-c", `${enter}exec "$0" "$1"`, process.execPath, script];
    const { status, signal, stdout, stderr } = spawnSync("/bin/sh", args, { env, encoding: "utf8", timeout: 60_000 });
    if (status !== 0 && /cgroup\.procs/.test(stderr)) return context.skip(`no process can be moved: ${stderr}`);
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
    const seen = JSON.parse(stdout) as { code: string; limitBytes: number; liveBytes: number; threads: number };
    expect(seen).toMatchObject({ code: "ERR_MEMORY", threads: 1 });
    // At most a third is left to the rest of the process.
    expect(seen.limitBytes).toBe((limit / 3) * 2);
    expect(seen.liveBytes).toBeGreaterThan(0.9 * seen.limitBytes);
  } finally {
    remove(group);
  }
});
