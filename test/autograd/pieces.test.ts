// Gradients of pieces, and products, are added up in place: no other gradient may change by that.
import { addmm, grad, linear, memory, ones, type Tensor, tensor } from "nabla";
import { addon } from "nabla/internal";
import { expect, test } from "vitest";

const weights = (...w: number[]): Tensor => tensor(w);

/** Losses of a vector of four, by what could share a gradient with the pieces; the gradient is written out. */
const losses: Record<string, readonly [(x: Tensor) => Tensor, readonly number[]]> = {
  "pieces end to end": [
    (x) => {
      const [a, b] = x.mul(2).split(2) as [Tensor, Tensor];
      return a
        .mul(weights(1, 2))
        .sum()
        .add(b.mul(weights(3, 4)).sum());
    },
    [2, 4, 6, 8],
  ],
  "pieces that overlap": [
    (x) => {
      const y = x.mul(2);
      return y
        .narrow(0, 0, 3)
        .mul(weights(1, 2, 3))
        .sum()
        .add(
          y
            .narrow(0, 1, 3)
            .mul(weights(4, 5, 6))
            .sum(),
        );
    },
    [2, 12, 16, 12],
  ],
  "pieces of a leaf": [
    (x) =>
      x
        .narrow(0, 0, 2)
        .sum()
        .add(x.narrow(0, 1, 2).mul(3).sum()),
    [1, 4, 3, 0],
  ],
  "a piece of no element": [
    (x) =>
      x
        .narrow(0, 1, 0)
        .sum()
        .add(x.narrow(0, 0, 1).sum()),
    [1, 0, 0, 0],
  ],
  "backwards and by steps": [(x) => x.at("::-2").mul(weights(1, 2)).sum().add(x.at("::2").sum()), [1, 2, 1, 1]],
  "the whole besides its pieces": [
    (x) => {
      const y = x.mul(2);
      return y
        .mul(y)
        .sum()
        .add(y.narrow(0, 0, 2).sum())
        .add(y.narrow(0, 2, 2).sum());
    },
    [10, 18, 26, 34],
  ],
  "a gradient handed on to two, one cut before": [
    (x) => {
      const [u, v] = [x.mul(2), x.mul(3)];
      const s = u.add(v);
      const cut = u
        .narrow(0, 0, 2)
        .sum()
        .add(u.narrow(0, 1, 2).mul(7).sum());
      return cut.add(s.narrow(0, 0, 2).sum()).add(s.narrow(0, 1, 3).sum());
    },
    [7, 26, 19, 5],
  ],
  "a gradient handed on to two, both cut far behind": [
    (x) => {
      const [u, v] = [x.mul(2), x.mul(3)];
      const s = u.add(v);
      const sum = s
        .narrow(0, 0, 2)
        .sum()
        .add(s.narrow(0, 1, 3).sum());
      const far = (y: Tensor) => y.narrow(0, 1, 2).neg().neg().neg().neg().neg().neg().sum();
      return sum.add(far(u)).add(far(v));
    },
    [5, 15, 10, 5],
  ],
  "a vector in several products": [
    (x) => {
      const [m, v] = [tensor([[1, 2, 3, 4]]), x.unsqueeze(1)];
      const [a, b] = [m.matmul(v), addmm(m.matmul(v), m.mul(2), v)];
      return a
        .add(b.mul(3))
        .add(linear(x.unsqueeze(0), m))
        .add(x.narrow(0, 1, 1))
        .sum();
    },
    [11, 23, 33, 44],
  ],
  "a square": [(x) => x.unsqueeze(1).matmul(x.unsqueeze(0)).sum(), [20, 20, 20, 20]],
  "a product with itself, that two share": [
    (x) => {
      const y = x.reshape([2, 2]).mul(1);
      const p = y.matmul(y);
      return p.add(y).add(p.matmul(y)).sum();
    },
    [59, 99, 77, 125],
  ],
};

for (const [name, [loss, expected]] of Object.entries(losses))
  test(`the gradient of ${name}`, () => {
    const values = [1, 2, 3, 4];
    const x = tensor(values, { requiresGrad: true });
    loss(x).backward();
    expect(x.grad!.toArray()).toEqual(expected);
    expect(grad(loss)(tensor(values)).toArray()).toEqual(expected);
    const y = tensor(values, { requiresGrad: true });
    loss(y).backward({ createGraph: true });
    expect(y.grad!.toArray()).toEqual(expected);
  });

test("what a hook, retainGrad or the caller keeps of a sum of pieces stays as it was", () => {
  const x = ones([4], { requiresGrad: true });
  const y = x.mul(2);
  const z = y.reshape([4]);
  const seen: Tensor[] = [];
  y.registerHook((g) => void seen.push(g));
  z.retainGrad();
  const part = z.narrow(0, 0, 3).add(z.narrow(0, 1, 3));
  const [again, gradient] = [y.narrow(0, 0, 2).mul(5).sum(), tensor([1, 2, 3])];
  part.mul(again).backward({ gradient });
  expect(gradient.toArray()).toEqual([1, 2, 3]);
  expect(z.grad!.toArray()).toEqual([20, 60, 100, 60]);
  expect(seen.map((g) => g.toArray())).toEqual([[140, 180, 100, 60]]);
  expect(x.grad!.toArray()).toEqual([280, 360, 200, 120]);
});

test("products are added where the sum lies: a weight's gradient is held once", () => {
  const size = 512;
  const w = ones([size, size], { requiresGrad: true });
  const rows = Array.from({ length: 6 }, () => ones([1, size]));
  const sum = rows.map((row) => row.matmul(w)).reduce((all, y) => all.add(y));
  const loss = sum
    .add(addmm(sum, rows[0]!, w))
    .add(linear(rows[1]!, w, ones([size])))
    .sum();
  const { liveBytes, peakBytes } = memory();
  expect(peakBytes).toBeLessThan(liveBytes + w.numel * 4);
  loss.backward();
  expect(memory().peakBytes - liveBytes).toBeLessThan(2 * w.numel * 4);
  expect(w.grad!.at(3, 4).item()).toBe(14);
});

test("what arrives after a product's gradient is added in its place", () => {
  const x = ones([512, 512], { requiresGrad: true });
  const sums = [1, 2, 3].map((n) => x.mul(n).sum());
  const loss = [...sums, ones([1, 512]).matmul(x).sum()].reduce((all, y) => all.add(y));
  addon.resetPeak();
  const { liveBytes } = memory();
  loss.backward();
  // The sum and what is added to it, and not a second sum besides.
  expect(memory().peakBytes - liveBytes).toBeLessThan(2.5 * x.numel * 4);
  expect(x.grad!.at(3, 4).item()).toBe(7);
});
