import {
  checkpoint,
  dropout,
  grad,
  gradcheck,
  graph,
  jvp,
  manualSeed,
  memory,
  nn,
  noGrad,
  ones,
  rand,
  randn,
  type Tensor,
  tensor,
  vmap,
} from "nabla";
import { describe, expect, it } from "vitest";
import { settle } from "../support/settle.js";
import { close, code, double, processorTime } from "./code.js";

const f = (x: Tensor) => x.sin().mul(x).exp();

describe("checkpoint", () => {
  const x = double([0.5, -1]);

  it("changes neither value nor derivatives", () => {
    expect(checkpoint(f, x).toArray()).toEqual(f(x).toArray());
    expect(gradcheck((x) => checkpoint(f, x), x, { order: 2 })).toBe(true);
    const total = (g: (x: Tensor) => Tensor) => (x: Tensor) => g(x).sum();
    const nested = (x: Tensor) => checkpoint((y: Tensor) => f(checkpoint(f, y.mul(0.5))), x);
    const plain = (x: Tensor) => f(f(x.mul(0.5)));
    close(grad(total(nested))(x), grad(total(plain))(x));
    close(jvp(grad(total(nested)), [x], [x])[1], jvp(grad(total(plain)), [x], [x])[1]);
    close(vmap(grad((x: Tensor) => checkpoint(f, x)))(x), vmap(grad(f))(x));
  });

  it("reaches parameters that the function closes over, and trees of arguments", () => {
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 2));
    const input = randn([5, 3]);
    const gradients = (call: (x: Tensor) => Tensor): Tensor[] => {
      model.zeroGrad();
      const leaf = input.detach().clone();
      leaf.requiresGrad = true;
      call(leaf).square().sum().backward();
      return [leaf.grad!, ...model.parameters().map((p) => p.grad!)];
    };
    const plain = (x: Tensor) => model.forward(x);
    const kept = gradients((x) => checkpoint(({ x }: { x: Tensor }) => model.forward(x), { x }));
    gradients(plain).forEach((g, i) => {
      expect(kept[i]!.toArray()).toEqual(g.toArray());
    });
    // A tensor in the middle of a graph, and one node as two arguments.
    const w = double([3], true);
    const middle = w.square();
    checkpoint((a: Tensor, b: Tensor) => a.mul(b).mul(middle), middle, middle).backward();
    close(w.grad!, [6 * 3 ** 5]);
  });

  it("draws the same random numbers again", () => {
    manualSeed(5);
    const leaf = ones([64]);
    leaf.requiresGrad = true;
    const y = checkpoint((x: Tensor) => dropout(x, 0.5), leaf);
    const next = rand([2]).toArray();
    y.sum().backward();
    expect(leaf.grad!.toArray()).toEqual(y.toArray());
    const after = rand([2]).toArray();
    manualSeed(5);
    dropout(leaf, 0.5);
    expect([next, after]).toEqual([rand([2]).toArray(), rand([2]).toArray()]);
  });

  it("draws them again where the generator has a key of several integers, as in a worker", () => {
    const generator = manualSeed(1) as unknown as { key: object };
    const Key = generator.key.constructor as new (seed: number, words: number[]) => object;
    generator.key = new Key(1, [7, 9]);
    const leaf = ones([64], { requiresGrad: true });
    const y = checkpoint((x: Tensor) => dropout(x, 0.5), leaf);
    y.sum().backward();
    expect(leaf.grad!.toArray()).toEqual(y.toArray());
    manualSeed(1);
  });

  it("keeps its graph where backward is asked to", () => {
    const leaf = double([0.5], true);
    const y = checkpoint(f, leaf);
    y.backward({ retainGraph: true });
    y.backward({ createGraph: true });
    close(
      leaf.grad!,
      grad(f)(double([0.5]))
        .mul(2)
        .toArray<number[]>(),
    );
    y.backward();
    expect(code(() => y.backward())).toBe("ERR_GRADIENT");
  });

  it("keeps no intermediate result", () => {
    const leaf = ones([1000], { requiresGrad: true });
    const block = (x: Tensor) => {
      let y = x;
      for (let i = 0; i < 10; i++) y = y.sin();
      return y;
    };
    const kept = (call: (x: Tensor) => Tensor): number => {
      settle();
      const before = memory().liveStorages;
      let y: Tensor = leaf;
      for (let i = 0; i < 20; i++) y = call(y);
      settle();
      const during = memory().liveStorages - before;
      y.sum().backward();
      return during;
    };
    expect(kept(block)).toBeGreaterThanOrEqual(190);
    expect(kept((x) => checkpoint(block, x))).toBeLessThanOrEqual(21);
    settle();
  });

  it("takes linear time through many of them", () => {
    const timeOf = (blocks: number): number =>
      processorTime(() => {
        let y: Tensor = double([1], true);
        for (let i = 0; i < blocks; i++) y = checkpoint((x: Tensor) => x.sin(), y);
        y.backward();
      });
    timeOf(2000);
    // Quadratic would be 256 times as long.
    expect(timeOf(32_000)).toBeLessThan(64 * timeOf(2000) + 200);
  }, 60_000);

  it("calls the function twice, and only once where nothing is recorded", () => {
    let calls = 0;
    const counted = (x: Tensor) => {
      calls++;
      return x.sin();
    };
    noGrad(() => checkpoint(counted, double([1], true)));
    checkpoint(counted, x);
    expect(calls).toBe(2);
    const y = checkpoint(counted, double([1], true));
    y.backward();
    expect(calls).toBe(4);
    expect(graph(y).toDot()).toContain("checkpoint");
  });

  it("refuses what would give a wrong gradient", () => {
    const w = double([2], true);
    const y = checkpoint((x: Tensor) => x.mul(w), double([3], true));
    noGrad(() => w.assign(5));
    expect(code(() => y.backward())).toBe("ERR_GRADIENT");
    let wide = false;
    const z = checkpoint((x: Tensor) => (wide ? x.expand([2]) : x.mul(2)), double([3], true));
    wide = true;
    expect(code(() => z.backward())).toBe("ERR_GRADIENT");
    expect(code(() => checkpoint(3 as never))).toBe("ERR_ARGUMENT");
    expect(code(() => checkpoint((() => [tensor([1])]) as never))).toBe("ERR_ARGUMENT");
    expect(code(() => checkpoint((async () => tensor([1])) as never))).toBe("ERR_ARGUMENT");
  });
});
