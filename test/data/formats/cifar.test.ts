import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCifar, loadCifar } from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const pixels = 3072;
/** A file of records: the labels, then a pixel value for the whole image. */
const file = (...records: (readonly [labels: readonly number[], pixel: number])[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(records.map(([labels, pixel]) => Buffer.concat([Buffer.from(labels), Buffer.alloc(pixels, pixel)]))),
  );

describe("a file", () => {
  test("of CIFAR-10 has a label before each image", () => {
    const bytes = file([[3], 7], [[9], 255]);
    bytes[1 + 1024] = 11; // the first green pixel
    const { shape, images, labels, coarseLabels } = decodeCifar(bytes);
    expect([shape, [...labels], coarseLabels]).toEqual([[2, 3, 32, 32], [3, 9], null]);
    expect([images[0], images[1024], images[3071], images[3072], images.length]).toEqual([7, 11, 7, 255, 6144]);
  });
  test("of CIFAR-100 has two", () => {
    const { labels, coarseLabels } = decodeCifar(file([[19, 99], 1], [[0, 5], 2]), { classes: 100 });
    expect([[...labels], [...coarseLabels!]]).toEqual([
      [99, 5],
      [19, 0],
    ]);
  });
  test.each([
    ["nothing", new Uint8Array(), {}, "not whole records; expected a multiple of 3073 bytes, got 0"],
    ["a cut record", file([[1], 0]).subarray(1), {}, "not whole records"],
    ["a label out of range", file([[1], 0], [[10], 0]), {}, "record 1 has a bad label; expected 0 to 9, got 10"],
    ["a coarse label out of range", file([[20, 0], 0]), { classes: 100 }, "record 0 has a bad label; expected 0 to 19"],
    ["the other format", file([[1], 0]), { classes: 100 }, "expected a multiple of 3074 bytes"],
  ])("with %s is ERR_FORMAT", (_, bytes, options, message) => {
    expect(() => decodeCifar(bytes, options as never)).toThrowError(expect.objectContaining({ code: "ERR_FORMAT" }));
    expect(() => decodeCifar(bytes, options as never)).toThrowError(message);
  });
  test.each([[3], [new Uint8Array(3073), { classes: 20 }], [new Uint8Array(3073), 3]])(
    "%o is ERR_ARGUMENT",
    (...args) => {
      expect(() => decodeCifar(...(args as [never, never]))).toThrowError(
        expect.objectContaining({ code: "ERR_ARGUMENT" }),
      );
    },
  );
});

describe("a folder", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "nabla-cifar-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test("of CIFAR-10 has five files to train on and one to test", async () => {
    for (let i = 1; i <= 5; i++) await writeFile(join(dir, `data_batch_${i}.bin`), file([[i], i], [[i + 1], i]));
    await writeFile(join(dir, "test_batch.bin"), file([[0], 9]));
    const { train, test } = await loadCifar(dir);
    expect([train.shape[0], [...train.labels]]).toEqual([10, [1, 2, 2, 3, 3, 4, 4, 5, 5, 6]]);
    expect([train.images[9 * pixels], test.shape[0], test.images[0]]).toEqual([5, 1, 9]);
  });
  test("of CIFAR-100 has one of each", async () => {
    for (const name of ["train.bin", "test.bin"]) await writeFile(join(dir, name), file([[2, 50], 1]));
    const { train, test } = await loadCifar(dir);
    expect([[...train.labels], [...test.coarseLabels!]]).toEqual([[50], [2]]);
    await writeFile(join(dir, "test.bin"), file([[2, 100], 1]));
    await expect(loadCifar(dir)).rejects.toThrowError(`${join(dir, "test.bin")}: record 0 has a bad label`);
  });
  test("without the files is ERR_ARGUMENT", async () => {
    const refused = expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT", op: "loadCifar" });
    await writeFile(join(dir, "data_batch_1.bin"), "");
    await expect(loadCifar(dir)).rejects.toThrowError(refused);
    await expect(loadCifar(join(dir, "none"))).rejects.toThrowError(refused);
    await mkdir(join(dir, "train.bin"));
    await writeFile(join(dir, "test.bin"), "");
    await expect(loadCifar(dir)).rejects.toThrowError(refused);
  });
});
