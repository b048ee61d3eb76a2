/** Batched gradients on worker threads that share the model's memory. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Piscina } from "piscina";
import { getDefaultDtype } from "../core/dtype.js";
import { describe, fail, NablaError } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import type { FilePath } from "../core/path.js";
import { mapTree } from "../core/tree.js";
import { applyInPlace } from "../engine/apply.js";
import { needInteger } from "../engine/operand.js";
import type { LeafNode } from "../engine/tape.js";
import { addon, opcode } from "../native/frame.js";
import { Module } from "../nn/module.js";
import { defaultGenerator } from "../ops/random.js";
import { empty, scalar } from "../tensor/create.js";
import type { Handle } from "../tensor/handle.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { unpackError } from "./error.js";
import { type Job, jobOf } from "./job.js";
import { boundary, rowsOf, runShard, type ShardResult, shardOf, stateOf } from "./shard.js";
import { lend } from "./share.js";
import type { WorkerReply, WorkerSetup } from "./worker.js";

export interface DataParallelOptions {
  /** Worker threads; one per core unless given. 0 computes the same shards inline, with the same result. */
  readonly workers?: number | undefined;
  /** Into how many shards each batch is cut (8): part of the result, unlike the number of workers. */
  readonly shards?: number | undefined;
  /** Handed to the job's `model`, here and in every worker; must be cloneable. */
  readonly args?: unknown;
  /** Of the random numbers inside the model; drawn from this thread's generator unless given. */
  readonly seed?: number | undefined;
}

const weightedSum = opcode("weightedSum");
/** How often a shard is computed again when workers die under it. */
const ATTEMPTS = 5;
const op = "DataParallel";

const require = createRequire(import.meta.url);

function loadJob(url: string): Job {
  let loaded: unknown;
  try {
    loaded = require(fileURLToPath(url));
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    if (code === "ERR_REQUIRE_ESM" || code === "ERR_REQUIRE_ASYNC_MODULE")
      fail(
        "ERR_ARGUMENT",
        op,
        `${url} cannot be loaded synchronously`,
        "Node 20.19 or later and a module without top-level await",
        process.version,
      );
    const why =
      code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND" ? message.split("\n")[0] : `${name}: ${message}`;
    const wrapped = new NablaError("ERR_ARGUMENT", op, `${op}: the job module ${url} cannot be loaded: ${why}`, {
      url,
    });
    throw Object.defineProperty(wrapped, "cause", { value: error, configurable: true, writable: true });
  }
  return jobOf(loaded, url);
}

/** ERR_ARGUMENT for what cannot be posted to a thread. */
function needCloneable(what: string, value: unknown): void {
  try {
    structuredClone(value);
  } catch (error) {
    fail("ERR_ARGUMENT", op, `${what} cannot cross a thread`, "plain data", (error as Error).message);
  }
}

/**
 * Computes the gradients of batches on worker threads. Each worker builds the job's model and then looks at this thread's
 * parameters: nothing is copied or sent but numbers of storages. The batch is cut into a fixed number of shards, gradients
 * are summed in shard order, weighted by rows: 0, 1, 2 or 8 workers give the same bits. Buffers that the model changes, such
 * as running means, are each shard's own until the end, and then averaged in the same way.
 *
 * A worker that dies is replaced and its shard computed again. Idle workers do not keep the process alive.
 *
 * ```ts no-run
 * const dp = new DataParallel(new URL("./job.js", import.meta.url), { workers: 2 });
 * const opt = new optim.AdamW(dp.model.parameters(), { lr: 1e-3 });
 * const loss = await dp.backward([x, y]);
 * opt.step();
 * await dp.close();
 * ```
 */
export class DataParallel {
  /** The model of this thread; the workers' models share its parameters and buffers. */
  readonly model: Module;
  readonly workers: number;
  readonly shards: number;
  readonly seed: number;
  private readonly job: Job;
  private readonly url: string;
  private readonly args: unknown;
  private readonly dtype = getDefaultDtype() as "float32" | "float64";
  private parameters: readonly Tensor[] = [];
  /** What the workers have been told of; {@link prepare} sees when it is no longer what the model holds. */
  private handles: readonly Handle[] = [];
  /** By shard, in the order of the parameters; then what a shard leaves in the model's buffers. */
  private gradients: readonly (readonly Tensor[])[] = [];
  private pool: Promise<Piscina> | null = null;
  private step = 0;
  private busy = false;
  private closed = false;

  /**
   * @param url The job module: a URL, such as `new URL("./job.js", import.meta.url)`, or a file: URL as text.
   * @throws ERR_ARGUMENT for a bare model or function (a closure cannot cross a thread), or a module that is no job.
   */
  constructor(url: FilePath, options?: DataParallelOptions) {
    const form =
      'new DataParallel(new URL("./job.js", import.meta.url)), where job.js says export default defineJob({ model, loss })';
    const href = typeof url === "object" && url !== null ? url.href : url;
    if (typeof href !== "string" || !href.startsWith("file:"))
      fail(
        "ERR_ARGUMENT",
        op,
        (url as unknown) instanceof Module || typeof url === "function"
          ? "a model cannot cross a thread"
          : "not a job module's URL",
        form,
        describe(url),
      );
    const given = checkOptions<DataParallelOptions>(op, options, ["workers", "shards", "args", "seed"]);
    this.workers = needInteger(op, "workers", given.workers ?? addon.poolThreads(), 0);
    this.shards = needInteger(op, "shards", given.shards ?? 8, 1);
    const [low = 0, high = 0] = given.seed === undefined ? defaultGenerator.next() : [];
    this.seed =
      given.seed === undefined ? low + (high & 0xfffff) * 2 ** 32 : needInteger(op, "the seed", given.seed, 0);
    needCloneable("args", given.args);
    this.args = given.args;
    this.url = href;
    this.job = loadJob(this.url);
    this.model = this.job.model(given.args);
    if (!(this.model instanceof Module))
      fail("ERR_ARGUMENT", op, "the job's model is no Module", "an nn.Module", describe(this.model));
    if (this.model.parameters().length === 0) fail("ERR_ARGUMENT", op, "the model has no parameters");
  }

  /**
   * Forward and backward over a batch: leaves its gradients on the parameters, in place of what was there (no zeroGrad is
   * needed), and returns the loss, its mean over the rows.
   * @param batch A tensor, or a tree of tensors with as many rows each; the job's `loss` gets a shard of it.
   * @throws What the job throws; ERR_WORKER when workers keep dying, or after close; ERR_SHAPE.
   */
  async backward(batch: unknown): Promise<Tensor> {
    if (this.closed) fail("ERR_WORKER", "DataParallel.backward", "the workers have been closed");
    if (this.busy) fail("ERR_WORKER", "DataParallel.backward", "a backward is running", "one at a time (await it)");
    this.busy = true;
    try {
      const rows = rowsOf(batch);
      await this.prepare();
      const step = this.step++;
      const live = Array.from({ length: this.shards }, (_, i) => i).filter(
        (i) => boundary(rows, this.shards, i) < boundary(rows, this.shards, i + 1),
      );
      const results =
        this.workers === 0
          ? await this.computeInline(batch, rows, step, live)
          : await this.computeInWorkers(batch, rows, step, live);
      const weights = live.map(
        (shard) => (boundary(rows, this.shards, shard + 1) - boundary(rows, this.shards, shard)) / rows,
      );
      this.combine(live, weights, results);
      this.merge(live, weights, results);
      return scalar(results.reduce((sum, result, i) => sum + result.loss * weights[i]!, 0));
    } finally {
      this.busy = false;
    }
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    this.closed = true;
    const pool = this.pool;
    this.pool = null;
    if (pool !== null) await (await pool).destroy();
  }

  /** Makes the gradient buffers; anew, with new workers, where the model's parameters are no longer those of before. */
  private async prepare(): Promise<void> {
    const state = stateOf(this.model).map(([, x]) => x.handle);
    if (state.length === this.handles.length && state.every((handle, i) => handle === this.handles[i])) return;
    const pool = this.pool;
    this.pool = null;
    if (pool !== null) await (await pool).destroy();
    this.handles = state;
    this.parameters = this.model.parameters();
    const slots = [...this.parameters, ...this.model.buffers()];
    this.gradients = Array.from({ length: this.shards }, () => slots.map((x) => empty(op, x.type, x.shape)));
  }

  /** Sums the shards' gradients in shard order, in native code, onto the parameters. */
  private combine(live: readonly number[], weights: readonly number[], results: readonly ShardResult[]): void {
    const targets: Tensor[] = [];
    const sources: Tensor[] = [];
    const owners: LeafNode[] = [];
    this.parameters.forEach((p, i) => {
      if (!results.some((result) => result.used[i])) {
        p.grad = null;
        return;
      }
      live.forEach((shard, s) => {
        const buffer = this.gradients[shard]![i]!;
        if (!results[s]!.used[i]) buffer.assign(0);
        sources.push(buffer);
      });
      targets.push(empty(op, p.type, p.shape));
      owners.push(p.node as LeafNode);
    });
    if (targets.length === 0) return;
    applyInPlace("DataParallel.backward", weightedSum, targets, sources, weights);
    owners.forEach((leaf, i) => {
      leaf.store(targets[i]!);
      targets[i]!.handle.release();
    });
  }

  /** Buffers that shards have changed become the mean of what each has left there; those of integers the first one's. */
  private merge(live: readonly number[], weights: readonly number[], results: readonly ShardResult[]): void {
    this.model.buffers().forEach((buffer, i) => {
      if (!results.some((result) => result.moved[i])) return;
      const left = live.map((shard) => this.gradients[shard]![this.parameters.length + i]!);
      if (buffer.type.kind !== "float") buffer.assign(left[0]!);
      else applyInPlace("DataParallel.backward", weightedSum, [buffer], left, weights);
    });
  }

  /** One shard after the other, each in a turn of the event loop of its own. */
  private async computeInline(
    batch: unknown,
    rows: number,
    step: number,
    live: readonly number[],
  ): Promise<ShardResult[]> {
    const results: ShardResult[] = [];
    for (const shard of live) {
      const part = shardOf(batch, rows, this.shards, shard);
      const task = { seed: this.seed, step, shard };
      results.push(runShard(this.job, this.model, part, task, this.parameters, this.gradients[shard]!));
      await new Promise(setImmediate);
    }
    return results;
  }

  /**
   * Each worker gets one message and takes shards until none is left: handing them out one by one cost 0.9 ms each. What
   * a dead worker had taken is computed again by those that are there.
   */
  private async computeInWorkers(
    batch: unknown,
    rows: number,
    step: number,
    live: readonly number[],
  ): Promise<ShardResult[]> {
    const replies = new Map<number, WorkerReply>();
    let lost: Error | undefined;
    for (let attempt = 0; attempt < ATTEMPTS && !this.closed; attempt++) {
      const shards = live.filter((shard) => !replies.has(shard));
      const taken = new Int32Array(new SharedArrayBuffer(4));
      const task = {
        seed: this.seed,
        step,
        rows,
        count: this.shards,
        shards,
        taken,
        training: this.model.modules().map((m) => m.training),
        learned: this.parameters.map((p) => p.requiresGrad),
      };
      const pool = await this.start();
      const settled = await Promise.allSettled(
        shards
          .slice(0, this.workers)
          .map((): Promise<WorkerReply[]> => pool.run({ ...task, batch: mapTree(batch, isTensor, lend) })),
      );
      for (const outcome of settled) {
        if (outcome.status === "fulfilled") for (const reply of outcome.value) replies.set(reply.shard, reply);
        else if ((outcome.reason as Error).name === "DataCloneError")
          fail(
            "ERR_ARGUMENT",
            "DataParallel.backward",
            "the batch cannot cross a thread",
            "tensors and plain data",
            (outcome.reason as Error).message,
          );
        // Not the job's doing: the worker is gone. piscina replaces it, and the shards' buffers are rewritten whole.
        else lost = outcome.reason as Error;
      }
      if (live.every((shard) => replies.has(shard)))
        return live.map((shard) => {
          const reply = replies.get(shard)!;
          if ("error" in reply) throw unpackError(reply.error);
          return reply;
        });
    }
    if (this.closed) return fail("ERR_WORKER", "DataParallel.backward", "closed while it ran");
    return fail(
      "ERR_WORKER",
      "DataParallel.backward",
      `workers keep dying; the last one said: ${lost?.message}`,
      undefined,
      undefined,
      { cause: lost },
    );
  }

  private start(): Promise<Piscina> {
    if (this.pool !== null) return this.pool;
    const started = import("piscina").then(({ Piscina: Pool }) => {
      const setup: WorkerSetup = {
        url: this.url,
        args: this.args,
        dtype: this.dtype,
        state: stateOf(this.model).map(([name, x]) => [name, lend(x)]),
        gradients: this.gradients.map((shard) => shard.map(lend)),
      };
      const threads = Math.min(this.workers, this.shards);
      const pool = new Pool({
        filename: new URL("./worker.js", import.meta.url).href,
        minThreads: threads,
        maxThreads: threads,
        idleTimeout: Number.POSITIVE_INFINITY,
        workerData: setup,
      });
      // piscina replaces a worker that dies, but for one that has not yet started; its tasks would wait for ever.
      const replaceShrunk = (): void => {
        if (this.pool !== started || pool.threads.length >= threads) return;
        this.pool = null;
        void pool.destroy(); // ends what runs there: the shards are computed again
      };
      pool.on("workerDestroy", () => queueMicrotask(replaceShrunk));
      return pool;
    });
    this.pool = started;
    return started;
  }
}
