/** A pool of worker threads on piscina that is either whole or at its end. */
import type { Worker } from "node:worker_threads";
import type { Piscina } from "piscina";
import type { WorkerReply, WorkerSetup, WorkerTask } from "./serve.js";

/**
 * piscina replaces a worker that dies in a task. A pool that has failed in any other way ends by itself, so that its tasks
 * are rejected and never wait: a worker dies before it has started (piscina stops replacing), or between tasks.
 */
export class Pool {
  private readonly started: Promise<Piscina>;
  /** Threads that have not ended. */
  private readonly alive = new Set<Worker>();
  private ending: Promise<void> | null = null;

  constructor(size: number, setup: WorkerSetup) {
    this.started = import("piscina").then(({ Piscina }) => {
      const pool = new Piscina({
        filename: new URL("./entry.cjs", import.meta.url).href,
        minThreads: size,
        maxThreads: size,
        idleTimeout: Number.POSITIVE_INFINITY,
        // Node 20 cannot end a thread that has thrown and then waits by Atomics, as piscina's idle workers do otherwise.
        atomics: "disabled",
        workerData: setup,
      });
      this.watch(pool);
      pool.on("error", () => void this.close());
      pool.on("workerDestroy", () =>
        queueMicrotask(() => {
          this.watch(pool);
          if (pool.threads.length < size) void this.close();
        }),
      );
      return pool;
    });
    this.started.catch(() => void this.close());
  }

  /** Whether it takes no more tasks. */
  get ended(): boolean {
    return this.ending !== null;
  }
  get threads(): readonly Worker[] {
    return [...this.alive];
  }

  /** Runs a task; it is rejected where the worker or the pool has come to its end. */
  async run(task: WorkerTask): Promise<WorkerReply[]> {
    const pool = await this.started;
    if (this.ended) throw new Error("the pool of workers has ended");
    return pool.run(task);
  }

  /** Ends all threads, also those that are busy. Settles when they have ended, and never rejects. */
  close(): Promise<void> {
    this.ending ??= this.started.then(
      (pool) => this.end(pool),
      () => undefined,
    );
    return this.ending;
  }

  private async end(pool: Piscina): Promise<void> {
    do {
      this.watch(pool);
      const exits = [...this.alive].map((worker) => {
        worker.ref();
        return new Promise((resolve) => worker.once("exit", resolve));
      });
      await pool.destroy();
      await Promise.all(exits);
      // piscina replaces a worker that threw while it was being ended.
    } while (pool.threads.length > 0);
  }

  private watch(pool: Piscina): void {
    for (const worker of pool.threads) {
      if (this.alive.has(worker)) continue;
      this.alive.add(worker);
      worker.once("exit", () => this.alive.delete(worker));
    }
  }
}
