import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const PATIENCE_MS = 600_000;
/** Processes between two cases, by how they were started. */
const waiting = new Map();

/** One contender at one case, alone in its process; one whose `spec` goes over the pipe takes further cases afterwards. */
export class Contestant {
  #child;
  #lines;
  #complaint = "";
  #kind;

  /** Starts the process and waits for its first line: { version, value, work? } or { absent | unsupported | failed }. */
  static async start({ spec, ...launch }) {
    const kind = spec && JSON.stringify(launch);
    const contestant = waiting.get(kind)?.pop() ?? new Contestant(launch);
    contestant.#kind = kind;
    if (spec) contestant.#child.stdin.write(`${JSON.stringify(spec)}\n`);
    contestant.hello = await contestant.#next();
    return contestant;
  }

  /** Ends the processes that wait for another case. */
  static async dismiss() {
    const idle = [...waiting.values()].flat();
    waiting.clear();
    await Promise.all(idle.map((contestant) => contestant.#end()));
  }

  constructor({ file, args, env }) {
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.on("error", (error) => (this.#complaint = error.message));
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.on("data", (chunk) => (this.#complaint += chunk));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Seconds that `times` runs of the case took. */
  async sample(times) {
    this.#child.stdin.write(`${times}\n`);
    const { seconds, failed } = await this.#next();
    if (failed) throw new Error(failed);
    return seconds;
  }

  /** Ends the case; what the contender has to add, such as metrics of its own. */
  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return {};
    if (!this.#kind) return this.#end();
    this.#child.stdin.write("\n");
    const { failed, ...last } = await this.#next();
    if (!failed) waiting.set(this.#kind, [...(waiting.get(this.#kind) ?? []), this]);
    return last;
  }

  async #end() {
    const exit = once(this.#child, "exit");
    const timer = setTimeout(() => this.#child.kill(), 10_000);
    this.#child.stdin.end();
    const { failed, ...last } = await this.#next();
    await exit;
    clearTimeout(timer);
    return last;
  }

  async #next() {
    const timer = setTimeout(() => this.#child.kill(), PATIENCE_MS);
    const { done, value } = await this.#lines.next();
    clearTimeout(timer);
    return done ? { failed: this.#lastWords() } : JSON.parse(value);
  }

  #lastWords() {
    const lines = this.#complaint.trim().split("\n");
    return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "ended without a word";
  }
}
