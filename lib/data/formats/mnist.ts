import { join } from "node:path";
import { fail } from "../../core/errors.js";
import { readRegular } from "../../core/file.js";
import { type FilePath, pathOf } from "../../core/path.js";
import { list } from "./folder.js";
import { readIdx } from "./idx.js";

/** Labeled images: one byte per pixel, row by row. */
export interface MnistPart {
  /** `[count, rows, columns]` */
  readonly shape: readonly [count: number, rows: number, columns: number];
  /** The pixels of all images, in row-major order of `shape`. */
  readonly images: Uint8Array;
  /** The label of each image. */
  readonly labels: Uint8Array;
}

export interface Mnist {
  /** The training set, of 60,000 images in MNIST. */
  readonly train: MnistPart;
  /** The test set, of 10,000 images in MNIST. */
  readonly test: MnistPart;
}

interface IdxFile {
  readonly name: string;
  readonly rank: number;
}

const parts = {
  train: { images: { name: "train-images", rank: 3 }, labels: { name: "train-labels", rank: 1 } },
  test: { images: { name: "t10k-images", rank: 3 }, labels: { name: "t10k-labels", rank: 1 } },
} as const;

/**
 * Reads the four files of MNIST, or of a data set in the same format, from a directory: `train-images-idx3-ubyte`,
 * `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`. The names may have a dot before
 * `idx`, and each file may be gzipped.
 * @throws ERR_ARGUMENT if the directory or a file is missing; ERR_FORMAT if a file is truncated or corrupt, or the
 * numbers of images and labels differ.
 * @example
 * const { train } = await loadMnist("data/mnist");
 * train.shape; // [60000, 28, 28]
 */
export async function loadMnist(dir: FilePath): Promise<Mnist> {
  const folder = pathOf("loadMnist", dir);
  const present = new Set(await list("loadMnist", folder, "a directory with the four MNIST files"));
  const wanted = Object.values(parts).flatMap((part) => [part.images, part.labels]);
  const missing = wanted.filter((file) => find(present, file) === undefined).map((file) => spellings(file)[0]);
  if (missing.length > 0) {
    const expected = `${missing.join(", ")} (gzipped or not)`;
    const got = present.size === 0 ? "an empty directory" : [...present].sort().slice(0, 8).join(", ");
    fail("ERR_ARGUMENT", "loadMnist", `${folder}: files are missing`, expected, got, { dir: folder, missing });
  }

  const read = async (file: IdxFile): Promise<IdxBytes> => {
    const path = join(folder, find(present, file) as string);
    const { shape, data } = readIdx("loadMnist", await readRegular("loadMnist", path), path);
    if (shape.length !== file.rank || !(data instanceof Uint8Array)) {
      refuse(path, "wrong kind of array", `uint8 of rank ${file.rank}`, `${nameOf(data)} of rank ${shape.length}`);
    }
    return { path, shape, data: data as Uint8Array };
  };
  const readPart = async (files: { images: IdxFile; labels: IdxFile }): Promise<MnistPart> => {
    const [images, labels] = [await read(files.images), await read(files.labels)];
    const [count = 0, rows = 0, columns = 0] = images.shape;
    if (labels.shape[0] !== count) {
      refuse(labels.path, "as many labels as images are needed", `${count} labels`, `${labels.shape[0]}`);
    }
    return { shape: [count, rows, columns], images: images.data, labels: labels.data };
  };

  const [train, test] = [await readPart(parts.train), await readPart(parts.test)];
  if (train.shape[1] !== test.shape[1] || train.shape[2] !== test.shape[2]) {
    const size = ({ shape }: MnistPart) => `${shape[1]}x${shape[2]}`;
    refuse(folder, "training and test images differ in size", size(train), size(test));
  }
  return { train, test };
}

interface IdxBytes {
  readonly path: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

function refuse(path: string, fact: string, expected: string, got: string): never {
  fail("ERR_FORMAT", "loadMnist", `${path}: ${fact}`, expected, got, { path });
}

const nameOf = (data: object) => data.constructor.name.replace("Array", "").toLowerCase();

function spellings({ name, rank }: IdxFile): readonly [string, ...string[]] {
  const plain = `${name}-idx${rank}-ubyte`;
  const dotted = `${name}.idx${rank}-ubyte`;
  return [plain, dotted, `${plain}.gz`, `${dotted}.gz`];
}

function find(present: ReadonlySet<string>, file: IdxFile): string | undefined {
  return spellings(file).find((name) => present.has(name));
}
