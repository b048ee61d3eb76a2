/** Where a job's batches come from, as types. */
import type { Batch } from "../data/collate.js";
import type { DataLoader } from "../data/data-loader.js";
import type { Dataset } from "../data/dataset.js";

/**
 * What gives batches: a {@link DataLoader}, or an object of your own. Each loop is an epoch; after `loadStateDict` the
 * next one continues at that position.
 */
export interface Loader<B = unknown> extends AsyncIterable<B> {
  /** The number of batches in an epoch, where it is known. */
  readonly length?: number | undefined;
  /** The position: in a loop, the batches returned so far count as done. */
  stateDict(): unknown;
  loadStateDict(state: never): void;
}

/** A loader, or a data set that the trainer reads in batches. */
export type Source = Loader | Dataset<unknown> | readonly unknown[];

/** The data of a job by the name of the set. */
export interface DataSets {
  /** What is learned from, in random order. */
  readonly train: Source;
  /** What is evaluated, in order. */
  readonly [set: string]: Source;
}

type BatchOfSource<S> = S extends readonly (infer T)[]
  ? Batch<T>
  : S extends DataLoader<infer _, infer B>
    ? B
    : S extends Loader<infer B>
      ? B
      : S extends Dataset<infer T>
        ? Batch<T>
        : never;

/** The batches of a job with data of type D; B without data. */
export type BatchOf<D, B> = [D] extends [never] ? B : D extends { readonly train: infer S } ? BatchOfSource<S> : B;
