import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { loadMnist } from "nabla";
import { afterEach, beforeEach, expect, test } from "vitest";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-mnist-"));
});
afterEach(() => rm(dir, { recursive: true }));

const uint32 = (value: number) => [value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 0xff);
const idx = (shape: readonly number[], seed: number) =>
  Uint8Array.of(
    ...[0, 0, 8, shape.length],
    ...shape.flatMap(uint32),
    ...Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (seed + 7 * i) % 256),
  );

type Files = Record<string, Uint8Array>;
const standard = (): Files => ({
  "train-images-idx3-ubyte": idx([3, 2, 2], 1),
  "train-labels-idx1-ubyte": idx([3], 2),
  "t10k-images-idx3-ubyte": idx([2, 2, 2], 3),
  "t10k-labels-idx1-ubyte": idx([2], 4),
});
async function write(files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes);
}
const expected = {
  train: {
    shape: [3, 2, 2],
    images: Uint8Array.from({ length: 12 }, (_, i) => 1 + 7 * i),
    labels: Uint8Array.of(2, 9, 16),
  },
  test: { shape: [2, 2, 2], images: Uint8Array.from({ length: 8 }, (_, i) => 3 + 7 * i), labels: Uint8Array.of(4, 11) },
};

test("the four standard files", async () => {
  await write(standard());
  expect(await loadMnist(dir)).toEqual(expected);
  expect(await loadMnist(pathToFileURL(dir))).toEqual(expected);
});

test("gzipped files, and names with a dot", async () => {
  const entries = Object.entries(standard());
  await write(
    Object.fromEntries(entries.map(([name, bytes]) => [`${name.replace("-idx", ".idx")}.gz`, gzipSync(bytes)])),
  );
  expect(await loadMnist(dir)).toEqual(expected);
});

const refusals: [what: string, change: (files: Files) => void, code: string, message: string][] = [
  [
    "two missing files in one error",
    (files) => {
      delete files["train-labels-idx1-ubyte"];
      delete files["t10k-images-idx3-ubyte"];
    },
    "ERR_ARGUMENT",
    "files are missing; expected train-labels-idx1-ubyte, t10k-images-idx3-ubyte (gzipped or not), got t10k-labels",
  ],
  [
    "a cut file, named",
    (files) => {
      files["t10k-images-idx3-ubyte"] = idx([2, 2, 2], 3).subarray(0, 20);
    },
    "ERR_FORMAT",
    "t10k-images-idx3-ubyte: cut off; expected 24 bytes for uint8 [2, 2, 2], got 20 bytes",
  ],
  [
    "images of the wrong rank",
    (files) => {
      files["train-images-idx3-ubyte"] = idx([3, 4], 1);
    },
    "ERR_FORMAT",
    "train-images-idx3-ubyte: wrong kind of array; expected uint8 of rank 3, got uint8 of rank 2",
  ],
  [
    "labels that are not bytes",
    (files) => {
      files["train-labels-idx1-ubyte"] = Uint8Array.of(0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 0, 1);
    },
    "ERR_FORMAT",
    "expected uint8 of rank 1, got int32 of rank 1",
  ],
  [
    "more labels than images",
    (files) => {
      files["t10k-labels-idx1-ubyte"] = idx([5], 4);
    },
    "ERR_FORMAT",
    "t10k-labels-idx1-ubyte: as many labels as images are needed; expected 2 labels, got 5",
  ],
  [
    "images of two sizes",
    (files) => {
      files["t10k-images-idx3-ubyte"] = idx([2, 3, 2], 3);
    },
    "ERR_FORMAT",
    "training and test images differ in size; expected 2x2, got 3x2",
  ],
];
test.each(refusals)("%s", async (_, change, code, message) => {
  const files = standard();
  change(files);
  await write(files);
  await expect(loadMnist(dir)).rejects.toMatchObject({ name: "NablaError", code, op: "loadMnist" });
  await expect(loadMnist(dir)).rejects.toThrowError(message);
});

test("a directory that does not exist, is a file, or is empty", async () => {
  await expect(loadMnist(join(dir, "none"))).rejects.toThrowError(/cannot be read; .*, got no such directory/);
  await write({ file: Uint8Array.of(1) });
  await expect(loadMnist(join(dir, "file"))).rejects.toThrowError(/expected a directory .*, got a file/);
  await mkdir(join(dir, "empty"));
  await expect(loadMnist(join(dir, "empty"))).rejects.toThrowError(/files are missing; .*, got an empty directory/);
});
