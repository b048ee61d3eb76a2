import { crossEntropy, grad, graph, noGrad, randn, type Tensor, tensor } from "nabla";
import { addon } from "nabla/internal";
import { describe, expect, test } from "vitest";
import { settle } from "../support/settle.js";

describe("cross-entropy makes its gradient with the losses", () => {
  const target = tensor(Int32Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? -100 : i % 40)));
  const leaf = () => randn([300, 40], { requiresGrad: true });
  const gradient = (x: Tensor, y: Tensor, options = {}): number[] => {
    x.grad = null;
    y.backward(options);
    return Array.from(x.grad!.toTypedArray(), Number);
  };

  test("where a gradient is wanted, and nowhere else", () => {
    const x = leaf();
    settle();
    const before = addon.stats().liveBytes;
    const plain = noGrad(() => crossEntropy(x, target, { reduction: "none" }));
    expect(addon.stats().liveBytes - before).toBeLessThan(300 * 40 * 4);
    const loss = crossEntropy(x, target, { reduction: "none" });
    expect(addon.stats().liveBytes - before).toBeGreaterThan(300 * 40 * 4);
    expect([...loss.toTypedArray()]).toEqual([...plain.toTypedArray()]);
  });

  for (const reduction of ["mean", "sum"] as const)
    test(`of the ${reduction}: the same bits as from the logits, which create graph and retain graph make it from`, () => {
      const x = leaf();
      const made = gradient(x, crossEntropy(x, target, { reduction }));
      expect(gradient(x, crossEntropy(x, target, { reduction }), { createGraph: true })).toEqual(made);
      const twice = crossEntropy(x, target, { reduction });
      expect(gradient(x, twice, { retainGraph: true })).toEqual(made);
      expect(gradient(x, twice, { retainGraph: true })).toEqual(made);
      expect(gradient(x, twice)).toEqual(made);
    });

  test("the first backward hands it on, also where the graph is kept; the next one makes another", () => {
    const x = leaf();
    const room = (loss: Tensor, options = {}): number => {
      x.grad = null;
      settle();
      const { liveBytes } = addon.stats();
      addon.resetPeak();
      loss.backward(options);
      return addon.stats().peakBytes - liveBytes;
    };
    expect(room(crossEntropy(x, target))).toBeLessThan(300 * 40 * 4);
    const kept = crossEntropy(x, target);
    expect(room(kept, { retainGraph: true })).toBeLessThan(300 * 40 * 4);
    expect(room(kept, { retainGraph: true })).toBeGreaterThanOrEqual(300 * 40 * 4);
    expect(room(crossEntropy(x, target), { createGraph: true })).toBeLessThan(300 * 40 * 4);
  });

  test("the gradient that a kept graph has handed on is the user's to write to", () => {
    const x = leaf();
    const loss = crossEntropy(x, target);
    const made = gradient(x, loss, { retainGraph: true });
    x.grad!.assign(0);
    expect(gradient(x, loss, { retainGraph: true })).toEqual(made);
    expect(gradient(x, loss)).toEqual(made);
  });

  test("second derivatives are those of the gradient made from the logits", () => {
    const x = randn([6, 5], { requiresGrad: true });
    const few = tensor(Int32Array.from([0, 4, -100, 2, 1, 3]));
    const f = (v: Tensor): Tensor => crossEntropy(v, few);
    const direction = randn([6, 5]);
    f(x).backward({ createGraph: true });
    const first = x.grad!;
    x.grad = null;
    first.mul(direction).sum().backward();
    const eps = 1e-3;
    const at = (t: number): Tensor => grad(f)(noGrad(() => x.detach().add(direction.mul(t))));
    const difference = noGrad(() =>
      at(eps)
        .sub(at(-eps))
        .div(2 * eps),
    );
    expect(x.grad!.sub(difference).abs().amax().item()).toBeLessThan(1e-4);
  });

  test("looking at the graph leaves it as it is", () => {
    const x = leaf();
    const made = gradient(x, crossEntropy(x, target));
    const loss = crossEntropy(x, target);
    graph(loss, { gradients: true });
    expect(gradient(x, loss)).toEqual(made);
  });

  test("it takes whatever gradient arrives", () => {
    const x = leaf();
    const made = gradient(x, crossEntropy(x, target).mul(0.25));
    expect(gradient(x, crossEntropy(x, target).mul(0.25), { createGraph: true })).toEqual(made);
    expect(made.some((value) => value !== 0)).toBe(true);
  });

  test("x may have other uses, and the gradient is its own", () => {
    const x = leaf();
    const y = x.mul(1);
    const both = gradient(x, crossEntropy(y, target).add(y.square().sum().mul(1e-3)));
    const one = gradient(x, crossEntropy(x.mul(1), target));
    const values = Array.from(x.toTypedArray(), Number);
    both.forEach((value, i) => {
      expect(Math.abs(value - one[i]! - 2e-3 * values[i]!)).toBeLessThan(1e-8);
    });
  });
});
