import { arange, DataLoader, TokenWindows, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

const tokens = arange(10);

describe("windows of tokens", () => {
  test("begin at each position, and the targets one later", () => {
    const windows = new TokenWindows(tokens, { blockSize: 4 });
    expect(windows.length).toBe(6);
    expect(windows.at(5).map((x) => x.toArray())).toEqual([
      [5, 6, 7, 8],
      [6, 7, 8, 9],
    ]);
    expect(windows.at(-6).map((x) => x.toArray())).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3, 4],
    ]);
  });

  test("or every stride", () => {
    const windows = new TokenWindows(tokens, { blockSize: 4, stride: 4 });
    expect(windows.length).toBe(2);
    expect(windows.at(1)[1].toArray()).toEqual([5, 6, 7, 8]);
  });

  test.each([{ blockSize: 3 }, { blockSize: 3, stride: 2 }])("are batched as they are one by one: %j", (options) => {
    const windows = new TokenWindows(tokens, options);
    const together = [...new DataLoader(windows, { batchSize: 3, shuffle: true })];
    const alone = [
      ...new DataLoader({ length: windows.length, at: (i: number) => windows.at(i) }, { batchSize: 3, shuffle: true }),
    ];
    const plain = (batches: typeof together) => batches.map(([x, y]) => [x.dtype, x.toArray(), y.toArray()]);
    expect(plain(together)).toEqual(plain(alone as never));
    expect(together[0]![0].shape).toEqual([3, 3]);
  });

  test.each([
    ["ERR_ARGUMENT", () => new TokenWindows([1, 2] as never, { blockSize: 1 })],
    ["ERR_SHAPE", () => new TokenWindows(zeros([2, 3]), { blockSize: 1 })],
    ["ERR_ARGUMENT", () => new TokenWindows(tokens, {} as never)],
    ["ERR_ARGUMENT", () => new TokenWindows(tokens, { blockSize: 10 })],
    ["ERR_ARGUMENT", () => new TokenWindows(tokens, { blockSize: 1, stride: 0 })],
    ["ERR_ARGUMENT", () => new TokenWindows(tokens, { blockSize: 1, step: 2 } as never)],
    ["ERR_INDEX", () => new TokenWindows(tensor([1, 2]), { blockSize: 1 }).at(1)],
  ])("%s", (code, make) => expect(make).toThrowError(expect.objectContaining({ name: "NablaError", code })));
});
