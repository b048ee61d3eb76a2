import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const PATIENCE_MS = 600_000;

/** One contender at one case, alone in its process. */
export class Contestant {
  #child;
  #lines;
  #complaint = "";

  /** Starts the process and waits for its first line: { version, value, work? } or { absent | unsupported | failed }. */
  static async start({ file, args, env }) {
    const contestant = new Contestant();
    contestant.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    contestant.#child.on("error", (error) => (contestant.#complaint = error.message));
    contestant.#child.stdin.on("error", () => {});
    contestant.#child.stderr.on("data", (chunk) => (contestant.#complaint += chunk));
    contestant.#lines = createInterface({ input: contestant.#child.stdout })[Symbol.asyncIterator]();
    contestant.hello = await contestant.#next();
    return contestant;
  }

  /** Seconds that `times` runs of the case took. */
  async sample(times) {
    this.#child.stdin.write(`${times}\n`);
    const { seconds, failed } = await this.#next();
    if (failed) throw new Error(failed);
    return seconds;
  }

  /** Ends the process; what it has to add, such as metrics of its own. */
  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return {};
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
