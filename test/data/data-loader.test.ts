import fc from "fast-check";
import { DataLoader, type Dataset, rand, Subset, Tensor, TensorDataset, tensor } from "nabla";
import { describe, expect, test } from "vitest";

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const identity = { collate: (samples: number[]) => samples };
const argument = expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT" });
const rows = () =>
  new TensorDataset(
    tensor(numbers(12), { shape: [6, 2] }),
    tensor(
      numbers(6).map((i) => 10 * i),
      { dtype: "int32" },
    ),
  );
const promised = (count: number): Dataset<number> => ({ length: count, at: async (i) => i });

describe("batches", () => {
  test("come in order, the last one short or dropped", () => {
    const all = new DataLoader(numbers(7), { batchSize: 3, ...identity });
    expect([...all]).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(all.length).toBe(3);
    const full = new DataLoader(numbers(7), { batchSize: 3, dropLast: true, ...identity });
    expect([...full]).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(full.length).toBe(2);
  });

  test("are of one sample by default", () => {
    expect([...new DataLoader(numbers(3), identity)]).toEqual([[0], [1], [2]]);
  });

  test("hold every sample once, whatever the options", () => {
    const options = fc.record({
      batchSize: fc.integer({ min: 1, max: 12 }),
      shuffle: fc.boolean(),
      seed: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), options, (count, options) => {
        const batches = [...new DataLoader(numbers(count), { ...options, ...identity })];
        expect(batches.flat().sort((a, b) => a - b)).toEqual(numbers(count));
        expect(batches.slice(0, -1).every((batch) => batch.length === options.batchSize)).toBe(true);
      }),
    );
  });

  test("of a TensorDataset are rows of its tensors", () => {
    const [first, second] = [...new DataLoader(rows(), { batchSize: 4 })];
    expect(first?.[0]).toBeInstanceOf(Tensor);
    expect(first?.[0].toArray()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect(first?.[1].toArray()).toEqual([0, 10, 20, 30]);
    expect(first?.[1].dtype).toBe("int32");
    expect(second?.[0].shape).toEqual([2, 2]);
  });

  test("of a TensorDataset keep rows together when shuffled", () => {
    for (const [x, y] of new DataLoader(rows(), { batchSize: 4, shuffle: true, seed: 3 })) {
      expect(y.toArray()).toEqual(x.toArray<number[][]>().map(([first = 0]) => first * 5));
    }
  });

  test("stack samples through tuples and objects", () => {
    const samples = numbers(3).map((i) => ({ x: tensor([i, i + 1]), y: i > 1, names: [`n${i}`, i] as const }));
    const [batch] = [...new DataLoader(samples, { batchSize: 3 })];
    expect(batch?.x.toArray()).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(batch?.y.dtype).toBe("bool");
    expect(batch?.names[0]).toEqual(["n0", "n1", "n2"]);
    expect(batch?.names[1].toArray()).toEqual([0, 1, 2]);
  });

  test("that cannot be stacked are refused", () => {
    const over = (samples: unknown[]) => () => [...new DataLoader(samples, { batchSize: 2 })];
    expect(over([new Date(0), new Date(1)])).toThrowError(/a sample cannot be batched; .*option collate, got a Date/);
    expect(over([1, "two"])).toThrowError('a sample differs in kind from the one before; expected 1, got "two"');
    expect(over([[1, 2], [1]])).toThrowError("a sample differs in length; expected 2 members, got 1");
    expect(over([{ a: [1] }, { a: [null] }])).toThrowError('member 0 of "a" of a sample differs in kind');
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(over([cyclic])).toThrowError("DataLoader: a tree contains itself, or is too deep");
  });
});

describe("orders", () => {
  const shuffled = (seed?: number) => new DataLoader(numbers(40), { batchSize: 8, shuffle: true, seed, ...identity });

  test("are new every epoch and the same for the same seed", () => {
    const [one, two, other] = [shuffled(7), shuffled(7), shuffled(8)];
    const epochs = [[...one], [...one]];
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect([[...two], [...two]]).toEqual(epochs);
    expect([...other]).not.toEqual(epochs[0]);
  });

  test("are the same in for and for await", async () => {
    const loader = shuffled(7);
    const batches: number[][] = [];
    for await (const batch of loader) batches.push(batch);
    expect(batches).toEqual([...shuffled(7)]);
  });

  test("a broken loop ends its epoch", () => {
    const [broken, whole] = [shuffled(), shuffled()];
    for (const _ of broken) break;
    for (const _ of whole);
    expect([...broken]).toEqual([...whole]);
  });
});

describe("a data set that answers with promises", () => {
  test("is read by for await", async () => {
    const batches: number[][] = [];
    for await (const batch of new DataLoader(promised(5), { batchSize: 2, ...identity })) batches.push(batch);
    expect(batches).toEqual([[0, 1], [2, 3], [4]]);
  });

  test("is refused by for, also when the promise fails", () => {
    const failing: Dataset<number> = { length: 1, at: () => Promise.reject(new Error("late")) };
    for (const dataset of [promised(5), failing]) {
      expect(() => [...new DataLoader(dataset)]).toThrowError(argument);
      expect(() => [...new DataLoader(dataset)]).toThrowError("expected for await (const batch of loader), got for");
    }
  });

  test("passes its own error on", async () => {
    const failing: Dataset<number> = { length: 1, at: () => Promise.reject(new Error("disk")) };
    await expect(new DataLoader(failing)[Symbol.asyncIterator]().next()).rejects.toThrowError("disk");
  });
});

describe("samples", () => {
  const failing = (at: (i: number) => number | Promise<number>): Dataset<number> => ({ length: 6, at });

  test("are named by the errors of a data set", async () => {
    const broken = (i: number): number => {
      if (i === 4) throw new TypeError("unreadable");
      return i;
    };
    const named = expect.objectContaining({ name: "TypeError", message: "unreadable (sample 4)", sample: 4 });
    expect(() => [...new DataLoader(failing(broken), { batchSize: 3 })]).toThrowError(named);
    for (const at of [broken, async (i: number) => broken(i)]) {
      const batches: number[][] = [];
      const loop = async () => {
        for await (const batch of new DataLoader(failing(at), { batchSize: 3, prefetch: 2, ...identity }))
          batches.push(batch);
      };
      await expect(loop()).rejects.toThrowError(named);
      expect(batches).toEqual([[0, 1, 2]]);
    }
  });

  test("have random numbers by seed, epoch and number, in whatever batches they come", async () => {
    const drawn: Dataset<number> = {
      length: 6,
      at: (i, context) =>
        1000 * i + Math.floor(1000 * rand([], { generator: context!.random }).item()) + context!.epoch * 1e6,
    };
    const epochs = async (batchSize: number, shuffle: boolean, seed: number) => {
      const loader = new DataLoader(drawn, { batchSize, shuffle, seed, ...identity });
      const both: number[] = [];
      for await (const batch of loader) both.push(...batch);
      for (const batch of loader) both.push(...batch);
      return both.sort((a, b) => a - b);
    };
    const one = await epochs(1, false, 3);
    expect(await epochs(4, true, 3)).toEqual(one);
    expect(await epochs(4, true, 4)).not.toEqual(one);
    expect(new Set(one.map((x) => x % 1000)).size).toBeGreaterThan(6);
    const subset = new Subset(drawn, [5, 2]);
    expect([...new DataLoader(subset, { batchSize: 2, ...identity })][0]!.map((x) => Math.floor(x / 1000))).toEqual([
      5, 2,
    ]);
  });

  test("are read ahead by for await, as far as prefetch says and no further", async () => {
    for (const prefetch of [0, 1, 3]) {
      const asked: number[] = [];
      const at = async (i: number) => asked.push(i);
      const iterator = new DataLoader({ length: 20, at }, { batchSize: 2, prefetch })[Symbol.asyncIterator]();
      for (let used = 1; used < 4; used++) {
        await iterator.next();
        await new Promise(setImmediate);
        expect(asked.length).toBe(2 * (used + prefetch));
      }
      await iterator.return?.();
    }
  });

  test("that were read ahead do not count as done", async () => {
    const loader = new DataLoader(promised(10), { batchSize: 2, prefetch: 3, ...identity });
    let rest: number[][] = [];
    for await (const _ of loader) {
      const state = loader.stateDict();
      expect(state.position).toBe(1);
      loader.loadStateDict(state);
      break;
    }
    rest = [];
    for await (const batch of loader) rest.push(batch);
    expect(rest).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
      [8, 9],
    ]);
  });
});

describe("state", () => {
  const loader = () => new DataLoader(numbers(20), { batchSize: 3, shuffle: true, seed: 11, ...identity });

  test("taken anywhere, the rest is the same", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(3), (steps, extra) => {
        const straight = loader();
        const all = numbers(4 + extra).flatMap(() => [...straight]);
        const first = loader();
        const seen: number[][] = [];
        let state = first.stateDict();
        walk: for (;;) {
          for (const batch of first) {
            if (seen.length === steps) break walk;
            seen.push(batch);
            state = first.stateDict();
          }
        }
        const second = loader();
        second.loadStateDict(JSON.parse(JSON.stringify(state)));
        while (seen.length < all.length) seen.push(...second);
        expect(seen.slice(0, all.length)).toEqual(all);
      }),
    );
  });

  test("of another loader is refused", () => {
    const state = loader().stateDict();
    const load = (change: object) => () => loader().loadStateDict({ ...state, ...change });
    expect(load({ batchSize: 4 })).toThrowError("loadStateDict: batchSize differs; expected 3, got 4");
    expect(load({ length: 21 })).toThrowError("loadStateDict: length differs; expected 20, got 21");
    expect(load({ position: 8 })).toThrowError("position is past the end; expected at most 7, got 8");
    expect(load({ epoch: Number.NaN })).toThrowError(
      "loadStateDict: epoch is not valid; expected an integer of at least 0, got NaN",
    );
    expect(() => loader().loadStateDict(null as never)).toThrowError("not a state; expected an object, got null");
  });
});

describe("bad arguments", () => {
  const options = (options: object) => () => new DataLoader(numbers(4), options);
  test.each([
    ["batchSize 0", options({ batchSize: 0 }), "batchSize is not valid; expected an integer of at least 1, got 0"],
    ["batchSize NaN", options({ batchSize: Number.NaN }), "expected an integer of at least 1, got NaN"],
    ["batchSize 1.5", options({ batchSize: 1.5 }), "expected an integer of at least 1, got 1.5"],
    ["batchSize as text", options({ batchSize: "2" }), 'expected an integer of at least 1, got "2"'],
    ["seed -1", options({ seed: -1 }), "seed is not valid; expected an integer of at least 0, got -1"],
    ["shuffle 1", options({ shuffle: 1 }), "shuffle is not valid; expected a boolean, got 1"],
    ["collate true", options({ collate: true }), "collate is not valid; expected a function, got true"],
    ["prefetch -1", options({ prefetch: -1 }), "prefetch is not valid; expected an integer of at least 0, got -1"],
    ["batch_size", options({ batch_size: 2 }), 'unknown option "batch_size" (did you mean "batchSize"?)'],
    ["dropLast of everything", options({ batchSize: 5, dropLast: true }), "dropLast leaves no batch"],
    ["no samples", () => new DataLoader([]), "the data set is empty; expected at least one sample, got 0"],
    ["no data set", () => new DataLoader(undefined as never), "not a data set; expected an array or"],
    ["no at", () => new DataLoader({ length: 2 } as never), "not a data set"],
    ["NaN samples", () => new DataLoader({ length: Number.NaN, at: () => 1 }), "not a data set"],
    ["no tensors", () => new TensorDataset(), "no tensors"],
    ["not a tensor", () => new TensorDataset([1] as never), "argument 0 is not a tensor; expected a Tensor, got [1]"],
  ])("%s", (_, make, message) => {
    expect(make).toThrowError(argument);
    expect(make).toThrowError(message);
  });

  test("tensors of different lengths", () => {
    const make = () => new TensorDataset(tensor([1, 2]), tensor([1, 2, 3]));
    expect(make).toThrowError(expect.objectContaining({ code: "ERR_SHAPE" }));
    expect(make).toThrowError("tensors must share their first axis; expected equal lengths, got [2] and [3]");
  });

  test("the stack starts at the caller", () => {
    try {
      new DataLoader(numbers(4), { batchSize: -1 });
      expect.unreachable();
    } catch (error) {
      expect((error as Error).stack?.split("\n")[1]).toContain("data-loader.test.ts");
    }
  });
});
