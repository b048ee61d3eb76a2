/** Ops that check values do so in the kernel: a training step reads nothing back, and a bad value is still an error. */
import * as nb from "nabla";
import { DataParallel, nn, optim, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { thrown } from "../autograd/code.js";
import { countReads, startCounting } from "../support/reads.js";

const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values));
const generator = (): nb.RandomGenerator => new nb.RandomGenerator(5);

/** A loss of a weight [4, 3], made with the op. */
const losses: Readonly<Record<string, (w: Tensor) => Tensor>> = {
  embedding: (w) =>
    nb
      .embedding(ints(1, 0, 1), w)
      .square()
      .mean(),
  "embedding, padding": (w) =>
    nb
      .embedding(ints(1, 0, 3), w, { paddingIdx: -1 })
      .square()
      .mean(),
  "nn.Embedding": (w) => new nn.Embedding(5, 3).forward(ints(4, 0)).matmul(w.transpose(0, 1)).sum(),
  take: (w) => w.take(ints(-1, 5)).square().sum(),
  "oneHot, numClasses": (w) => nb.oneHot(ints(3, 0), { numClasses: 4 }).to("float32").matmul(w).square().sum(),
  indexPut: (w) =>
    w
      .indexPut([ints(3, 0)], 2)
      .square()
      .sum(),
  "indexPut, lists": (w) =>
    w
      .indexPut([ints(3, -1), ints(0, -3)], w.sum(), { accumulate: true })
      .square()
      .sum(),
  "indexPut, integers": (w) =>
    nb
      .zeros([4], { dtype: "uint8" })
      .indexPut([ints(3, 0)], ints(7, 200))
      .unsqueeze(1)
      .mul(w)
      .sum(),
  at: (w) => w.at([3, -1], ints(0, 2)).square().sum(),
  "at.outer": (w) => w.at.outer([3, -1], ints(0, 2)).square().sum(),
  "bincount, length": (w) =>
    nb
      .bincount(ints(2, 2, 0), { length: 4 })
      .unsqueeze(1)
      .mul(w)
      .sum(),
  "bincount, weights": (w) =>
    nb
      .bincount(ints(2, 2, 0), { length: 3, weights: w.at(0) })
      .square()
      .sum(),
  bernoulli: (w) => w.sigmoid().bernoulli({ generator: generator() }).mul(w).sum(),
  binaryCrossEntropy: (w) => nb.binaryCrossEntropy(w.sigmoid(), nb.ones([4, 3])),
  "multinomial, replacement": (w) =>
    w.at(w.exp().multinomial(5, { replacement: true, generator: generator() }).at(":, 0")).sum(),
  multinomial: (w) => w.gather(1, w.to("float64").exp().multinomial(2, { generator: generator() })).sum(),
  crossEntropy: (w) => nb.crossEntropy(w, ints(0, 2, -100, 1)),
  nllLoss: (w) => nb.nllLoss(w.logSoftmax(1), ints(0, 2, -100, 1)),
  gather: (w) =>
    w
      .gather(1, ints(0, -1, 1, 2).reshape([4, 1]))
      .square()
      .sum(),
  scatter: (w) =>
    w
      .scatter(1, ints(0, -1, 1, 2).reshape([4, 1]), w.narrow(1, 0, 1))
      .square()
      .sum(),
  scatterAdd: (w) =>
    w
      .scatterAdd(1, ints(0, -1, 1, 2).reshape([4, 1]), w.narrow(1, 0, 1))
      .square()
      .sum(),
  indexSelect: (w) => w.indexSelect(0, ints(3, -1)).square().sum(),
  indexAdd: (w) =>
    w
      .indexAdd(0, ints(3, -1), w.narrow(0, 0, 2))
      .square()
      .sum(),
  "indexAdd, integers": (w) =>
    nb
      .zeros([4], { dtype: "int32" })
      .indexAdd(0, ints(1), tensor([5n]))
      .unsqueeze(1)
      .mul(w)
      .sum(),
  maskedFill: (w) =>
    ints(1, 2, 3, 4)
      .maskedFill(tensor([true, false, true, false]), tensor(9n))
      .unsqueeze(1)
      .mul(w)
      .sum(),
  assign: (w) =>
    nb
      .zeros([4], { dtype: "int32" })
      .assign(tensor([1n, 2n, 3n, 4n]))
      .unsqueeze(1)
      .mul(w)
      .sum(),
  randperm: (w) =>
    w
      .indexSelect(0, nb.randperm(4, { generator: generator() }))
      .narrow(0, 0, 2)
      .sum(),
  vmap: (w) =>
    nb
      .vmap((i: Tensor, row: Tensor) => nb.take(row, i).square())(ints(0, 2, -1, 1), w)
      .sum(),
};

describe("a training step reads nothing back", () => {
  test.each(Object.entries(losses))("%s", (_, loss) => {
    const w = nb.rand([4, 3], { generator: generator(), requiresGrad: true });
    const step = new optim.SGD([w], { lr: 0.1 });
    const reads = countReads(() => {
      loss(w).backward();
      optim.clipGradNorm([w], 1, { errorIfNonfinite: true });
      step.step();
      step.zeroGrad();
    });
    expect(reads).toBe(0);
  });

  test("a shard of DataParallel", async () => {
    const job = new URL("../parallel/jobs/batch-norm.mjs", import.meta.url);
    const dp = new DataParallel(job, { workers: 0, shards: 2 });
    const batch = [nb.rand([8, 8]), nb.zeros([8], { dtype: "int32" })];
    const stop = startCounting();
    const loss = await dp.backward(batch).finally(stop);
    expect(stop()).toBe(0);
    expect(loss.item()).toBeGreaterThan(0);
    await dp.close();
  });

  test("the counter counts, and values that decide a shape are read", () => {
    expect(countReads(() => nb.ones([1]).item())).toBe(1);
    expect(countReads(() => nb.ones([2]).toArray())).toBe(1);
    expect(countReads(() => nb.oneHot(ints(1)))).toBeGreaterThan(0);
    expect(countReads(() => nb.bincount(ints(1)))).toBeGreaterThan(0);
    expect(countReads(() => nb.ones([2]).nonzero())).toBe(1);
  });
});

describe("a check that fails", () => {
  test("leaves what is written to as it was", () => {
    const x = ints(1, 2, 3);
    const big = tensor([7n, 2n ** 40n, 8n]);
    expect(thrown(() => x.assign(big)).message).toMatch(
      /^assign: the value does not fit int32; .*, got 1099511627776$/,
    );
    expect(x.toArray()).toEqual([1, 2, 3]);
    expect(thrown(() => x.at("::2").assign(tensor([2n ** 40n, 1n]))).code).toBe("ERR_DTYPE");
    expect(x.toArray()).toEqual([1, 2, 3]);
  });

  test("names the first bad value, also of many on several threads", () => {
    const n = 200_000;
    const index = Int32Array.from({ length: n }, (_, i) => (i === 150_001 ? -5 : i === 70_003 ? 4 : i % 4));
    const of = (call: () => unknown): string => thrown(call).message;
    const list = tensor(index);
    expect(of(() => nb.embedding(list, nb.ones([4, 2])))).toMatch(/expected 0 to 3, got 4$/);
    expect(of(() => nb.ones([4]).take(list))).toMatch(/expected -4 to 3, got 4$/);
    expect(of(() => nb.oneHot(list, { numClasses: 4 }))).toMatch(/expected 0 to 3, got 4$/);
    expect(of(() => nb.bincount(list, { length: 4 }))).toMatch(/expected 0 to 3, got 4$/);
    expect(of(() => nb.ones([1, 4]).indexPut([nb.zeros([n]).to("int32"), list], 1))).toMatch(/-4 to 3, got 4$/);
    expect(of(() => nb.ones([4]).gather(0, list))).toMatch(/expected -4 to 3, got 4$/);
    expect(of(() => nb.ones([4]).scatterAdd(0, list, nb.ones([n])))).toMatch(/expected -4 to 3, got 4$/);
    const p = Float32Array.from({ length: n }, (_, i) => (i === 150_001 ? Number.NaN : i === 70_003 ? 1.5 : 0.5));
    expect(of(() => tensor(p).bernoulli())).toMatch(/expected 0 to 1, got 1.5$/);
    expect(of(() => tensor(p).to("bfloat16").bernoulli())).toMatch(/expected 0 to 1, got 1.5$/);
    expect(of(() => nb.binaryCrossEntropy(tensor(p), nb.ones([n])))).toMatch(/expected 0 to 1, got 1.5$/);
    expect(of(() => tensor(p).multinomial(1))).toMatch(/expected finite weights of 0 or more, got NaN$/);
    const transposed = nb
      .zeros([n / 2, 2])
      .add(0.5)
      .transpose(0, 1)
      .contiguous()
      .transpose(0, 1);
    transposed.at(70_001, 1).assign(-2);
    transposed.at(70_003, 0).assign(3);
    expect(of(() => transposed.bernoulli())).toMatch(/expected 0 to 1, got -2$/);
  });

  test("is ERR_GRADIENT for a norm that is not finite", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    w.mul(tensor([1, Number.POSITIVE_INFINITY]))
      .sum()
      .backward();
    const before = w.grad!.toArray();
    const error = thrown(() => optim.clipGradNorm([w], 1, { errorIfNonfinite: true }));
    expect([error.code, error.op]).toEqual(["ERR_GRADIENT", "clipGradNorm"]);
    expect(error.message).toMatch(/not finite; expected a finite norm, got Infinity$/);
    expect(w.grad!.toArray()).toEqual(before);
  });
});

describe("randperm", () => {
  test.each(["int32", "int64", "float32", "float64", "float16"] as const)("gives the same order in %s", (dtype) => {
    const order = nb.randperm(1500, { dtype, generator: generator() });
    expect(order.dtype).toBe(dtype);
    expect(Array.from(order.toTypedArray(), Number)).toEqual(nb.randperm(1500, { generator: generator() }).toArray());
  });
  test("in vmap: an order for each example, or the same for all", () => {
    const of = (randomness: "different" | "same") =>
      nb.vmap((x: Tensor) => nb.randperm(50).add(x), { randomness })(nb.zeros([3], { dtype: "int32" }));
    const rows = of("different").toArray() as number[][];
    for (const row of rows) expect([...row].sort((a, b) => a - b)).toEqual(nb.arange(50).toArray());
    expect(rows[0]).not.toEqual(rows[1]);
    const same = of("same").toArray() as number[][];
    expect(same[0]).toEqual(same[2]);
  });
});
