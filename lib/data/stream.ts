/** Batches of rows that come one after the other: from async iterables, generators and Node streams. */

import { needFunction, needInteger } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import type { Signal } from "../core/signal.js";
import { type Batch, collate } from "./collate.js";
import { inOrder, type Task } from "./in-order.js";
import { Rows, type Seekable } from "./rows.js";

/** What a factory of rows is told. */
export interface StreamEpoch {
  /** The number of the epoch, from 0. */
  readonly epoch: number;
  /** The loader's seed. */
  readonly seed: number;
  /** Aborted when the loop over the loader ends, also by `break` or an error. */
  readonly signal: Signal;
}

/**
 * Makes the rows of an epoch: an async iterable, an iterable or a Node stream, or a promise of it. It may also have
 * `position()`, plain data that says what comes next, and `seek(position)`, with which a run that continues goes on
 * there; without them such a run reads the rows before and drops them.
 */
export type StreamFactory<T> = (epoch: StreamEpoch) => Seekable<T> | Promise<Seekable<T>>;

export interface StreamOptions<T, B> {
  /** The number of rows in a batch; default 1. */
  readonly batchSize?: number | undefined;
  /** Whether an incomplete last batch is dropped; default false. */
  readonly dropLast?: boolean | undefined;
  /** A seed for the factory; default 0. */
  readonly seed?: number | undefined;
  /** Makes a batch of an array of rows. Default: as {@link DataLoader} does. */
  readonly collate?: ((rows: T[]) => B) | undefined;
  /** How many batches are read ahead while one is used; default 0. */
  readonly prefetch?: number | undefined;
}

/** The position of a stream of batches. */
export interface StreamState {
  readonly seed: number;
  /** The number of the epoch, from 0. */
  readonly epoch: number;
  /** The number of batches of the epoch that are done, and of rows in them. */
  readonly position: number;
  readonly rows: number;
  readonly batchSize: number;
  /** What the rows' own `position()` said after them; null if they have none. */
  readonly source: unknown;
}

interface Run {
  readonly epoch: number;
  position: number;
  rows: number;
  source: unknown;
}

interface Read {
  readonly batch: unknown;
  readonly rows: number;
  readonly source: unknown;
}

const op = "fromIterable";

/** Batches of a stream; {@link fromIterable} makes it. Each `for await` is an epoch. */
export class StreamLoader<T, B = Batch<T>> implements AsyncIterable<B> {
  readonly batchSize: number;
  readonly dropLast: boolean;
  private readonly factory: StreamFactory<T>;
  private readonly collate: (rows: T[]) => B;
  private readonly prefetch: number;
  private seed: number;
  private next: Run = start(0);
  private running: Run | undefined;

  /** @internal */
  constructor(factory: StreamFactory<T>, options?: StreamOptions<T, B>) {
    const names = ["batchSize", "seed", "collate", "prefetch"] as const;
    const given = checkOptions<StreamOptions<T, B>>(op, options, names, ["dropLast"]);
    needFunction(op, factory, "the factory");
    if (given.collate !== undefined) needFunction(op, given.collate, "collate");
    this.factory = factory;
    this.batchSize = needInteger(op, "batchSize", given.batchSize ?? 1, 1);
    this.seed = needInteger(op, "seed", given.seed ?? 0, 0);
    this.prefetch = needInteger(op, "prefetch", given.prefetch ?? 0, 0);
    this.dropLast = given.dropLast ?? false;
    this.collate = given.collate ?? ((rows) => collate(rows) as B);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<B> {
    const run = this.next;
    this.running = run;
    this.next = start(run.epoch + 1);
    const stop = new AbortController();
    let rows: Rows<T> | undefined;
    try {
      rows = await Rows.open(op, this.factory, { epoch: run.epoch, seed: this.seed, signal: stop.signal });
      await rows.skip(run.rows, run.source);
      for await (const read of inOrder(this.tasks(rows), this.prefetch)) {
        if (read === null) break;
        Object.assign(run, { position: run.position + 1, rows: read.rows, source: read.source });
        yield read.batch as B;
      }
      if (rows.count === 0) fail("ERR_ARGUMENT", op, `epoch ${run.epoch} has no rows`, "at least one", "0");
    } finally {
      if (this.running === run) this.running = undefined;
      stop.abort();
      await rows?.close();
    }
  }

  /** The position. Inside a loop, the batches returned so far count as done. */
  stateDict(): StreamState {
    const { epoch, position, rows, source } = this.running ?? this.next;
    return { seed: this.seed, epoch, position, rows, batchSize: this.batchSize, source };
  }

  /**
   * Continues from a saved position: the next loop gives the remaining batches of its epoch, if the factory makes the same
   * rows.
   * @throws ERR_ARGUMENT if the state is not that of a stream with the same batch size.
   */
  loadStateDict(state: StreamState): void {
    const from = "loadStateDict";
    if (typeof state !== "object" || state === null)
      fail("ERR_ARGUMENT", op, `${from}: not a state`, "an object", describe(state));
    const { seed, epoch, position, rows, batchSize, source = null } = state;
    for (const [name, value] of Object.entries({ seed, epoch, position, rows }))
      needInteger(op, `${from}: ${name}`, value, 0);
    if (batchSize !== this.batchSize)
      fail("ERR_ARGUMENT", op, `${from}: batchSize differs`, `${this.batchSize}`, describe(batchSize));
    this.seed = seed;
    this.next = { epoch, position, rows, source };
    this.running = undefined;
  }

  /** Reads batches one after the other, however many are asked for at once; null after the last. */
  private *tasks(rows: Rows<T>): Generator<Task<Read | null>, void, undefined> {
    let last: Promise<unknown> = Promise.resolve();
    for (;;)
      yield () => {
        const read = last.then(() => this.read(rows));
        last = read;
        return read;
      };
  }

  private async read(rows: Rows<T>): Promise<Read | null> {
    const samples = await rows.take(this.batchSize);
    if (samples.length === 0 || (this.dropLast && samples.length < this.batchSize)) return null;
    // Of this moment: the rows go on while the batch is used.
    const [count, source] = [rows.count, rows.position()];
    return { batch: this.collate(samples), rows: count, source };
  }
}
brand("other", StreamLoader);

const start = (epoch: number): Run => ({ epoch, position: 0, rows: 0, source: null });

/**
 * Batches of rows that come one after the other. The factory is called for each epoch, as an iterable may be used up.
 * `break` and errors close the rows: an iterator's `return` is called, a stream is destroyed.
 * @throws ERR_ARGUMENT for a factory that is no function or gives no iterable, for invalid options, and for an epoch without
 * rows. Errors of the rows pass through; their message and their property `sample` say the number of the row.
 * @example
 * const rows = async function* () {
 *   for (let i = 0; i < 5; i++) yield [i, i > 2] as const;
 * };
 * const loader = fromIterable(rows, { batchSize: 2, prefetch: 1 });
 * const sizes: number[] = [];
 * for await (const [x, y] of loader) sizes.push(x.numel);
 * sizes; // [2, 2, 1]
 */
export const fromIterable = <T, B = Batch<T>>(
  factory: StreamFactory<T>,
  options?: StreamOptions<T, B>,
): StreamLoader<T, B> => new StreamLoader(factory, options);
