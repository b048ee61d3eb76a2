// Counts the threads of the process that have not ended.
import { createRequire } from "node:module";

const threads = createRequire(import.meta.url)("node:worker_threads");
export const alive = new Set();
export let started = 0;

threads.Worker = class extends threads.Worker {
  constructor(...args) {
    super(...args);
    started++;
    alive.add(this);
    this.once("exit", () => alive.delete(this));
  }
};
