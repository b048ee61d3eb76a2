/** A pool of worker threads on piscina that is either complete or closed. */
import type { Worker } from "node:worker_threads";
import type { Piscina } from "piscina";

/**
 * piscina replaces a worker that dies in a task. Any other failure closes the pool, so that its tasks are rejected
 * instead of waiting forever: a worker dies during startup (piscina stops replacing it), or between tasks.
 */
export class Pool<Task, Reply> {
  private readonly started: Promise<Piscina>;
  /** The threads that are still running. */
  private readonly alive = new Set<Worker>();
  private ending: Promise<void> | null = null;

  /** @param setup what each worker gets when it starts; `worker` is its module, beside this one. */
  constructor(size: number, setup: { readonly worker: string }) {
    this.started = import("piscina").then(({ Piscina }) => {
      const pool = new Piscina({
        filename: new URL("./entry.cjs", import.meta.url).href,
        minThreads: size,
        maxThreads: size,
        idleTimeout: Number.POSITIVE_INFINITY,
        // Node 20 cannot terminate a thread that has thrown and then waits in Atomics.wait, as idle workers of piscina
        // do by default.
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

  /** Whether it is closed to new tasks. */
  get ended(): boolean {
    return this.ending !== null;
  }
  get threads(): readonly Worker[] {
    return [...this.alive];
  }

  /** Runs a task; rejects if the worker or the pool ends. */
  async run(task: Task): Promise<Reply> {
    const pool = await this.started;
    if (this.ended) throw new Error("the pool of workers has ended");
    return pool.run(task) as Promise<Reply>;
  }

  /** Ends all threads, also busy ones. Resolves when they have ended, and never rejects. */
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
      // piscina may replace a worker that threw while it was terminated.
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
