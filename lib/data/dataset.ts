import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { tensor } from "../tensor/from-data.js";
import { Tensor } from "../tensor/tensor.js";
import type { SampleContext } from "./sample.js";

/** A collection of samples that are read by index, such as an array. */
export interface Dataset<T> {
  /** The number of samples. */
  readonly length: number;
  /** Sample `i`, or a promise of it; 0 <= i < length. A loader also passes what depends on the epoch. */
  at(i: number, context?: SampleContext): T | Promise<T>;
}

/** ERR_ARGUMENT for anything but an array or another object with `length` and `at`. */
export function needDataset(op: string, dataset: Dataset<unknown>): void {
  const fits =
    typeof dataset === "object" &&
    dataset !== null &&
    typeof dataset.at === "function" &&
    Number.isSafeInteger(dataset.length) &&
    dataset.length >= 0;
  if (!fits) fail("ERR_ARGUMENT", op, "not a data set", "an array or { length, at(i) }", describe(dataset));
}

type Row<T extends readonly Tensor[]> = { -readonly [K in keyof T]: Tensor };

/**
 * A data set of tensors with the same first size: sample `i` is the tuple of their rows `i`.
 * @throws ERR_ARGUMENT without tensors; ERR_SHAPE for a tensor of rank 0, or if the first sizes differ.
 * @example
 * const digits = new TensorDataset(images, labels);
 * const [image, label] = digits.at(0);
 */
export class TensorDataset<const T extends readonly Tensor[]> implements Dataset<Row<T>> {
  /** The tensors, as given. */
  readonly tensors: T;
  /** The number of samples: the first size of the tensors. */
  readonly length: number;

  constructor(...tensors: T) {
    const op = "TensorDataset";
    if (tensors.length === 0) fail("ERR_ARGUMENT", op, "no tensors", "at least one", "none", {}, TensorDataset);
    tensors.forEach((t, i) => {
      if (t instanceof Tensor) return;
      fail(
        "ERR_ARGUMENT",
        op,
        `argument ${i} is not a tensor`,
        "a Tensor",
        describe(t),
        { argument: i },
        TensorDataset,
      );
    });
    const lengths = tensors.map((t) => t.shape[0]);
    if (lengths.some((length) => length === undefined || length !== lengths[0])) {
      const got = tensors.map((t) => `[${t.shape.join(", ")}]`).join(" and ");
      const shapes = tensors.map((t) => t.shape);
      fail("ERR_SHAPE", op, "tensors must share their first axis", "equal lengths", got, { shapes }, TensorDataset);
    }
    this.tensors = tensors;
    this.length = lengths[0] as number;
  }

  /** Row `i` of every tensor; a negative `i` counts from the end. */
  at(i: number): Row<T> {
    return this.tensors.map((t) => t.at(i)) as Row<T>;
  }

  /** The rows with these indices, stacked: one indexSelect per tensor. */
  rows(indices: Int32Array): Row<T> {
    const index = tensor(indices);
    return this.tensors.map((t) => t.indexSelect(0, index)) as Row<T>;
  }
}
brand("other", TensorDataset);
