/** Products of bfloat16 without gradients: read as they are stored, with the results of float32 copies. */
import { addmm, type DType, equal, linear, memory, noGrad, randn, type Tensor, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { settle } from "../support/settle.js";

const half = (shape: number[], dtype: DType = "bfloat16"): Tensor => randn(shape).to(dtype);
const wide = (x: Tensor): Tensor => x.to("float32");

/** In the layout of x. */
const copied = (x: Tensor, transposed: boolean): Tensor =>
  transposed ? wide(x.transpose(-2, -1)).transpose(-2, -1) : wide(x);

describe.each([1, 3, 8, 9, 40])("%i rows", (m) => {
  for (const transposed of [false, true])
    test(transposed ? "times a transposed matrix" : "times a matrix", () => {
      const w = transposed ? half([37, 70]).t() : half([70, 37]);
      const x = randn([m, 70]);
      const y = x.matmul(w);
      expect(y.dtype).toBe("float32");
      expect(equal(y, x.matmul(copied(w, transposed)))).toBe(true);
      const a = half([m, 70]);
      expect(equal(a.matmul(w), wide(a).matmul(copied(w, transposed)).to("bfloat16"))).toBe(true);
      const f = half([m, 70], "float16");
      expect(equal(f.matmul(w), wide(f).matmul(copied(w, transposed)))).toBe(true);
    });

  test("linear, with and without a bias", () => {
    const w = half([37, 70]);
    const [x, bias] = [half([m, 70]), half([37])];
    expect(equal(linear(x, w), linear(wide(x), wide(w)).to("bfloat16"))).toBe(true);
    expect(equal(linear(x, w, bias), linear(wide(x), wide(w), wide(bias)).to("bfloat16"))).toBe(true);
    expect(equal(linear(wide(x), w, wide(bias)), linear(wide(x), wide(w), wide(bias)))).toBe(true);
    expect(equal(linear(wide(x), w, bias), linear(wide(x), wide(w), wide(bias)))).toBe(true);
  });
});

test("vectors, batches that broadcast, and vmap", () => {
  const [w, v, stack] = [half([30, 70]), half([70]), half([3, 1, 5, 30])];
  expect(equal(w.matmul(v), wide(w).matmul(wide(v)).to("bfloat16"))).toBe(true);
  expect(equal(w.matmul(wide(v)), wide(w).matmul(wide(v)))).toBe(true);
  expect(equal(stack.matmul(w), wide(stack).matmul(wide(w)).to("bfloat16"))).toBe(true);
  const pairs = half([2, 30, 4]);
  expect(equal(stack.matmul(pairs), wide(stack).matmul(wide(pairs)).to("bfloat16"))).toBe(true);
  const x = randn([4, 2, 30]);
  expect(equal(vmap((row: Tensor) => row.matmul(w))(x), x.matmul(wide(w)))).toBe(true);
});

test("a product with an addend", () => {
  const [x, a, b] = [half([5, 7]), half([5, 70]), half([70, 7])];
  expect(equal(addmm(x, a, b), addmm(wide(x), wide(a), wide(b)).to("bfloat16"))).toBe(true);
  expect(equal(addmm(wide(x), a, b), addmm(wide(x), wide(a), wide(b)))).toBe(true);
  expect(equal(addmm(x, wide(a), b), addmm(wide(x), wide(a), wide(b)))).toBe(true);
});

test("other dtypes keep their rules", () => {
  const w = half([3, 4]);
  const of = (dtype: DType): DType => randn([2, 3]).to(dtype).matmul(w).dtype;
  expect((["float64", "float32", "float16", "int32"] as const).map(of)).toEqual([
    "float64",
    "float32",
    "float32",
    "bfloat16",
  ]);
});

test("gradients come in the dtype of what they are for", () => {
  const x = randn([5, 70], { requiresGrad: true });
  const w = half([70, 9]).detach();
  w.requiresGrad = true;
  const y = x.matmul(w);
  const expected = noGrad(() => x.matmul(w));
  expect(equal(y, expected)).toBe(true);
  y.sum().backward();
  expect([x.grad!.dtype, w.grad!.dtype]).toEqual(["float32", "bfloat16"]);
});

test.each([1, 8, 64])("no float32 copy of the weight is made for %i rows", (m) => {
  const w = half([512, 1024]);
  const x = half([m, 1024]);
  /** Bytes in use afterwards, which copies that nobody holds still are: no collection comes in between. */
  const more = (work: () => Tensor): number => {
    settle();
    const before = memory().liveBytes;
    const y = work();
    const bytes = memory().liveBytes - before;
    y.dispose();
    return bytes;
  };
  const copy = 512 * 1024 * 4;
  expect(more(() => w.to("float32"))).toBeGreaterThanOrEqual(copy);
  linear(x, w); // its panels stay
  for (const product of [() => linear(x, w), () => linear(wide(x), w), () => x.matmul(w.t())])
    expect(more(product)).toBeLessThan(copy / 2);
});
