import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { fromIterable, type Seekable, type StreamEpoch, type StreamOptions } from "nabla";
import { describe, expect, test, vi } from "vitest";

const keep = { collate: (rows: number[]) => rows };
const argument = expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT", op: "fromIterable" });

/** Rows 100 * epoch + 0, 1, ... that say what happens to them. */
function counted(count: number, notes: string[] = []) {
  return ({ epoch }: StreamEpoch) =>
    (async function* () {
      try {
        for (let i = 0; i < count; i++) {
          notes.push(`${i}`);
          yield 100 * epoch + i;
        }
      } finally {
        notes.push("closed");
      }
    })();
}
/** The same, with a position. */
function seekable(count: number, notes: string[] = []) {
  return ({ epoch }: StreamEpoch): Seekable<number> => {
    let i = 0;
    return {
      position: () => ({ next: i }),
      async seek(position) {
        i = (position as { next: number }).next;
        notes.push(`seek ${i}`);
      },
      async *[Symbol.asyncIterator]() {
        while (i < count) {
          notes.push(`${i}`);
          yield 100 * epoch + i++;
        }
      },
    };
  };
}
async function collect<B>(loader: AsyncIterable<B>): Promise<B[]> {
  const all: B[] = [];
  for await (const batch of loader) all.push(batch);
  return all;
}

describe("rows are batched", () => {
  test.each([0, 1, 5])("in order, epoch by epoch, with prefetch %i", async (prefetch) => {
    const loader = fromIterable(counted(5), { batchSize: 2, prefetch, ...keep });
    expect(await collect(loader)).toEqual([[0, 1], [2, 3], [4]]);
    expect(await collect(loader)).toEqual([[100, 101], [102, 103], [104]]);
    expect(await collect(fromIterable(counted(5), { batchSize: 2, dropLast: true, prefetch, ...keep }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test("of iterables, streams, and promises of them; members are stacked", async () => {
    const sources: (() => Seekable<unknown> | Promise<Seekable<unknown>>)[] = [
      () => [1, 2, 3],
      () => new Set([1, 2, 3]),
      () => Readable.from([1, 2, 3]),
      async () => counted(3)({ epoch: 0 } as never),
    ];
    for (const source of sources) {
      const shapes = (await collect(fromIterable(source, { batchSize: 2 }))).map(
        (x) => (x as { shape: number[] }).shape,
      );
      expect(shapes).toEqual([[2], [1]]);
    }
    const [batch] = await collect(fromIterable(() => [{ x: [1, true] as const, name: "a" }], { batchSize: 4 }));
    expect([batch?.x[0].toArray(), batch?.x[1].dtype, batch?.name]).toEqual([[1], "bool", ["a"]]);
  });

  test("no further ahead than prefetch says", async () => {
    for (const prefetch of [0, 1, 3]) {
      const notes: string[] = [];
      const iterator = fromIterable(counted(100, notes), { batchSize: 2, prefetch, ...keep })[Symbol.asyncIterator]();
      for (let used = 1; used < 4; used++) {
        await iterator.next();
        await sleep(5);
        expect(notes.length).toBe(2 * (used + prefetch));
      }
      await iterator.return?.();
      expect(notes.at(-1)).toBe("closed");
    }
  });

  test("the factory gets epoch, seed and a signal", async () => {
    const seen: unknown[] = [];
    const loader = fromIterable(
      ({ epoch, seed, signal }) => {
        seen.push([epoch, seed, signal.aborted]);
        signal.addEventListener("abort", () => seen.push("abort"));
        return [1];
      },
      { seed: 7, ...keep },
    );
    await collect(loader);
    for await (const _ of loader) break;
    expect(seen).toEqual([[0, 7, false], "abort", [1, 7, false], "abort"]);
  });
});

describe("rows are closed", () => {
  test.each([0, 2])("by break and by an error in the loop, with prefetch %i", async (prefetch) => {
    for (const leave of [
      () => "break",
      () => {
        throw new Error("mine");
      },
    ]) {
      const notes: string[] = [];
      const stream = Readable.from(counted(50, notes)({ epoch: 0 } as never));
      const loop = async () => {
        for await (const _ of fromIterable(() => stream, { prefetch, ...keep })) if (leave() === "break") break;
      };
      await loop().catch((error: Error) => expect(error.message).toBe("mine"));
      await sleep(5);
      expect([stream.destroyed, notes.at(-1)]).toEqual([true, "closed"]);
    }
  });

  test("without waiting for a row that never comes", async () => {
    let aborted = false;
    const rows = async function* ({ signal }: StreamEpoch) {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      yield 1;
      await new Promise(() => undefined);
    };
    const stream = new Readable({ objectMode: true, read() {} });
    stream.push(1);
    for await (const _ of fromIterable(rows, { prefetch: 1, ...keep })) break;
    for await (const _ of fromIterable(() => stream, { prefetch: 1, ...keep })) break;
    expect([aborted, stream.destroyed]).toEqual([true, true]);
  });

  test("if making a batch fails", async () => {
    const notes: string[] = [];
    const bad = fromIterable(counted(5, notes), {
      collate: () => {
        throw new Error("collate");
      },
    });
    await expect(collect(bad)).rejects.toThrowError("collate");
    expect(notes).toEqual(["0", "closed"]);
  });
});

describe("a run goes on", () => {
  const options = { batchSize: 3, ...keep };
  /** Stops after so many batches, and goes on from the state, also after JSON, with a new loader. */
  async function interrupted(make: () => ReturnType<typeof fromIterable<number, number[]>>, steps: number) {
    const first = make();
    const seen: number[][] = [];
    let state = first.stateDict();
    if (steps > 0)
      outer: for (;;)
        for await (const batch of first) {
          seen.push(batch);
          if (seen.length === steps) {
            state = first.stateDict();
            break outer;
          }
        }
    const second = make();
    second.loadStateDict(JSON.parse(JSON.stringify(state)));
    while (seen.length < 10) seen.push(...(await collect(second)));
    return seen.slice(0, 10);
  }

  test("at every batch, with and without a position, whatever is read ahead", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const straight = fromIterable(counted(10), options);
    const all = [...(await collect(straight)), ...(await collect(straight)), ...(await collect(straight))].slice(0, 10);
    await fc.assert(
      fc.asyncProperty(fc.nat(9), fc.nat(3), fc.boolean(), async (steps, prefetch, seeks) => {
        const factory = seeks ? seekable(10) : counted(10);
        expect(await interrupted(() => fromIterable(factory, { ...options, prefetch }), steps)).toEqual(all);
      }),
    );
    warn.mockRestore();
  });

  test("by seeking where the rows can, else by reading, which it says", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const notes: string[] = [];
    const able = fromIterable(seekable(10, notes), { ...options, prefetch: 2 });
    for await (const _ of able) break;
    const state = able.stateDict();
    expect(state).toMatchObject({ epoch: 1, position: 0, rows: 0, source: null });
    able.loadStateDict({ seed: 0, epoch: 0, position: 2, rows: 6, batchSize: 3, source: { next: 6 } });
    notes.length = 0;
    expect(await collect(able)).toEqual([[6, 7, 8], [9]]);
    expect(notes).toEqual(["seek 6", "6", "7", "8", "9"]);
    expect(warn).not.toHaveBeenCalled();
    const unable = fromIterable(counted(10), options);
    unable.loadStateDict({ seed: 0, epoch: 0, position: 2, rows: 6, batchSize: 3, source: null });
    expect(await collect(unable)).toEqual([[6, 7, 8], [9]]);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("the 6 before this position are read and dropped"));
    warn.mockRestore();
  });

  test("not where there are fewer rows than before", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const loader = fromIterable(counted(4), options);
    loader.loadStateDict({ seed: 0, epoch: 0, position: 2, rows: 6, batchSize: 3, source: null });
    await expect(collect(loader)).rejects.toThrowError("there are fewer rows than before; expected at least 6, got 4");
    warn.mockRestore();
  });

  test.each([
    [null, "not a state"],
    [{ seed: 0, epoch: 0, position: 0, rows: -1, batchSize: 3 }, "rows is not valid"],
    [{ seed: 0, epoch: 0.5, position: 0, rows: 0, batchSize: 3 }, "epoch is not valid"],
    [{ seed: 0, epoch: 0, position: 0, rows: 0, batchSize: 4 }, "batchSize differs; expected 3, got 4"],
  ])("not from %j", (state, message) => {
    const load = () => fromIterable(counted(4), options).loadStateDict(state as never);
    expect(load).toThrowError(argument);
    expect(load).toThrowError(message);
  });
});

describe("errors", () => {
  test("of the rows pass through, with the number of the row", async () => {
    class Disk extends Error {}
    const rows = async function* () {
      yield* [0, 1, 2];
      throw new Disk("unreadable");
    };
    const seen: number[][] = [];
    const loop = async () => {
      for await (const batch of fromIterable(rows, { batchSize: 2, prefetch: 4, ...keep })) seen.push(batch);
    };
    const error = await loop().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Disk);
    expect(error).toMatchObject({ message: "unreadable (sample 3)", sample: 3 });
    expect((error as Error).stack).toContain("unreadable (sample 3)");
    expect(seen).toEqual([[0, 1]]);
    for (const frozen of [Object.freeze(new Error("frozen")), "text", null]) {
      const thrown = () =>
        collect(
          fromIterable(() => ({
            [Symbol.iterator]: () => ({
              next() {
                throw frozen;
              },
            }),
          })),
        );
      expect(
        await thrown().then(
          () => "nothing",
          (error: unknown) => error,
        ),
      ).toBe(frozen);
    }
  });

  test.each<[string, () => unknown, string]>([
    [
      "nothing",
      () => undefined,
      "the factory gives no rows; expected an async iterable, iterable or stream, got undefined",
    ],
    ["a number", () => 3, "the factory gives no rows"],
    ["an object", () => ({}), "the factory gives no rows"],
    ["an iterable of nothing", () => ({ [Symbol.iterator]: () => null }), "the factory gives no rows"],
    ["results that are none", () => ({ [Symbol.iterator]: () => ({ next: () => 3 }) }), "the iterator gives no result"],
    ["no row", () => [], "epoch 0 has no rows; expected at least one, got 0"],
  ])("a factory that gives %s is ERR_ARGUMENT", async (_, factory, message) => {
    await expect(collect(fromIterable(factory as never))).rejects.toThrowError(argument);
    await expect(collect(fromIterable(factory as never))).rejects.toThrowError(message);
  });

  test.each<[unknown, StreamOptions<unknown, unknown> | unknown, string]>([
    [[1, 2], undefined, "the factory is not valid; expected a function"],
    [() => [1], { batchSize: 0 }, "batchSize is not valid"],
    [() => [1], { prefetch: -1 }, "prefetch is not valid"],
    [() => [1], { seed: 0.5 }, "seed is not valid"],
    [() => [1], { collate: 3 }, "collate is not valid"],
    [() => [1], { dropLast: 1 }, "dropLast is not valid"],
    [() => [1], { shuffle: true }, 'unknown option "shuffle"'],
  ])("%o with %o is ERR_ARGUMENT", (factory, options, message) => {
    expect(() => fromIterable(factory as never, options as never)).toThrowError(argument);
    expect(() => fromIterable(factory as never, options as never)).toThrowError(message);
  });
});
