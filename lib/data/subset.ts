import { needInteger, refuse } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { describe, fail, showBounds } from "../core/errors.js";
import { types } from "../core/node.js";
import { checkOptions } from "../core/options.js";
import { int32s } from "../tensor/javascript-memory.js";
import { type Dataset, needDataset, TensorDataset } from "./dataset.js";
import { permutation } from "./permutation.js";
import type { SampleContext } from "./sample.js";
import { TokenWindows } from "./token-windows.js";

/**
 * Some samples of a data set, in the order of `indices`.
 * @throws ERR_ARGUMENT for indices that are not a list of integers; ERR_INDEX for one that is not in the data set.
 * @example new Subset(["a", "b", "c"], [2, 0]).at(0); // "c"
 */
export class Subset<T> implements Dataset<T> {
  /** The whole data set. */
  readonly dataset: Dataset<T>;
  /** The positions of the samples in it. */
  readonly indices: Int32Array;
  /** The number of samples. */
  readonly length: number;

  constructor(dataset: readonly T[], indices: ArrayLike<number>);
  constructor(dataset: Dataset<T>, indices: ArrayLike<number>);
  constructor(dataset: Dataset<T>, indices: ArrayLike<number>) {
    const op = "Subset";
    needDataset(op, dataset);
    if (!Array.isArray(indices) && (!ArrayBuffer.isView(indices) || types.isDataView(indices)))
      refuse(op, "the indices", "a list of integers", indices);
    const { length } = indices as ArrayLike<unknown>;
    this.dataset = dataset;
    this.indices = int32s(op, length, (i) => {
      const index = needInteger(op, "an index", indices[i]);
      if (index >= 0 && index < dataset.length) return index;
      return fail("ERR_INDEX", op, "an index is out of range", showBounds(0, dataset.length - 1), String(index));
    });
    this.length = length;
  }

  /** Sample `i`; a negative `i` counts from the end. */
  at(i: number, context?: SampleContext): T | Promise<T> {
    return this.dataset.at(this.indexOf(i), context);
  }

  /** @internal The subset's samples as rows of the data set. */
  within(positions: Int32Array): Int32Array<ArrayBuffer> {
    return int32s("Subset", positions.length, (k) => this.indexOf(positions[k]!));
  }

  private indexOf(i: number): number {
    const position = needInteger("Subset", "the index of a sample", i);
    const index = this.indices[position < 0 ? position + this.length : position];
    return (
      index ?? fail("ERR_INDEX", "Subset", "no such sample", showBounds(-this.length, this.length - 1), describe(i))
    );
  }
}
brand("other", Subset);

export interface RandomSplitOptions {
  /** The seed, which determines the parts; default 0. */
  readonly seed?: number | undefined;
}

/**
 * Splits a data set into disjoint random parts, which together are all of it. `sizes` are numbers of samples, or shares
 * that add up to 1; samples that shares leave over go to the first parts, one each, as in PyTorch.
 * @throws ERR_ARGUMENT unless the sizes are the length of the data set, or 1, together.
 * @example
 * const [training, validation] = randomSplit(new TensorDataset(images, labels), [0.9, 0.1], { seed: 1 });
 * validation.length; // 25
 */
export function randomSplit<T, const S extends readonly number[]>(
  dataset: Dataset<T> | readonly T[],
  sizes: S,
  options?: RandomSplitOptions,
): { -readonly [K in keyof S]: Subset<T> } {
  const op = "randomSplit";
  needDataset(op, dataset);
  const seed = needInteger(op, "seed", checkOptions<RandomSplitOptions>(op, options, ["seed"]).seed ?? 0, 0);
  const lengths = lengthsOf(op, sizes, dataset.length);
  const sampleAt = permutation(dataset.length, seed, 0);
  let start = 0;
  return lengths.map((length) => {
    const first = start;
    start += length;
    return new Subset(
      dataset as Dataset<T>,
      int32s(op, length, (i) => sampleAt(first + i)),
    );
  }) as { -readonly [K in keyof S]: Subset<T> };
}

function lengthsOf(op: string, sizes: readonly number[], total: number): number[] {
  const wanted = `numbers of samples that add up to ${total}, or shares that add up to 1`;
  if (!Array.isArray(sizes) || !sizes.every((size) => Number.isFinite(size) && size >= 0))
    return refuse(op, "the list of sizes", wanted, sizes);
  const sum = (sizes as number[]).reduce((a, b) => a + b, 0);
  if (sum === total && sizes.every(Number.isInteger)) return sizes as number[];
  if (Math.abs(sum - 1) > 1e-9) return refuse(op, "the list of sizes", wanted, sizes);
  const lengths = (sizes as number[]).map((share) => Math.floor(share * total));
  const left = total - lengths.reduce((a, b) => a + b, 0);
  return lengths.map((length, i) => length + Math.floor(left / lengths.length) + (i < left % lengths.length ? 1 : 0));
}

/** The rows with these positions, stacked, where the data set is made of tensors; else undefined. */
export function rowsOf(dataset: unknown, positions: Int32Array): unknown {
  if (dataset instanceof Subset) return rowsOf(dataset.dataset, dataset.within(positions));
  return dataset instanceof TensorDataset || dataset instanceof TokenWindows ? dataset.rows(positions) : undefined;
}
