/**
 * Names of temporary files, which identify the process that writes them, so that files of ended processes can be
 * removed.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { sep } from "node:path";
import { onDemand } from "./node.js";

const attempt = <T>(read: () => T, otherwise: T): T => {
  try {
    return read();
  } catch {
    return otherwise;
  }
};
const short = (text: string): string => onDemand.crypto.createHash("sha256").update(text).digest("hex").slice(0, 8);

/**
 * The start time of a process on this machine in a unit of the system; "" where the system does not tell, null where
 * there is no such process.
 */
function startOf(pid: number): string | null {
  if (process.platform === "linux") {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"), "");
    // The name in parentheses may contain anything; the start time is the 20th field after it.
    if (stat !== "") return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    if (attempt(() => readFileSync("/proc/self/stat", "latin1"), "") !== "") return null;
  }
  try {
    process.kill(pid, 0);
    return "";
  } catch (error) {
    return (error as { code?: unknown }).code === "ESRCH" ? null : "";
  }
}

interface Writer {
  /** Identifies the machine and its PID namespace: processes elsewhere cannot be checked. */
  readonly host: string;
  /** The boot id: after a restart all processes are gone. */
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
}

let own: Writer | null = null;
function self(): Writer {
  own ??= {
    host: short(`${onDemand.os.hostname()} ${attempt(() => readlinkSync("/proc/self/ns/pid"), "")}`),
    boot: short(attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1"), "")),
    pid: process.pid,
    start: startOf(process.pid) ?? "",
  };
  return own;
}

const pattern = /^\.nabla-([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d*)-[0-9a-f]{8}\.tmp$/;

/** A fresh name, short enough as a file name. */
export function temporaryName(): string {
  const { host, boot, pid, start } = self();
  return `.nabla-${host}-${boot}-${pid}-${start}-${onDemand.crypto.randomBytes(4).toString("hex")}.tmp`;
}

/** Whether the process that made the temporary file of this name is known to be gone. */
export function isAbandoned(name: string): boolean {
  const [, host, boot, pid, start] = pattern.exec(name) ?? [];
  const here = self();
  if (pid === undefined || host !== here.host) return false;
  if (boot !== here.boot) return true;
  const now = startOf(Number(pid));
  return now === null || (now !== "" && start !== "" && now !== start);
}

/** Removes temporary files of ended processes from a folder. */
export async function clearAbandoned(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return; // a folder that may be written to but not read
  }
  for (const name of names) if (isAbandoned(name)) await rm(folder + sep + name, { force: true });
}
