/** The loaders of a run's data sets. */
import { describe, fail, named } from "../core/errors.js";
import { isPlain } from "../core/tree.js";
import { DataLoader } from "../data/data-loader.js";
import type { Dataset } from "../data/dataset.js";
import { isStateful } from "../io/state-json.js";
import type { DataSets, Loader } from "../job/sources.js";

/** A set to evaluate, which is read from its start each time. */
export interface EvaluatedSet {
  readonly loader: Loader;
  readonly start: unknown;
}

export interface Loaders {
  readonly train: Loader;
  /** Those of the sets to evaluate, by name. */
  readonly others: ReadonlyMap<string, EvaluatedSet>;
}

const isLoader = (value: unknown): value is Loader =>
  isStateful(value) && typeof Reflect.get(value, Symbol.asyncIterator) === "function";

/** Loaders of the sets: those that are none are read in batches, `train` in random order. */
export function loadersOf(op: string, sets: unknown, batch: number, seed: number, batchFrom: string): Loaders {
  if (!isPlain(sets) || sets["train"] === undefined)
    fail("ERR_ARGUMENT", op, "data gives no training set", "{ train } and sets to evaluate", describe(sets));
  const loaderOf = (source: unknown, shuffle: boolean): Loader =>
    isLoader(source)
      ? source
      : named(op, () => new DataLoader(source as Dataset<unknown>, { batchSize: batch, shuffle, seed }));
  const { train, ...rest } = sets as unknown as DataSets;
  if (isLoader(train) && batchFrom !== "default")
    fail("ERR_ARGUMENT", op, "batch contradicts data, which gives a loader", "one of them", `batch ${batch}`);
  const others = new Map<string, EvaluatedSet>();
  for (const [name, source] of Object.entries(rest)) {
    if (source === undefined) continue;
    if (name === "" || name.includes("."))
      fail("ERR_ARGUMENT", op, "the name of a set is not valid", "a name without dots", describe(name));
    if (source === train && isLoader(train))
      fail("ERR_ARGUMENT", op, `${name} is the loader of train, which has one position`, "a loader for each set");
    const loader = loaderOf(source, false);
    others.set(name, { loader, start: loader.stateDict() });
  }
  return { train: loaderOf(train, true), others };
}
