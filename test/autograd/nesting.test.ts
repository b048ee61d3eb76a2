/** What makes derivatives wrong or slow in other libraries: confused perturbations, deep and wide graphs, hooks. */
import { grad, jvp, NablaError, nn, ones, scalar, type Tensor, tensor, vmap } from "nabla";
import { describe, expect, it } from "vitest";
import { close, code, double, processorTime } from "./code.js";

type Derivative = (f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor;
const reverse: Derivative = (f) => (x) => grad(f)(x);
const forward: Derivative = (f) => (x) => jvp(f, [x], [ones(x.shape, { dtype: x.dtype })])[1];
const batched: Derivative = (f) => (x) => vmap(grad(f))(x.reshape([1])).reshape(x.shape);
const ways = { reverse, forward, "reverse in vmap": batched };
const pairs = Object.entries(ways).flatMap(([a, outer]) =>
  Object.entries(ways).map(([b, inner]) => [a, b, outer, inner] as const),
);

describe.each(pairs)("%s over %s", (_, __, outer, inner) => {
  it("keeps the variables apart: d/dx [x d/dy (x + y)] = 1", () => {
    const at = double(1);
    close(outer((x) => x.mul(inner((y) => x.add(y))(at)))(double(1)), 1);
    close(outer((x) => x.mul(inner((y) => x.mul(y))(double(2))))(double(3)), 6);
    close(outer((x) => inner((y) => x.mul(y).mul(y))(x))(double(3)), 6 + 6);
    close(outer((x) => inner((y) => inner((z) => x.mul(y).mul(z).sin())(y))(x))(double(0)), 1);
  });
});

describe("a graph", () => {
  it("1,000,000 ops deep takes linear time, and no stack", () => {
    const x = scalar(1, { requiresGrad: true });
    let y: Tensor = x;
    for (let i = 0; i < 1_000_000; i++) y = y.add(1);
    y.backward();
    expect(x.grad!.item()).toBe(1);
  }, 60_000);

  it("100,000 wide takes linear time", () => {
    const x = scalar(1, { requiresGrad: true });
    const leaves = Array.from({ length: 100_000 }, () => x.mul(2));
    let total: Tensor = leaves[0]!;
    for (let i = 1; i < leaves.length; i++) total = total.add(leaves[i]!);
    total.backward();
    expect(x.grad!.item()).toBe(200_000);
  }, 60_000);

  it("with 100,000 leaves, and deep in forward mode", () => {
    const leaves = Array.from({ length: 100_000 }, (_, i) => scalar(i % 7, { requiresGrad: true }));
    leaves.reduce((a: Tensor, b) => a.add(b.mul(2))).backward();
    expect(leaves[99_999]!.grad!.item()).toBe(2);
    const deep = (x: Tensor) => {
      let y = x;
      for (let i = 0; i < 100_000; i++) y = y.add(1);
      return y;
    };
    expect(jvp(deep, [scalar(1)], [scalar(3)])[1].item()).toBe(3);
  }, 60_000);

  it("does not become slow where a small derivative is taken again and again in a large one", () => {
    const timeOf = (steps: number): number =>
      processorTime(() => {
        grad((x: Tensor) => {
          let y = x;
          for (let i = 0; i < steps; i++) y = y.sub(grad((z: Tensor) => z.square())(y).mul(0.01));
          return y;
        })(1);
      });
    timeOf(500);
    // Quadratic would be 256 times as long.
    expect(timeOf(8000)).toBeLessThan(64 * timeOf(500) + 200);
  }, 60_000);
});

describe("hooks", () => {
  it("see the gradient of a tensor, may replace it, and go away", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const seen: number[][] = [];
    const y = x.mul(3);
    const away = y.registerHook((g) => void seen.push(g.toArray()));
    const halve = y.registerHook((g) => g.mul(0.5));
    y.square().sum().backward({ retainGraph: true });
    expect(seen).toEqual([[6, 12]]);
    expect(x.grad!.toArray()).toEqual([9, 18]);
    away();
    halve();
    x.grad = null;
    y.square().sum().backward();
    expect(seen.length).toBe(1);
    expect(x.grad!.toArray()).toEqual([18, 36]);
  });

  it("run once, on the whole gradient, on a leaf and under grad; a wrong shape is refused", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    let calls = 0;
    x.registerHook((g) => {
      calls++;
      return g.add(1);
    });
    x.mul(2).add(x).sum().backward();
    expect([calls, x.grad!.toArray()]).toEqual([1, [4, 4]]);
    expect(grad(x.sum(), x)[0]!.toArray()).toEqual([2, 2]);
    const y = x.mul(1);
    y.registerHook(() => ones([3]));
    expect(code(() => y.sum().backward())).toBe("ERR_GRADIENT");
    expect(code(() => ones([1]).registerHook(() => undefined))).toBe("ERR_GRADIENT");
    expect(code(() => x.registerHook(3 as never))).toBe("ERR_ARGUMENT");
  });

  it("may take derivatives themselves, while a backward runs", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(3);
    const other = y.square().sum();
    const seen: number[][] = [];
    const away = y.registerHook(() => {
      away();
      seen.push(grad(other, x, { retainGraph: true })[0]!.toArray());
    });
    y.square().sum().add(y.sum()).backward();
    expect(seen).toEqual([[18, 36]]);
    expect(x.grad!.toArray()).toEqual([21, 39]);
  });

  it("retainGrad keeps the gradient of what is no leaf", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(3);
    expect(y.grad).toBe(null);
    y.retainGrad();
    y.square().sum().backward();
    expect(y.grad!.toArray()).toEqual([6, 12]);
    expect(code(() => ones([1]).retainGrad())).toBe("ERR_GRADIENT");
  });

  it("of modules see what goes in and out", () => {
    const layer = new nn.Linear(2, 1);
    const log: string[] = [];
    const before = layer.registerForwardPreHook((_, [x]) => void log.push(`in ${x!.shape}`));
    const after = layer.registerForwardHook((_, __, y) => y.mul(0));
    expect(
      layer
        .forward(ones([3, 2]))
        .sum()
        .item(),
    ).toBe(0);
    before();
    after();
    layer.forward(ones([4, 2]));
    expect(log).toEqual(["in 3,2"]);
    expect(() => layer.registerForwardHook(3 as never)).toThrow(NablaError);
  });
});
