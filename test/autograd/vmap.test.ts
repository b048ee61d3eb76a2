import {
  arange,
  batchNorm,
  bernoulli,
  cat,
  conv2d,
  convTranspose2d,
  crossEntropy,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jvp,
  layerNorm,
  manualSeed,
  nn,
  noGrad,
  ones,
  rand,
  randint,
  randn,
  randperm,
  scaledDotProductAttention,
  scope,
  stack,
  type Tensor,
  tensor,
  vjp,
  vmap,
  zeros,
} from "nabla";
import { vmapWays } from "nabla/internal";
import { describe, expect, it } from "vitest";
import { close, code, double, thrown } from "./code.js";

const rows = double([
  [1, 2],
  [3, 4],
  [5, 6],
]);

describe("vmap", () => {
  it("runs the function once, on tensors without the batch axis", () => {
    let calls = 0;
    const f = (x: Tensor) => {
      calls++;
      expect(x.shape).toEqual([2]);
      return x.square().sum();
    };
    close(vmap(f)(rows), [5, 25, 61]);
    expect(calls).toBe(1);
  });

  it("takes and gives the batch axis anywhere, shares what has none, and follows trees", () => {
    close(vmap((x: Tensor) => x.sum(), { inDims: 1 })(rows), [9, 12]);
    close(vmap((x: Tensor) => x.mul(2), { outDims: -1 })(rows), rows.mul(2).t());
    const f = (a: { x: Tensor; w: Tensor }, [b]: Tensor[]) => ({ sum: a.x.mul(a.w).add(b!), b: [b!] });
    const out = vmap(f, { inDims: [{ x: 0, w: null }, 1], outDims: { sum: 1, b: [null] } as never });
    expect(code(() => out({ x: rows, w: double([10, 20]) }, [rows.t()]))).toBe("ERR_ARGUMENT");
    const fine = vmap(f, { inDims: [{ x: 0, w: null }, 1], outDims: { sum: 1, b: [0] } });
    const found = fine({ x: rows, w: double([10, 20]) }, [rows.t()]);
    close(
      found.sum,
      rows
        .mul(double([10, 20]))
        .add(rows)
        .t(),
    );
    close(found.b[0]!, rows);
    const shared = rows.sum(0);
    close(vmap((x: Tensor) => x.mul(shared))(rows), rows.mul(shared));
    close(vmap((_: Tensor) => shared)(rows), shared.expand([3, 2]));
  });

  it("gives the gradient of each example", () => {
    const [w, ys] = [double([1, -1]), double([1, 2, 3])];
    const loss = (w: Tensor, x: Tensor, y: Tensor) => w.dot(x).sub(y).tanh().square();
    const each = vmap(grad(loss), { inDims: [null, 0, 0] })(w, rows, ys);
    close(each, stack([0, 1, 2].map((i) => grad(loss)(w, rows.at(i), ys.at(i)))));
    expect(each.requiresGrad).toBe(false);
    const model = new nn.Sequential(new nn.Linear(5, 4), new nn.ReLU(), new nn.Linear(4, 3));
    const [images, labels] = [randn([6, 5]), randint(0, 3, [6])];
    const byInput = grad((x: Tensor, t: Tensor) => crossEntropy(model.forward(x.unsqueeze(0)), t.unsqueeze(0)));
    const apart = stack(Array.from({ length: 6 }, (_, i) => byInput(images.at(i), labels.at(i))));
    close(vmap(byInput)(images, labels), apart, 1e-5);
  });

  it("nests with the derivatives in any order", () => {
    const f = (x: Tensor) => x.pow(3).mul(x.sin()).sum();
    const one = (g: (x: Tensor) => Tensor) => stack([0, 1, 2].map((i) => g(rows.at(i))));
    close(vmap(grad(f))(rows), one(grad(f)));
    close(vmap(hessian(f))(rows), one(hessian(f)));
    close(vmap(jacrev(grad(f)))(rows), one(hessian(f)));
    close(vmap(jacfwd(grad(f)))(rows), one(hessian(f)));
    const curved = (x: Tensor) => grad((y: Tensor) => grad(f)(y).sum())(x);
    close(vmap(curved)(rows), one(curved));
    close(grad((r: Tensor) => vmap(f)(r).sum())(rows), one(grad(f)));
    close(grad((r: Tensor) => vmap(grad(f))(r).sum())(rows), one(curved));
    close(grad((r: Tensor) => vmap(curved)(r).sum())(rows), one(grad((x: Tensor) => curved(x).sum())));
    close(jvp((r: Tensor) => vmap(grad(f))(r), [rows], [ones([3, 2], { dtype: "float64" })])[1], one(curved));
    close(vmap((x: Tensor) => jvp(grad(f), [x], [ones([2], { dtype: "float64" })])[1])(rows), one(curved));
    close(vmap((x: Tensor) => vjp(grad(f), x)[1](ones([2], { dtype: "float64" }))[0])(rows), one(curved));
    close(vmap((x: Tensor) => vmap((a: Tensor) => a.mul(x))(rows))(rows), rows.unsqueeze(1).mul(rows));
    close(vmap(vmap(grad((x: Tensor) => x.pow(3))))(rows), rows.square().mul(3));
    close(grad((r: Tensor) => vmap(vmap(grad((x: Tensor) => x.pow(3))))(r).sum())(rows), rows.mul(6));
    close(
      vmap((x: Tensor) => grad((y: Tensor) => vmap((z: Tensor) => z.mul(x.sum()).sin())(y).sum())(x))(rows),
      one((x) => x.mul(x.sum()).cos().mul(x.sum())),
    );
  });

  it("reaches leaves that the function closes over", () => {
    const w = double([2, 3], true);
    vmap((x: Tensor) => x.mul(w).sum())(rows)
      .sum()
      .backward();
    close(w.grad!, [9, 12]);
    w.grad = null;
    vmap((x: Tensor) => x.mul(w.square()).sum())(rows)
      .sum()
      .backward();
    close(w.grad!, [36, 72]);
    expect(code(() => vmap((x: Tensor) => x.mul(w).sum().backward() ?? x)(rows))).toBe("ERR_GRADIENT");
    // Inside, a variable of the inner derivative is not confused with one of the outer.
    const outer = grad((v: Tensor) => vmap((x: Tensor) => grad((y: Tensor) => y.mul(v).mul(x).sum())(v))(rows).sum());
    close(outer(double([1, 1])), [9, 12]);
  });

  it("draws random numbers as it is told", () => {
    const draw = (x: Tensor) => x.mul(0).add(rand([2], { dtype: "float64" }));
    expect(thrown(() => vmap(draw)(rows)).message).toMatch(
      /^rand: random numbers inside vmap; expected the option randomness/,
    );
    const distinct = (x: Tensor) => new Set(x.toArray().map(String)).size;
    expect(distinct(vmap(draw, { randomness: "different" })(rows))).toBe(3);
    expect(distinct(vmap(draw, { randomness: "same" })(rows))).toBe(1);
    expect(distinct(vmap(draw, { randomness: "same", chunkSize: 1 })(rows))).toBe(1);
    expect(distinct(vmap(draw, { randomness: "different", chunkSize: 2 })(rows))).toBe(3);
    const many = ones([4, 64]);
    manualSeed(1);
    expect(distinct(vmap((x: Tensor) => x.dropout(0.5), { randomness: "different" })(many))).toBe(4);
    expect(distinct(vmap((x: Tensor) => x.dropout(0.5), { randomness: "same" })(many))).toBe(1);
    const shared = ones([64]);
    expect(distinct(vmap((x: Tensor) => shared.dropout(0.5).add(x.mul(0)), { randomness: "different" })(many))).toBe(4);
    expect(distinct(vmap((x: Tensor) => x.mul(0.5).bernoulli(), { randomness: "different" })(many))).toBe(4);
    const nested = vmap((x: Tensor) => vmap((y: Tensor) => y.add(rand([])), { randomness: "different" })(x), {
      randomness: "same",
    });
    const found = nested(zeros([2, 3])).toArray<number[][]>();
    expect(found[0]).toEqual(found[1]);
    expect(new Set(found[0]).size).toBe(3);
  });

  it("indexes, joins and takes apart as without vmap", () => {
    const list = tensor([2, 0], { dtype: "int32" });
    const all = randn([3, 4, 5], { dtype: "float64" });
    const calls: ((x: Tensor) => Tensor)[] = [
      (x) => x.at("1:, ::-2"),
      (x) => x.at([3, 1], null, 2),
      (x) => x.at(list),
      (x) => cat([x, all.at(0), x.flip(0)], 1),
      (x) => stack(x.unbind().reverse()),
      (x) => x.max(1).values.add(x.argmin(1)),
      (x) => x.gt(0).where(x, 0).sum({ keepdim: true }),
      (x) => x.var(0).sqrt().logsumexp(),
      (x) => scope(() => x.sin().add(x.cos()).reshape([-1])),
      (x) => noGrad(() => x.detach().clone().t().contiguous()),
      (x) => x.to("float32").to("int32").to("float64"),
    ];
    for (const f of calls) close(vmap(f)(all), stack([0, 1, 2].map((i) => f(all.at(i)))));
  });

  it("works in chunks, and on an empty batch", () => {
    for (const chunkSize of [1, 2, 3, 9])
      close(vmap((x: Tensor) => x.sin(), { chunkSize, outDims: 1 })(rows), rows.sin().t());
    expect(vmap((x: Tensor) => x.matmul(x).add(x.sum()))(zeros([0, 3, 3])).shape).toEqual([0, 3, 3]);
    expect(vmap(grad((x: Tensor) => x.square().sum()))(zeros([0, 3])).shape).toEqual([0, 3]);
  });

  it("draws a permutation for each example, or one for all", () => {
    const drawn = (randomness: "different" | "same") =>
      vmap((x: Tensor) => x.add(randperm(6)), { randomness })(zeros([40, 6])).toArray<number[][]>();
    for (const randomness of ["different", "same"] as const)
      for (const row of drawn(randomness)) expect([...row].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(drawn("different").map(String)).size).toBeGreaterThan(20);
    expect(new Set(drawn("same").map(String)).size).toBe(1);
  });

  it("refuses values, writes, and tensors that have outlived their vmap", () => {
    let leaked: Tensor | undefined;
    vmap((x: Tensor) => (leaked = x))(rows);
    expect(thrown(() => vmap((x: Tensor) => x.mul(x.sum().item()))(rows)).message).toMatch(/^item: inside vmap/);
    expect(code(() => vmap((x: Tensor) => tensor(x.toArray()))(rows))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap((x: Tensor) => x.at(x.gt(1)))(rows))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap((x: Tensor) => x.assign(1))(rows))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap((x: Tensor) => new nn.Parameter(x))(rows))).toBe("ERR_ARGUMENT");
    const disposed = (x: Tensor) => {
      const y = x.sin();
      y.dispose();
      return y.add(x);
    };
    expect(code(() => vmap(disposed)(rows))).toBe("ERR_DISPOSED");
    expect(code(() => leaked!.add(1))).toBe("ERR_DISPOSED");
    expect(code(() => vmap((x: Tensor) => x.add(leaked!))(rows))).toBe("ERR_ARGUMENT");
    expect(String(leaked)).toBe("float64[2] in a batch of 3");
  });

  it("refuses bad input", () => {
    const f = (x: Tensor) => x;
    expect(code(() => vmap(3 as never))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap(f, { inDim: 0 } as never))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap(f, { randomness: "some" as never }))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap(f, { chunkSize: 0 }))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap(f, { inDims: 2 })(rows))).toBe("ERR_AXIS");
    expect(code(() => vmap(f, { inDims: null })(rows))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap(f, { inDims: [0, 0] })(rows))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap(f, { outDims: 5 })(rows))).toBe("ERR_AXIS");
    expect(code(() => vmap(f)(3))).toBe("ERR_SHAPE");
    expect(code(() => vmap((a: Tensor, b: Tensor) => a.add(b))(rows, arange(2)))).toBe("ERR_SHAPE");
    expect(code(() => vmap((() => 3) as never)(rows as never))).toBe("ERR_ARGUMENT");
    expect(code(() => vmap((async (x: Tensor) => x) as never)(rows as never))).toBe("ERR_ARGUMENT");
    expect(bernoulli(ones([1])).item()).toBe(1);
  });
});

describe("gradients of which some are batched and some are shared", () => {
  const dtype = "float64";
  manualSeed(1);
  const [xs, w, v] = [randn([3, 2, 4], { dtype }), randn([4, 4], { dtype }), randn([4, 4], { dtype })];
  const target = tensor([1, 3], { dtype: "int32" });
  const terms: ((x: Tensor, w: Tensor) => Tensor)[] = [
    (x, w) => x.matmul(w).sin().sum(),
    (_, w) => w.matmul(w).sum(),
    (_, w) => w.narrow(0, 1, 2).square().sum(),
    (_, w) => w.matmul(v).sum(),
    (x, w) => crossEntropy(x.matmul(w), target),
    (_, w) =>
      layerNorm(w, 4, { weight: w.at(0), bias: w.at(1) })
        .sin()
        .sum(),
    (x, w) => x.matmul(w.matmul(v)).sum(),
    (_, w) => w.narrow(1, 0, 3).sum(),
    (_, w) => scaledDotProductAttention(w, v, w).sum(),
    (x, w) => scaledDotProductAttention(x, w, v).sum(),
    (_, w) =>
      batchNorm(w, null, null, { training: true, weight: w.at(2) })
        .square()
        .sum()
        .sin(),
  ];
  // Each after each other, so that every kind of sum comes before every other.
  const orders = terms.flatMap((_, step) =>
    step === 0 ? [] : [terms.map((__, i) => terms[(i * step + i) % terms.length]!)],
  );

  it("add up as they do for each example", () => {
    for (const order of orders) {
      const f = (x: Tensor) => (w: Tensor) => order.map((term) => term(x, w)).reduce((a, b) => a.add(b));
      close(vmap((x: Tensor) => grad(f(x))(w))(xs), stack(xs.unbind().map((x) => grad(f(x))(w))));
    }
  });

  it("add up where only the cotangents are batched, and the graph was recorded outside", () => {
    const leaf = w.clone();
    leaf.requiresGrad = true;
    for (const order of orders) {
      const values = () => stack(order.map((term) => term(xs.at(0), leaf)));
      const cotangents = randn([2, order.length], { dtype });
      const by = (y: Tensor, retainGraph: boolean) => (g: Tensor) =>
        grad(y, leaf, { gradOutputs: g, retainGraph })[0] as Tensor;
      const apart = stack(cotangents.unbind().map(by(values(), true)));
      close(vmap(by(values(), true))(cotangents), apart);
      close(vmap(by(values(), false))(cotangents), apart);
    }
  });
});

describe("batches of images", () => {
  it("are images, groups or channels of one convolution, whichever operands have them", () => {
    const [x, w] = [randn([3, 2, 4, 5, 5], { dtype: "float64" }), randn([3, 4, 2, 3, 3], { dtype: "float64" })];
    for (const convolution of [conv2d, convTranspose2d])
      for (const groups of [1, 2]) {
        const run = (image: Tensor, weight: Tensor): Tensor =>
          convolution(
            image,
            groups === 2 || convolution === convTranspose2d ? weight : weight.repeat([1, 2, 1, 1]),
            null,
            {
              groups,
              padding: 1,
            },
          );
        for (const inDims of [
          [0, 0],
          [0, null],
          [null, 0],
        ] as const) {
          const of = (i: number): [Tensor, Tensor] => [x.at(inDims[0] === 0 ? i : 0), w.at(inDims[1] === 0 ? i : 0)];
          const together = vmap(run, { inDims })(inDims[0] === 0 ? x : x.at(0), inDims[1] === 0 ? w : w.at(0));
          close(together, stack([0, 1, 2].map((i) => run(...of(i)))));
        }
        expect(vmap(run)(x.narrow(0, 0, 0), w.narrow(0, 0, 0)).shape.slice(0, 2)).toEqual([0, 2]);
        const nested = vmap(vmap(run, { inDims: [null, 0] }), { inDims: [0, null] })(x, w);
        close(nested.at(2, 1), run(x.at(2), w.at(1)));
      }
    expect([...vmapWays().get("conv2d")!]).toEqual(["folded"]);
  });
});
