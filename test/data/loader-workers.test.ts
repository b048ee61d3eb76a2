import {
  arange,
  DataLoader,
  type Dataset,
  type LoaderWorkers,
  memory,
  type Tensor,
  TensorDataset,
  tensor,
} from "nabla";
import { afterEach, describe, expect, test } from "vitest";
import { settle } from "../support/settle.js";

interface Sample {
  x: Tensor;
  r: Tensor;
  name: string;
  i: number;
}
const here = (name: string) => new URL(`./scripts/${name}.mjs`, import.meta.url);
interface Args {
  length: number;
  fails?: number;
  dies?: number;
  deaths?: Int32Array;
  waits?: boolean;
  misfit?: number;
  odd?: boolean;
}
const { default: numbers } = (await import(here("numbers").href)) as { default: (args: Args) => Dataset<Sample> };
const open: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(open.splice(0).map((loader) => loader.close())));

function loaderOf(count: number, args: Args, options: object = {}) {
  const workers: LoaderWorkers | undefined = count === 0 ? undefined : { count, module: here("numbers"), args };
  const all = { batchSize: 3, shuffle: true, seed: 5, workers, ...options };
  const loader = new DataLoader(numbers({ ...args, misfit: 0 }), all);
  open.push(loader);
  return loader;
}
async function collect(loader: AsyncIterable<unknown>, steps = Number.POSITIVE_INFINITY): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const batch of loader) {
    const { x, r, name, i } = batch as { x: Tensor; r: Tensor; name: string[]; i: Tensor };
    all.push([x.toArray(), r.toArray(), name, i.toArray(), i.dtype]);
    if (all.length === steps) break;
  }
  return all;
}

describe("batches of workers", () => {
  test("are those of this thread, epoch by epoch, whatever is ready first", async () => {
    const args = { length: 20, waits: true };
    const alone = loaderOf(0, args);
    const epochs = [await collect(alone), await collect(alone)];
    for (const count of [1, 3]) {
      const loader = loaderOf(count, args);
      expect([await collect(loader), await collect(loader)]).toEqual(epochs);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  test("go on after break and from a state", async () => {
    const args = { length: 20 };
    const straight = loaderOf(0, args);
    const all = [...(await collect(straight)), ...(await collect(straight))];
    const first = loaderOf(2, args);
    expect(await collect(first, 2)).toEqual(all.slice(0, 2));
    const second = loaderOf(2, args);
    second.loadStateDict({ seed: 5, epoch: 0, position: 2, batchSize: 3, length: 20 });
    expect([...(await collect(second)), ...(await collect(second))]).toEqual(all.slice(2));
    expect(await collect(first)).toEqual(all.slice(7));
  });

  test("of a data set of tensors, and by a collate of this thread", async () => {
    const rows = new TensorDataset(arange(20).reshape([10, 2]), arange(10));
    const loader = new DataLoader(rows, { batchSize: 4, workers: { count: 1, module: here("rows").href } });
    open.push(loader);
    const seen: unknown[] = [];
    for await (const [x, y] of loader) seen.push([x.shape, y.toArray()]);
    expect(seen).toEqual([
      [
        [4, 2],
        [0, 1, 2, 3],
      ],
      [
        [4, 2],
        [4, 5, 6, 7],
      ],
      [
        [2, 2],
        [8, 9],
      ],
    ]);
    const mine = loaderOf(
      1,
      { length: 4 },
      { shuffle: false, collate: (samples: Sample[]) => samples.map(({ x, i }) => [x.toArray(), i]) },
    );
    const own: unknown[] = [];
    for await (const batch of mine) own.push(batch);
    expect(own).toEqual([
      [
        [[0, 0], 0],
        [[1, 0], 1],
        [[2, 0], 2],
      ],
      [[[3, 0], 3]],
    ]);
  });

  test("leave no memory behind, also those that were read ahead", async () => {
    const loader = loaderOf(2, { length: 300 });
    const left = () => {
      settle();
      return memory().liveStorages;
    };
    await collect(loader);
    await loader.close();
    const before = left();
    for (let i = 0; i < 3; i++) await collect(loader, 2);
    await loader.close();
    await collect(loader);
    await loader.close();
    await new Promise(setImmediate);
    expect(left() - before).toBeLessThanOrEqual(0);
  });

  test("are read again when a worker dies", async () => {
    const expected = await collect(loaderOf(0, { length: 20 }));
    const deaths = new Int32Array(new SharedArrayBuffer(4));
    expect(await collect(loaderOf(2, { length: 20, dies: 7, deaths }))).toEqual(expected);
    expect(deaths[0]).toBe(2);
  });

  test("have the default dtype of this thread", async () => {
    const { setDefaultDtype } = await import("nabla");
    setDefaultDtype("float64");
    try {
      const loader = loaderOf(1, { length: 2 });
      for await (const batch of loader) expect((batch as unknown as { x: Tensor }).x.dtype).toBe("float64");
    } finally {
      setDefaultDtype("float32");
    }
  });
});

describe("errors", () => {
  test("of a sample keep class, message and number; batches before it come first", async () => {
    const loader = loaderOf(2, { length: 9, fails: 4 }, { shuffle: false });
    const seen: unknown[] = [];
    const loop = async () => {
      for await (const batch of loader) seen.push((batch as unknown as { i: Tensor }).i.toArray());
    };
    const error = await loop().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "unreadable (sample 4)", sample: 4 });
    expect(seen).toEqual([[0, 1, 2]]);
  });

  test.each<[string, () => AsyncIterable<unknown>, object]>([
    [
      "a worker that dies again and again",
      () => loaderOf(1, { length: 3, dies: 1 }),
      { code: "ERR_WORKER", message: expect.stringContaining("workers keep dying") },
    ],
    [
      "a sample that cannot cross",
      () => loaderOf(1, { length: 3, odd: true }, { collate: (x: unknown) => x }),
      { code: "ERR_ARGUMENT", message: expect.stringContaining("a sample cannot cross a thread") },
    ],
    [
      "a data set of another length",
      () => loaderOf(1, { length: 3, misfit: 1 }),
      { code: "ERR_ARGUMENT", message: expect.stringContaining("differs in a worker; expected 3 samples, got 4") },
    ],
    [
      "a module that is missing",
      () => new DataLoader([1], { workers: { count: 1, module: here("missing") } }),
      {
        code: "ERR_ARGUMENT",
        message: expect.stringMatching(/the data module .*missing.mjs cannot be loaded in a worker/),
      },
    ],
    [
      "a module without a data set",
      () => new DataLoader([1], { workers: { count: 1, module: here("number") } }),
      { code: "ERR_ARGUMENT", message: expect.stringContaining("has no data set") },
    ],
  ])("%s", async (_, make, expected) => {
    const loader = make();
    open.push(loader as never);
    await expect(collect(loader)).rejects.toMatchObject({ name: "NablaError", op: "DataLoader", ...expected });
  });

  test("a loop whose loader is closed ends, and another one starts new threads", async () => {
    const loader = loaderOf(1, { length: 4, waits: true });
    const batch = loader[Symbol.asyncIterator]().next();
    const closed = loader.close();
    await expect(batch).rejects.toMatchObject({
      code: "ERR_WORKER",
      message: "DataLoader: the loader was closed while it read a batch",
    });
    await closed;
    expect(await collect(loader)).toHaveLength(2);
  });

  test.each([
    [3, "options must be an object"],
    [{ count: 0, module: here("rows") }, "workers.count is not valid"],
    [{ count: 1 }, "workers.module is not valid"],
    [{ count: 1, module: "./rows.mjs" }, "workers.module is not valid; expected a file: URL"],
    [{ count: 1, module: "file://host:3/x" }, "the path is not valid"],
    [{ count: 1, url: here("rows") }, 'unknown option "url"'],
  ])("%o is ERR_ARGUMENT", (workers, message) => {
    const make = () => new DataLoader([tensor(1)], { workers: workers as never });
    expect(make).toThrowError(expect.objectContaining({ code: "ERR_ARGUMENT", op: "DataLoader" }));
    expect(make).toThrowError(message);
  });

  test("a for loop is refused", () => {
    expect(() => [...loaderOf(1, { length: 3 })]).toThrowError("batches of workers are promises; expected for await");
  });
});
