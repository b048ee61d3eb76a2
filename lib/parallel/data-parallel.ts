/** Data-parallel gradients on worker threads that share the model's memory. */
import { needInteger } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import type { FilePath } from "../core/path.js";
import { isPlain } from "../core/tree.js";
import { checkFields } from "../job/fields.js";
import { isJob, type Job } from "../job/job.js";
import { importJob, needJobUrl, needModel, requireJob } from "../job/job-module.js";
import { addon } from "../native/frame.js";
import type { Module } from "../nn/module.js";
import { defaultGenerator } from "../ops/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { averageBuffers, countOf, meanLoss, storeGradients, weightedGradients, weightsOf } from "./combine.js";
import { Sharded } from "./sharded.js";

export interface DataParallelOptions {
  /**
   * The number of worker threads; default the job's, or one per core. 0 computes the shards in this thread, with the same
   * result.
   */
  readonly workers?: number | undefined;
  /**
   * The number of shards that each batch is split into, at most 4,096; default the job's, or 8. The result depends on it,
   * but not on the number of workers.
   */
  readonly shards?: number | undefined;
  /**
   * The argument of the job's `model` in every thread; structured clone must be able to copy it. Where the job has `args`,
   * what is given replaces the members of the same names.
   */
  readonly args?: unknown;
  /** The seed of random numbers inside the model; default the job's, or drawn from this thread's generator. */
  readonly seed?: number | undefined;
}

/** What a resumed run needs to continue with the same random numbers and shards, as plain data. */
export interface DataParallelState {
  /** The seed of random numbers inside the model. */
  readonly seed: number;
  /** The number of batches computed. */
  readonly step: number;
  /** The number of shards; it must stay the same, as it determines the result. */
  readonly shards: number;
}

const op = "DataParallel";

/** The arguments of a job's model: the job's own, with what is given in place of members of the same names. */
export const argumentsOf = (own: unknown, given: unknown): unknown =>
  isPlain(own) && isPlain(given) ? { ...own, ...given } : (given ?? own);

/** ERR_ARGUMENT for a value that cannot be posted to a thread. */
function needCloneable(what: string, value: unknown): void {
  try {
    structuredClone(value);
  } catch (error) {
    fail("ERR_ARGUMENT", op, `${what} cannot cross a thread`, "plain data", (error as Error).message);
  }
}

/**
 * Computes the gradients of batches on worker threads. Each worker builds the job's model, whose parameters then share
 * the memory of this thread's: only ids of storages are sent, no elements. A batch is split into a fixed number of
 * shards, and their gradients are summed in shard order, weighted by rows, so any number of workers gives the same
 * bits. Buffers that the model changes, such as running means, are copied for each shard, and averaged over the shards
 * at the end.
 *
 * A worker that dies is replaced, and its shard recomputed. Idle workers do not keep the process alive.
 *
 * ```ts no-run
 * const dp = await DataParallel.load(new URL("./job.js", import.meta.url), { workers: 2 });
 * const opt = new optim.AdamW(dp.model.parameters(), { lr: 1e-3 });
 * const loss = await dp.backward([x, y]);
 * opt.step();
 * await dp.close();
 * ```
 */
export class DataParallel {
  /** The model of this thread, with which the workers' models share parameters and buffers. */
  readonly model: Module;
  readonly workers: number;
  readonly shards: number;
  private readonly sharded: Sharded;
  private randomSeed: number;
  private step = 0;
  /** Resolves when the running backward has ended. */
  private running: Promise<unknown> | null = null;
  private closing: Promise<void> | null = null;

  /**
   * Loads a job module by `import`, as workers do, and makes a DataParallel from it. The module may use top-level
   * await. It gets this program's copy of nabla, also under loaders and test runners.
   * @param url The job module: a URL, such as `new URL("./job.js", import.meta.url)`, or a file: URL as text.
   * @throws ERR_ARGUMENT for a model or function instead of a URL (threads cannot share a closure), and for a module
   * whose default export is not a job.
   */
  static async load(url: FilePath, options?: DataParallelOptions): Promise<DataParallel> {
    return new DataParallel(url, options, await importJob(needJobUrl(url)));
  }

  /**
   * Loads the job module synchronously, by `require` of an ES module.
   * @throws ERR_ARGUMENT as {@link load}, and if the module uses top-level await, or gets another copy of nabla.
   */
  constructor(url: FilePath, options?: DataParallelOptions);
  /** @internal */
  constructor(url: FilePath, options: DataParallelOptions | undefined, imported: Job);
  constructor(url: FilePath, options?: DataParallelOptions, imported?: Job) {
    const href = needJobUrl(url);
    const given = checkFields<DataParallelOptions>(op, options, ["workers", "shards", "args", "seed"]);
    const job = isJob(imported) ? imported : requireJob(href);
    const own = checkFields(op, { workers: job.workers, shards: job.shards, seed: job.seed }, [
      "workers",
      "shards",
      "seed",
    ]);
    const { workers = addon.poolThreads(), shards = 8, seed } = { ...own, ...given };
    this.workers = workers;
    this.shards = shards;
    const [low = 0, high = 0] = seed === undefined ? defaultGenerator.next() : [];
    this.randomSeed = seed ?? low + (high & 0xfffff) * 2 ** 32;
    const args = argumentsOf(job.args, given.args);
    needCloneable("args", args);
    this.model = needModel(job.model(args), imported === undefined);
    this.sharded = new Sharded(job, this.model, { workers, shards, module: { url: href, args } });
  }

  /** The seed of random numbers inside the model. */
  get seed(): number {
    return this.randomSeed;
  }

  /**
   * Forward and backward over a batch: replaces the parameters' gradients (no zeroGrad is needed) and returns the loss,
   * the mean over the rows.
   * @param batch A tensor, or a tree of tensors with the same number of rows; the job's `loss` gets one shard of it at
   * a time.
   * @throws The job's own errors; ERR_WORKER if workers keep dying, or after close; ERR_SHAPE if numbers of rows
   * differ.
   */
  async backward(batch: unknown): Promise<Tensor> {
    const from = "DataParallel.backward";
    if (this.closing !== null) fail("ERR_WORKER", from, "the workers have been closed");
    if (this.running !== null) fail("ERR_WORKER", from, "a backward is running", "one at a time (await it)");
    const result = this.compute(batch);
    this.running = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.running = null;
    }
  }

  /**
   * The position of this run. Together with the states of the model, the optimizer and the loader, a resumed run
   * computes the same bits as one without interruption.
   */
  stateDict(): DataParallelState {
    return { seed: this.randomSeed, step: this.step, shards: this.shards };
  }

  /**
   * Continues from a saved position; the number of workers may differ.
   * @throws ERR_ARGUMENT unless the state is from {@link stateDict} with the same number of shards; ERR_WORKER while a
   * backward is running.
   */
  loadStateDict(state: DataParallelState): void {
    const from = "DataParallel.loadStateDict";
    if (this.running !== null) fail("ERR_WORKER", from, "a backward is running", "a state between two (await it)");
    const { seed, step, shards } = (state ?? {}) as Partial<DataParallelState>;
    const checked = { seed: needInteger(from, "seed", seed, 0), step: needInteger(from, "step", step, 0) };
    if (shards !== this.shards)
      fail("ERR_ARGUMENT", from, "the number of shards differs", String(this.shards), describe(shards));
    this.randomSeed = checked.seed;
    this.step = checked.step;
  }

  /** Ends the workers; a running backward is rejected with ERR_WORKER. Resolves when all threads have ended. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await this.sharded.close();
    await this.running;
  }

  private async compute(batch: unknown): Promise<Tensor> {
    const shares = await this.sharded.run(batch, { seed: this.randomSeed, step: this.step });
    const weights = weightsOf(shares, countOf(shares));
    const { parameters } = this.sharded;
    const terms = shares.map(({ gradients }) => gradients);
    storeGradients(parameters, weightedGradients(parameters, terms, weights));
    averageBuffers(this.model.buffers(), shares);
    this.step++;
    return meanLoss(shares, weights);
  }
}
brand("other", DataParallel);
