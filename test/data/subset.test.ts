import { arange, DataLoader, NablaError, randomSplit, Subset, type Tensor, TensorDataset } from "nabla";
import { describe, expect, test } from "vitest";

const squares = new TensorDataset(arange(10), arange(10).square());
const valuesOf = (set: Subset<[Tensor, Tensor]>): unknown[] =>
  [...new DataLoader(set, { batchSize: 4 })].flatMap(([x]) => x.toArray() as number[]);

describe("Subset", () => {
  test("has the samples of its indices, also of a subset, and batches are gathered", () => {
    const odd = new Subset(squares, [9, 7, 5, 3, 1]);
    const [x, y] = odd.at(-1) as [Tensor, Tensor];
    expect([odd.length, x.item(), y.item()]).toEqual([5, 1, 1]);
    const inner = new Subset(odd, Int32Array.of(0, 4));
    const [batch] = new DataLoader(inner, { batchSize: 2 });
    expect(batch!.map((column) => column.toArray())).toEqual([
      [9, 1],
      [81, 1],
    ]);
  });

  test("of any data set, with promises too, and with a collate of one's own", async () => {
    const slow = { length: 3, at: (i: number) => Promise.resolve(`sample ${i}`) };
    const loader = new DataLoader(new Subset(slow, [2, 1]), { collate: (texts) => texts.join() });
    const batches: string[] = [];
    for await (const batch of loader) batches.push(batch);
    expect(batches).toEqual(["sample 2", "sample 1"]);
    const joined = new DataLoader(new Subset(squares, [3]), { collate: (rows) => rows.map(([x]) => x.item()) });
    expect([...joined]).toEqual([[3]]);
  });

  test("refuses what is no index", () => {
    const code = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return error instanceof NablaError ? error.code : error;
      }
    };
    expect(code(() => new Subset(squares, [10]))).toBe("ERR_INDEX");
    expect(code(() => new Subset(squares, [-1]))).toBe("ERR_INDEX");
    expect(code(() => new Subset(squares, [0.5]))).toBe("ERR_ARGUMENT");
    expect(code(() => new Subset(squares, [undefined as never]))).toBe("ERR_ARGUMENT");
    expect(code(() => new Subset(squares, { length: 1e9 } as never))).toBe("ERR_ARGUMENT");
    expect(code(() => new Subset(squares, new DataView(new ArrayBuffer(8)) as never))).toBe("ERR_ARGUMENT");
    expect(code(() => new Subset(3 as never, []))).toBe("ERR_ARGUMENT");
    expect(code(() => new Subset(squares, [1]).at(1))).toBe("ERR_INDEX");
  });
});

describe("randomSplit", () => {
  test("gives disjoint parts that are the whole, determined by the seed", () => {
    const [a, b, c] = randomSplit(squares, [5, 3, 2], { seed: 4 });
    expect([a.length, b.length, c.length]).toEqual([5, 3, 2]);
    const all = [a, b, c].flatMap(valuesOf);
    expect([...all].sort()).toEqual(arange(10).toArray());
    expect(all).not.toEqual(arange(10).toArray());
    expect(randomSplit(squares, [5, 3, 2], { seed: 4 }).flatMap(valuesOf)).toEqual(all);
    expect(randomSplit(squares, [5, 3, 2], { seed: 5 }).flatMap(valuesOf)).not.toEqual(all);
  });

  // The lengths of torch.utils.data.random_split.
  test.each([
    [10, [0.9, 0.1], [9, 1]],
    [10, [1 / 3, 1 / 3, 1 / 3], [4, 3, 3]],
    [7, [0.5, 0.5], [4, 3]],
    [1, [0.5, 0.5], [1, 0]],
    [3, [0.1, 0.2, 0.7], [1, 0, 2]],
    [10, [10], [10]],
    [1, [1], [1]],
  ])("%i samples in shares %o", (length, shares, lengths) => {
    expect(randomSplit(Array.from({ length }, String), shares).map((part) => part.length)).toEqual(lengths);
  });

  test("refuses sizes that do not add up", () => {
    for (const sizes of [[5, 4], [0.5, 0.4], [11, -1], [Number.NaN], "ten", [], [5.5, 4.5]])
      expect(() => randomSplit(squares, sizes as never)).toThrow(
        /^randomSplit: the list of sizes is not valid; expected numbers of samples that add up to 10, or shares that add/,
      );
  });
});
