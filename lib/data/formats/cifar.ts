/** The binary files of CIFAR-10 and CIFAR-100. */
import { join } from "node:path";
import { refuse as refuseArgument } from "../../core/arguments.js";
import { describe, fail } from "../../core/errors.js";
import { types } from "../../core/node.js";
import { checkOptions } from "../../core/options.js";
import { type FilePath, pathOf } from "../../core/path.js";
import { refuse, type Source } from "../../core/source.js";
import { typedArray } from "../../tensor/javascript-memory.js";
import { list } from "./folder.js";
import { readWhole } from "./whole-file.js";

/** Labeled images of 32 by 32 pixels. */
export interface CifarPart {
  /** `[count, 3, 32, 32]`: red, green and blue, row by row. */
  readonly shape: readonly [count: number, channels: number, rows: number, columns: number];
  /** The pixels of all images, in row-major order of `shape`. */
  readonly images: Uint8Array;
  /** The label of each image: 0 to 9, or the fine label of CIFAR-100, 0 to 99. */
  readonly labels: Uint8Array;
  /** The coarse label of each image of CIFAR-100, 0 to 19; null for CIFAR-10. */
  readonly coarseLabels: Uint8Array | null;
}

export interface Cifar {
  /** The training set, of 50,000 images. */
  readonly train: CifarPart;
  /** The test set, of 10,000 images. */
  readonly test: CifarPart;
}

export interface CifarOptions {
  /** The number of classes, which says which of the two formats it is; default 10. */
  readonly classes?: 10 | 100 | undefined;
}

const pixels = 3 * 32 * 32;
const sets = {
  10: { labels: [10], train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), test: ["test_batch.bin"] },
  100: { labels: [20, 100], train: ["train.bin"], test: ["test.bin"] },
} as const;
type Classes = keyof typeof sets;

/**
 * Decodes the bytes of a binary file of CIFAR-10, or of CIFAR-100 with `classes: 100`.
 * @throws ERR_FORMAT unless the bytes are whole records with labels in range; ERR_ARGUMENT for anything but a Uint8Array;
 * ERR_MEMORY if the images would exceed the memory limit.
 * @example
 * const { shape, labels } = decodeCifar(new Uint8Array(2 * 3073));
 * shape; // [2, 3, 32, 32]
 * labels.length; // 2
 */
export function decodeCifar(bytes: Uint8Array, options?: CifarOptions): CifarPart {
  const op = "decodeCifar";
  const { classes = 10 } = checkOptions<CifarOptions>(op, options, ["classes"]);
  if (classes !== 10 && classes !== 100) refuseArgument(op, "classes", "10 or 100", classes);
  if (!types.isUint8Array(bytes)) refuseArgument(op, "the bytes", "a Uint8Array", bytes);
  return partOf([{ source: { op, name: "CIFAR bytes" }, bytes }], classes, op);
}

/**
 * Reads CIFAR-10 or CIFAR-100 from the folder with its binary files: `data_batch_1.bin` to `data_batch_5.bin` and
 * `test_batch.bin`, or `train.bin` and `test.bin`.
 * @throws ERR_ARGUMENT if a file is missing; otherwise as {@link decodeCifar}.
 * @example
 * const { train, test } = await loadCifar("data/cifar-10-batches-bin");
 * test.shape; // [2, 3, 32, 32]
 */
export async function loadCifar(dir: FilePath): Promise<Cifar> {
  const op = "loadCifar";
  const folder = pathOf(op, dir);
  const expected = "a directory with the binary files of CIFAR-10 or CIFAR-100";
  const present = await list(op, folder, expected);
  const classes = ([10, 100] as const).find((n) =>
    [...sets[n].train, ...sets[n].test].every((name) => present.includes(name)),
  );
  if (classes === undefined)
    return fail("ERR_ARGUMENT", op, `${folder}: files are missing`, expected, present.sort().slice(0, 8).join(", "), {
      dir: folder,
    });
  const read = async (names: readonly string[]): Promise<CifarPart> => {
    const files: File[] = [];
    for (const name of names) {
      const source = { op, name: join(folder, name) };
      files.push({ source, bytes: await readWhole(source) });
    }
    return partOf(files, classes, op);
  };
  return { train: await read(sets[classes].train), test: await read(sets[classes].test) };
}

interface File {
  readonly source: Source;
  readonly bytes: Uint8Array;
}

function partOf(files: readonly File[], classes: Classes, op: string): CifarPart {
  const ranges: readonly number[] = sets[classes].labels;
  const record = ranges.length + pixels;
  let count = 0;
  for (const { source, bytes } of files) {
    if (bytes.length === 0 || bytes.length % record !== 0)
      refuse(source, "not whole records", `a multiple of ${record} bytes`, `${bytes.length}`);
    count += bytes.length / record;
  }
  const images = typedArray<Uint8Array>(op, Uint8Array, count * pixels);
  const labels = ranges.map(() => typedArray<Uint8Array>(op, Uint8Array, count));
  let row = 0;
  for (const { source, bytes } of files)
    for (let at = 0; at < bytes.length; at += record, row++) {
      for (const [i, classesOf] of ranges.entries()) {
        const label = bytes[at + i]!;
        if (label >= classesOf)
          refuse(source, `record ${at / record} has a bad label`, `0 to ${classesOf - 1}`, describe(label));
        labels[i]![row] = label;
      }
      images.set(bytes.subarray(at + ranges.length, at + record), row * pixels);
    }
  return {
    shape: [count, 3, 32, 32],
    images,
    labels: labels.at(-1)!,
    coarseLabels: labels.length > 1 ? labels[0]! : null,
  };
}
