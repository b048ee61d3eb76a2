/** The command line in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
export const jobs = fileURLToPath(new URL("jobs", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Settles once the output holds a text. */
  until(text: string): Promise<void>;
}

/** As from a shell: what npm tells what it runs is left out, but for `script`. */
export function start(args: readonly string[], cwd?: string, limit?: number, script?: string): Running {
  const line = limit === undefined ? [] : ["-c", `trap '' XFSZ; ulimit -f ${limit}; exec "$0" "$@"`, process.execPath];
  const child = spawn(limit === undefined ? process.execPath : "sh", [...line, cli, ...args], {
    cwd,
    env: { ...process.env, npm_lifecycle_event: script },
  });
  const text = { stdout: "", stderr: "" };
  const waiting = new Map<string, () => void>();
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (part: string) => {
      text[name] += part;
      for (const [wanted, resolve] of waiting) if (text[name].includes(wanted)) resolve();
    });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, ...text }));
  });
  const until = async (wanted: string): Promise<void> => {
    const seen = new Promise<void>((resolve) => waiting.set(wanted, resolve));
    if (!text.stdout.includes(wanted) && !text.stderr.includes(wanted)) await Promise.race([seen, ended]);
  };
  return { process: child, ended, until };
}

export const nabla = (args: readonly string[], cwd?: string): Promise<Ended> => start(args, cwd).ended;

export const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
