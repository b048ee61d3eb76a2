/** Scripts in processes of their own: for whatever has workers, ends the process, or measures its memory. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

export interface ChildOptions {
  readonly args?: readonly (string | number)[];
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly timeout?: number;
}
export interface ChildResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** Runs a script; one that has not ended after the timeout is killed and has `signal` SIGKILL. */
export function child(script: URL, options: ChildOptions = {}): Promise<ChildResult> {
  const { args = [], env = {}, flags = [], timeout = 60_000 } = options;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, [...flags, fileURLToPath(script), ...args.map(String)], {
      env: { ...process.env, ...env },
    });
    const text = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      process_[stream].setEncoding("utf8").on("data", (part: string) => {
        text[stream] += part;
      });
    const timer = setTimeout(() => process_.kill("SIGKILL"), timeout);
    process_.on("error", reject).on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, ...text, milliseconds: performance.now() - started });
    });
  });
}

/** What a script that ends well prints as its last line, read as JSON. */
export async function answer<T>(script: URL, options?: ChildOptions): Promise<T> {
  const { status, signal, stdout, stderr } = await child(script, options);
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as T;
}
