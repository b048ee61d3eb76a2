import { needFunction, needInteger } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { int32s } from "../tensor/javascript-memory.js";
import type { Batch } from "./collate.js";
import { type Dataset, needDataset } from "./dataset.js";
import { inOrder, type Task } from "./in-order.js";
import { type BatchReader, type LoaderWorkers, needWorkers, readerOf } from "./loader-workers.js";
import { permutation } from "./permutation.js";
import { type BatchPlan, readBatch, readBatchAsync } from "./read-batch.js";

export interface DataLoaderOptions<T, B> {
  /** The number of samples in a batch; default 1. */
  readonly batchSize?: number | undefined;
  /** Whether each epoch has a new random order; default false. */
  readonly shuffle?: boolean | undefined;
  /** The seed; the order of an epoch depends only on it and the number of the epoch. Default 0. */
  readonly seed?: number | undefined;
  /** Whether an incomplete last batch is dropped; default false. */
  readonly dropLast?: boolean | undefined;
  /**
   * Makes a batch of an array of samples. Default: stacks tensors and numbers, member by member in tuples and objects.
   */
  readonly collate?: ((samples: T[]) => B) | undefined;
  /**
   * How many batches `for await` reads ahead while one is used; default 0. More than that are never read before they are
   * asked for.
   */
  readonly prefetch?: number | undefined;
  /**
   * Threads that read and collate batches for `for await`, each in the order of the samples whatever is finished first.
   * They import the data set from a module, as a closure cannot cross a thread; a `collate` of this loader runs in this
   * one. `prefetch` is then 2 for each thread, unless another number is given. `close` ends them.
   */
  readonly workers?: LoaderWorkers | undefined;
}

/** The position of a loader: enough to continue with the next batch after a restart. */
export interface DataLoaderState {
  /** The seed of the order. */
  readonly seed: number;
  /** The number of the epoch, from 0. */
  readonly epoch: number;
  /** The number of batches of the epoch that are done. */
  readonly position: number;
  /** The batch size, which must be that of the loader. */
  readonly batchSize: number;
  /** The number of samples, which must be that of the data set. */
  readonly length: number;
}

interface Run {
  readonly epoch: number;
  /** The number of batches that have been returned. */
  position: number;
}

const op = "DataLoader";

/**
 * Iterates over a data set in batches. A `for` loop needs a data set whose `at` returns samples; `for await` also
 * accepts one whose `at` returns promises. Every loop is a new epoch, also after a `break`. The order of an epoch
 * depends only on `seed` and the number of the epoch.
 * @throws ERR_ARGUMENT for an empty data set, an invalid option, or `for` over a data set whose `at` returns a promise.
 * @example
 * const loader = new DataLoader(new TensorDataset(images, labels), { batchSize: 128, shuffle: true, seed: 1 });
 * for (const [x, y] of loader) step(x, y);
 */
export class DataLoader<T, B = Batch<T>> implements Iterable<B>, AsyncIterable<B> {
  readonly dataset: Dataset<T>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  /** The number of batches in an epoch. */
  readonly length: number;
  private readonly collate: ((samples: T[]) => B) | null;
  private readonly prefetch: number;
  private readonly workers: ReturnType<typeof needWorkers> | null;
  private reader: BatchReader | null = null;
  private seed: number;
  private next: Run = { epoch: 0, position: 0 };
  private running: Run | undefined;

  /** @param dataset an array, a {@link TensorDataset}, or any object with `length` and `at`. */
  constructor(dataset: readonly T[], options?: DataLoaderOptions<T, B>);
  constructor(dataset: Dataset<T>, options?: DataLoaderOptions<T, B>);
  constructor(dataset: Dataset<T>, options?: DataLoaderOptions<T, B>) {
    const names = ["batchSize", "seed", "collate", "prefetch", "workers"] as const;
    const given = checkOptions(op, options, names, ["shuffle", "dropLast"], DataLoader);
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false, collate } = given;
    const workers = given.workers === undefined ? null : needWorkers(op, given.workers);
    const { prefetch = workers === null ? 0 : 2 * workers.count } = given;
    checkDataset(dataset);
    needInteger(op, "batchSize", batchSize, 1);
    needInteger(op, "seed", seed, 0);
    if (collate !== undefined) needFunction(op, collate, "collate");
    needInteger(op, "prefetch", prefetch, 0);
    if (dropLast && dataset.length < batchSize) {
      refuse("dropLast leaves no batch", `at least ${batchSize} samples`, `${dataset.length}`);
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = seed;
    this.dropLast = dropLast;
    this.collate = collate ?? null;
    this.prefetch = prefetch;
    this.workers = workers;
    this.length = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize);
  }

  *[Symbol.iterator](): Iterator<B> {
    const instead = "for await (const batch of loader)";
    const promised = (): never => refuse("the data set answers with promises", instead, "for");
    if (this.workers !== null) refuse("batches of workers are promises", instead, "for");
    const run = this.begin();
    try {
      for (const plan of this.plans(run)) {
        const batch = readBatch(this.dataset, plan, this.collate, promised) as B;
        run.position++;
        yield batch;
      }
    } finally {
      this.end(run);
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<B> {
    const run = this.begin();
    try {
      for await (const batch of inOrder(this.tasks(run), this.prefetch)) {
        run.position++;
        yield batch as B;
      }
    } finally {
      this.end(run);
    }
  }

  /** The position of this loader. Inside a loop, the batches returned so far count as done. */
  stateDict(): DataLoaderState {
    const { epoch, position } = this.running ?? this.next;
    return { seed: this.seed, epoch, position, batchSize: this.batchSize, length: this.dataset.length };
  }

  /**
   * Continues from a saved position: the next loop yields the remaining batches of its epoch.
   * @throws ERR_ARGUMENT if the state is not that of a loader with the same batch size and length.
   */
  loadStateDict(state: DataLoaderState): void {
    const from = "loadStateDict";
    if (typeof state !== "object" || state === null) refuse(`${from}: not a state`, "an object", describe(state));
    for (const name of ["seed", "epoch", "position"] as const) needInteger(op, `${from}: ${name}`, state[name], 0);
    const own = this.stateDict();
    for (const name of ["batchSize", "length"] as const) {
      if (state[name] !== own[name]) refuse(`${from}: ${name} differs`, String(own[name]), describe(state[name]));
    }
    if (state.position > this.length) {
      refuse(`${from}: position is past the end`, `at most ${this.length}`, String(state.position));
    }
    this.seed = state.seed;
    this.next = { epoch: state.epoch, position: state.position };
    this.running = undefined;
  }

  private begin(): Run {
    const run = this.next;
    this.running = run;
    this.next = { epoch: run.epoch + 1, position: 0 };
    return run;
  }

  private end(run: Run): void {
    if (this.running === run) this.running = undefined;
  }

  /** What is left of an epoch. */
  private *plans({ epoch, position }: Run): Generator<BatchPlan, void, undefined> {
    const { seed, batchSize } = this;
    const count = this.dataset.length;
    const sampleAt = this.shuffle ? permutation(count, seed, epoch) : (position: number) => position;
    for (let i = position; i < this.length; i++) {
      const start = i * batchSize;
      const indices = int32s(op, Math.min(batchSize, count - start), (k) => sampleAt(start + k));
      yield { indices, seed, epoch };
    }
  }

  private *tasks(run: Run): Generator<Task<unknown>, void, undefined> {
    for (const plan of this.plans(run)) yield () => this.readAsync(plan);
  }

  private async readAsync(plan: BatchPlan): Promise<unknown> {
    if (this.workers === null) return readBatchAsync(this.dataset, plan, this.collate);
    const { count, url, args } = this.workers;
    this.reader ??= readerOf(count, { url, args, length: this.dataset.length, collates: this.collate === null });
    const read = await this.reader.read(plan);
    return this.collate === null ? read : this.collate(read as T[]);
  }

  /** Ends the threads of the option `workers`, and a loop that waits for them with ERR_WORKER; a later loop starts new ones. */
  async close(): Promise<void> {
    const { reader } = this;
    this.reader = null;
    await reader?.close();
  }
}

brand("other", DataLoader);

function checkDataset(dataset: Dataset<unknown>): void {
  needDataset(op, dataset);
  if (dataset.length === 0) refuse("the data set is empty", "at least one sample", "0");
  if (dataset.length >= 2 ** 31) refuse("the data set is too long", "fewer than 2^31 samples", `${dataset.length}`);
}

function refuse(fact: string, expected: string, got: string): never {
  fail("ERR_ARGUMENT", op, fact, expected, got, {}, DataLoader);
}
