/** Halves in ops made of others: float32 between the parts, one rounding at the end, and no float32 copy of what kernels can read. */
import {
  adaptiveAvgPool2d,
  batchNorm,
  crossEntropy,
  type DType,
  detectAnomaly,
  equal,
  grad,
  gru,
  huberLoss,
  jvp,
  layerNorm,
  lerp,
  logsumexp,
  lstm,
  lstsq,
  manualSeed,
  mean,
  memory,
  mseLoss,
  nn,
  noGrad,
  norm,
  ones,
  optim,
  randn,
  rmsNorm,
  scaledDotProductAttention,
  std,
  sum,
  type Tensor,
  tensor,
  variance,
  vjp,
  vmap,
  zeros,
} from "nabla";
import { addon } from "nabla/internal";
import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "../support/settle.js";

const halves = ["bfloat16", "float16"] as const;
const half = (values: readonly number[], requiresGrad = false): Tensor =>
  tensor(values, { dtype: "float16", requiresGrad });
const f32 = (x: Tensor): Tensor => x.to("float32");

beforeEach(() => manualSeed(3));

describe("what fits float16 is finite, though its squares and sums do not", () => {
  const x = half([300, -300, 400, -400]);

  test.each<[string, () => Tensor, number]>([
    ["mean", () => mean(half([60000, 60000, 60000])), 60000],
    ["mean along a dimension", () => mean(ones([2, 3], { dtype: "float16" }).mul(60000), 1).at(1), 60000],
    ["std", () => std(x, { correction: 0 }), Math.sqrt(125000)],
    ["variance of what is small", () => variance(half([2 ** -13, -(2 ** -13)])), 2 ** -25],
    ["norm", () => norm(half([300, 400])), 500],
    ["norm of order 3", () => norm(half([300, 400]), { ord: 3 }), 91e6 ** (1 / 3)],
    ["normalize", () => nn.functional.normalize(half([300, 400]), { dim: 0 }).at(1), 0.8],
    ["cosineSimilarity", () => nn.functional.cosineSimilarity(half([300, 400]), half([300, 400]), { dim: 0 }), 1],
    ["logsumexp", () => logsumexp(half([65504, 65504])), 65504],
    ["mseLoss", () => mseLoss(half([300, 0, 0, 0]), zeros([4], { dtype: "float16" })), 22500],
    ["mseLoss of two dtypes", () => mseLoss(half([300, 0]), zeros([2])), 45000],
    ["huberLoss", () => huberLoss(half([300, 0, 0, 0]), half([0, 0, 0, 0]), { delta: 1000 }), 11250],
    [
      "adaptiveAvgPool2d",
      () => adaptiveAvgPool2d(ones([1, 5, 5], { dtype: "float16" }).mul(65504), 2).at(0, 0, 0),
      65504,
    ],
  ])("%s", (_, f, want) => {
    const y = f();
    expect(y.item()).toBe(y.dtype === "float16" ? half([want]).item() : Math.fround(want));
  });

  test("gradients", () => {
    const slope = (f: (x: Tensor) => Tensor): number[] => grad(f)(x).toArray() as number[];
    const rounded = (values: number[]): number[] => half(values).toArray() as number[];
    const [n, deviation] = [4, Math.sqrt(125000)];
    const values = x.toArray() as number[];
    expect(slope((v) => std(v, { correction: 0 }))).toEqual(rounded(values.map((v) => v / n / deviation)));
    expect(slope((v) => norm(v))).toEqual(rounded(values.map((v) => v / Math.sqrt(500000))));
    expect(slope((v) => mseLoss(v, zeros([4], { dtype: "float16" })))).toEqual(rounded(values.map((v) => v / 2)));
    expect(slope((v) => v.mul(100).mean())).toEqual([25, 25, 25, 25]);
  });
});

describe("gradients are clipped by their norm in float32", () => {
  test("float16 [300, 400]", () => {
    const w = half([0, 0], true);
    w.grad = half([300, 400]);
    const total = optim.clipGradNorm([w], 1);
    expect([total.dtype, total.item()]).toEqual(["float32", 500]);
    expect(w.grad.toArray()).toEqual(half([0.6, 0.8]).toArray());
  });

  test("together with others, and of other orders", () => {
    const [v, w] = [half([0], true), tensor([0], { requiresGrad: true })];
    for (const [order, want] of [
      [2, 500],
      [1, 700],
      [Number.POSITIVE_INFINITY, 400],
    ] as const) {
      [v.grad, w.grad] = [half([300]), tensor([400])];
      expect(optim.clipGradNorm([v, w], 50, { normType: order }).item()).toBe(want);
      expect(v.grad.item()).toBe(half([(300 * 50) / want]).item());
    }
  });

  test("LBFGS keeps its curvature in float32", () => {
    const w = half([300, 400], true);
    const opt = new optim.LBFGS([w], { lr: 0.5 });
    opt.step(() => {
      opt.zeroGrad();
      const loss = f32(w).square().sum();
      loss.backward();
      return loss;
    });
    const { d } = opt.stateDict().state[0]!;
    expect((d as Tensor).dtype).toBe("float32");
    expect(w.isfinite().all().item()).toBe(1);
    expect(Math.abs(w.at(0).item())).toBeLessThan(1);
  });
});

describe.each(halves)("attention in %s is float32's, rounded once", (dtype) => {
  // Scores of a million: over what float16 holds.
  const inputs = (shape: number[]): Tensor[] => [0, 1, 2].map(() => randn(shape).mul(120).to(dtype));
  const attention = scaledDotProductAttention;
  const bool = ones([5, 5]).tril().gt(0);
  type Options = NonNullable<Parameters<typeof attention>[3]>;
  const paths: [string, (typed: (x: Tensor) => Tensor) => Options][] = [
    ["plain", () => ({})],
    ["causal", () => ({ isCausal: true })],
    ["a mask of truth values", () => ({ attnMask: bool })],
    ["a mask of floats", (typed) => ({ attnMask: typed(ones([5, 5]).mul(300).triu()) })],
    ["dropout", () => ({ dropoutP: 0.4 })],
    ["grouped heads", () => ({ enableGqa: true })],
  ];

  test.each(paths)("%s", (name, options) => {
    const [q, k, v] = inputs([4, 5, 8]) as [Tensor, Tensor, Tensor];
    const keys = name === "grouped heads" ? [k.narrow(0, 0, 2), v.narrow(0, 0, 2)] : [k, v];
    const given = [q, ...keys];
    const typed = (x: Tensor): Tensor => x.to(dtype);
    const run = (xs: readonly Tensor[], to: (x: Tensor) => Tensor): Tensor => {
      manualSeed(7);
      return attention(xs[0]!, xs[1]!, xs[2]!, options(to));
    };
    const same = (got: Tensor, want: Tensor, what: string): void => {
      expect(got.dtype, what).toBe(dtype);
      expect(got.isfinite().all().item(), what).toBe(1);
      expect(equal(got, want.to(dtype)), what).toBe(true);
    };
    const wide = given.map(f32);
    same(run(given, typed), run(wide, f32), "value");
    const leaves = (xs: readonly Tensor[]): Tensor[] =>
      xs.map((x) => {
        const leaf = x.detach().clone();
        leaf.requiresGrad = true;
        return leaf;
      });
    for (const createGraph of [false, true]) {
      const [a, b] = [leaves(given), leaves(wide)];
      const got = grad(run(a, typed).sum(), a, { createGraph });
      const want = grad(run(b, f32).sum(), b, { createGraph });
      got.forEach((g, i) => {
        same(g!, want[i]!, `gradient ${i}, createGraph ${createGraph}`);
      });
    }
    const [, moved] = jvp((...xs: Tensor[]) => run(xs, typed), given, given);
    const [, expected] = jvp((...xs: Tensor[]) => run(xs, f32), wide, wide);
    same(moved, expected, "forward mode");
    const batched = (xs: readonly Tensor[]): Tensor[] =>
      xs.map((x) =>
        x
          .unsqueeze(0)
          .expand([2, ...x.shape])
          .contiguous(),
      );
    const over = (xs: readonly Tensor[], to: (x: Tensor) => Tensor): Tensor =>
      vmap((...each: Tensor[]) => run(each, to), { randomness: "same" })(...batched(xs));
    same(over(given, typed), over(wide, f32), "vmap");
  });

  test("a mask that is learned", () => {
    const [q, k, v] = inputs([2, 5, 8]) as [Tensor, Tensor, Tensor];
    const mask = randn([5, 5]).to(dtype);
    const slopes = (xs: Tensor[]): Tensor[] => {
      for (const x of xs) x.requiresGrad = true;
      const y = attention(xs[0]!, xs[1]!, xs[2]!, { attnMask: xs[3]! });
      return [y, ...grad(y.sum(), xs)].map((z) => z!);
    };
    const got = slopes([q, k, v, mask].map((x) => x.clone()));
    const want = slopes([q, k, v, mask].map((x) => f32(x).clone()));
    got.forEach((x, i) => {
      expect(equal(x, want[i]!.to(dtype)), `result ${i}`).toBe(true);
    });
  });

  test("MultiheadAttention: heads of weights that are not rounded", () => {
    const model = new nn.MultiheadAttention(8, 2, { dtype });
    const x = randn([5, 1, 8]).mul(60).to(dtype);
    const [y, weights] = noGrad(() => model.forward(x, x, x));
    expect([y.dtype, weights!.dtype]).toEqual([dtype, dtype]);
    expect(y.isfinite().all().item()).toBe(1);
    const [fused] = noGrad(() => model.forward(x, x, x, { needWeights: false }));
    expect(equal(y, fused)).toBe(true);
  });
});

describe("batchNorm of halves", () => {
  const x = half([600, -600, 400, -400]).reshape([4, 1]);
  const run = (given: Tensor, mean: Tensor, spread: Tensor): Tensor =>
    batchNorm(given, mean, spread, { training: true, momentum: 0.5 });

  test("running values follow moments that float16 cannot hold", () => {
    for (const requiresGrad of [false, true]) {
      const [m, v] = [zeros([1]), ones([1])];
      const leaf = x.detach().clone();
      leaf.requiresGrad = requiresGrad;
      const y = run(leaf, m, v);
      const [wideM, wideV] = [zeros([1]), ones([1])];
      expect(equal(y, run(f32(x), wideM, wideV).to("float16"))).toBe(true);
      expect([m.item(), v.item()]).toEqual([wideM.item(), wideV.item()]);
      expect(v.item()).toBeGreaterThan(65504);
    }
  });

  test("by running values that float16 cannot hold", () => {
    const y = batchNorm(x, zeros([1]), tensor([260000]));
    expect(equal(y, batchNorm(f32(x), zeros([1]), tensor([260000])).to("float16"))).toBe(true);
    expect(y.at(0, 0).item()).toBeGreaterThan(1);
  });

  test("inside vmap", () => {
    const both = x.unsqueeze(0).expand([2, 4, 1]).contiguous();
    const f = (each: Tensor): Tensor => batchNorm(each, null, null, { training: true });
    expect(equal(vmap(f)(both).at(1), f(x))).toBe(true);
  });
});

describe.each(halves)("%s through many steps is rounded at the end", (dtype) => {
  const close = (got: Tensor, want: Tensor): void => {
    expect(got.dtype).toBe(dtype);
    expect(equal(got, want.to(dtype))).toBe(true);
  };

  test("lstm and gru, values and gradients", () => {
    const given = { x: randn([20, 2, 3]).to(dtype), ih: randn([16, 3]).to(dtype), hh: randn([16, 4]).to(dtype) };
    const run = (cast: (x: Tensor) => Tensor): Tensor[] => {
      const [x, ih, hh] = [given.x, given.ih, given.hh].map((one) => cast(one).clone()) as [Tensor, Tensor, Tensor];
      for (const one of [x, ih, hh]) one.requiresGrad = true;
      const a = lstm(x, [{ weightIh: ih, weightHh: hh }]);
      const b = gru(x, [{ weightIh: ih.narrow(0, 0, 12), weightHh: hh.narrow(0, 0, 12) }]);
      return [a.output, a.hn, a.cn, b.output, b.hn, ...grad(a.output.sum(), [x, ih, hh])].map((y) => y!);
    };
    const want = run(f32);
    run((x) => x).forEach((y, i) => {
      close(y, want[i]!);
    });
  });

  test("lstsq", () => {
    const [a, b] = [randn([6, 2]).mul(100).to(dtype), randn([6, 1]).mul(100).to(dtype)];
    const [got, want] = [lstsq(a, b), lstsq(f32(a), f32(b), { rcond: 6 * 2 ** -23 })];
    close(got.solution, want.solution);
    close(got.residuals, want.residuals);
    close(got.singularValues, want.singularValues);
  });

  test("crossEntropy with label smoothing", () => {
    const [logits, target] = [randn([4, 7]).mul(300).to(dtype), tensor([0, 3, 6, 1], { dtype: "int32" })];
    const f = (x: Tensor): Tensor => crossEntropy(x, target, { labelSmoothing: 0.2 });
    close(f(logits), f(f32(logits)));
    close(grad(f)(logits), grad(f)(f32(logits)));
  });

  test("rules of ops that meet float32 see float32", () => {
    const [a, b] = [ones([1]).mul(60000).to(dtype), ones([1]).mul(-60000).to(dtype)];
    const byWeight = grad((w: Tensor) => lerp(a, b, w).sum())(tensor([0.5]));
    expect(byWeight.item()).toBe(f32(b).sub(f32(a)).item());
  });
});

describe.each(halves)("derivatives of norms in %s are float32's, rounded once:", (dtype) => {
  manualSeed(7);
  const rows = [randn([5, 40]), randn([5, 40]), randn([5, 40])].map((x) => x.to(dtype));
  const columns = [randn([40]), randn([40]), randn([40])].map((x) => x.to(dtype));
  const norms: Record<string, (x: Tensor, w: Tensor, b: Tensor) => Tensor> = {
    layerNorm: (x, weight, bias) => layerNorm(x, 40, { weight, bias }),
    rmsNorm: (x, weight) => rmsNorm(x, 40, { weight }),
    "layerNorm alone": (x) => layerNorm(x, 40),
    "rmsNorm alone": (x) => rmsNorm(x, 40),
  };
  test.each(Object.keys(norms))("%s", (name) => {
    const f = norms[name]!;
    const orders = (to: DType): Tensor[] => {
      const [x, g, v] = rows.map((one) => one.to(to)) as [Tensor, Tensor, Tensor];
      const [w, b, u] = columns.map((one) => one.to(to)) as [Tensor, Tensor, Tensor];
      const slope = (z: Tensor): Tensor => vjp((y: Tensor) => f(y, w, b), z)[1](g)[0];
      const first = name.endsWith("alone") ? [slope(x)] : vjp((...all: Tensor[]) => f(all[0]!, all[1]!, b), x, w)[1](g);
      const byWeight = (z: Tensor): Tensor => vjp((y: Tensor) => f(x, y, b), z)[1](g)[0];
      return [
        ...first,
        vjp(slope, x)[1](v)[0],
        jvp(slope, [x], [v])[1],
        ...(name.endsWith("alone") ? [] : [jvp((z: Tensor) => f(x, z, b), [w], [u])[1], byWeight(w)]),
      ];
    };
    const wide = orders("float32");
    orders(dtype).forEach((got, i) => {
      expect(got.dtype).toBe(dtype);
      expect(equal(got, wide[i]!.to(dtype)), `${i}`).toBe(true);
    });
  });
});

describe.each(halves)("derivatives in %s are float32's, rounded once:", (dtype) => {
  type Op = (x: Tensor, ...others: Tensor[]) => Tensor;
  const classes = tensor([0, 3, 7, -1, 8, 2], { dtype: "int32" });
  const channels = [[6], [6]];
  const trained: Op = (x, weight, bias) => batchNorm(x, null, null, { training: true, weight, bias });
  const [mean, spread] = [randn([6]), randn([6]).square()];
  const byRunning: Op = (x, weight, bias) => batchNorm(x, mean, spread, { weight, bias });
  const ops: [name: string, f: Op, x: number[], others?: number[][]][] = [
    ["crossEntropy", (x) => crossEntropy(x, classes, { ignoreIndex: -1 }), [6, 9]],
    ["crossEntropy, losses", (x) => crossEntropy(x, classes, { ignoreIndex: -1, reduction: "none" }), [6, 9]],
    ["crossEntropy, smoothed", (x) => crossEntropy(x, classes, { ignoreIndex: -1, labelSmoothing: 0.1 }), [6, 9]],
    ["crossEntropy of pixels", (x) => crossEntropy(x, classes.abs().reshape([2, 3]), { reduction: "sum" }), [2, 9, 3]],
    ["crossEntropy of one class", (x) => crossEntropy(x, zeros([3], { dtype: "int32" })), [3, 1]],
    ["softmax", (x) => x.softmax(1), [6, 50]],
    ["logSoftmax", (x) => x.logSoftmax(1), [6, 50]],
    ["logSoftmax of columns", (x) => x.logSoftmax(0), [6, 50]],
    ["batchNorm", trained, [4, 6, 3, 5], channels],
    ["batchNorm of columns", trained, [40, 6], channels],
    ["batchNorm by running values", byRunning, [4, 6, 3, 5], channels],
    ["batchNorm by running values, without a weight", byRunning, [4, 6, 3]],
    ["logsumexp", (x) => logsumexp(x), [6, 50]],
    ["logsumexp of rows", (x) => logsumexp(x, 1), [6, 50]],
    ["logsumexp of columns", (x) => logsumexp(x, 0), [6, 50]],
    ["logsumexp of long rows", (x) => logsumexp(x, 1), [2, 70_000]],
    ["logsumexp apart", (x) => logsumexp(x, [0, 2]), [3, 4, 5]],
    ["var", (x) => variance(x), [6, 50]],
    ["var of rows", (x) => variance(x, 1), [6, 50]],
    ["var of columns", (x) => variance(x, 0), [6, 50]],
    ["var apart", (x) => variance(x, [0, 2]), [3, 4, 5]],
    ["norm", (x) => norm(x), [6, 50]],
    ["norm of columns", (x) => norm(x, { dim: 0 }), [6, 50]],
    ["norm apart", (x) => norm(x, { dim: [0, 2] }), [3, 4, 5]],
    ["std", (x) => std(x), [2, 70_000]],
    ["std in the middle", (x) => std(x, 1, { keepdim: true }), [6, 5, 4]],
  ];
  test.each(ops)("%s", (_, f, shape, others = []) => {
    const given = [shape, ...others].map((sizes) => randn(sizes).mul(2).to(dtype));
    const direction = randn(shape).to(dtype);
    const result = randn(f(...(given as [Tensor])).shape).to(dtype);
    const orders = (to: DType): Tensor[] => {
      const [xs, v, g] = [given.map((x) => x.to(to)), direction.to(to), result.to(to)];
      const slope = (z: Tensor): Tensor => vjp((y: Tensor) => f(y, ...xs.slice(1)), z)[1](g)[0];
      const x = xs[0]!;
      return [
        f(...(xs as [Tensor])),
        slope(x),
        ...vjp((...all: Tensor[]) => f(...(all as [Tensor])), ...xs)[1](g),
        vjp(slope, x)[1](v)[0],
        jvp(slope, [x], [v])[1],
        jvp((...all: Tensor[]) => f(...(all as [Tensor])), xs, xs)[1],
        detectAnomaly(() => slope(x)),
      ];
    };
    const wide = orders("float32");
    orders(dtype).forEach((got, i) => {
      expect(got.dtype).toBe(dtype);
      expect(equal(got, wide[i]!.to(dtype)), `${i}`).toBe(true);
    });
  });
});

describe.each(halves)("large tensors of %s are read tile by tile", (dtype: DType) => {
  const n = 2 ** 23;
  const bytes = 2 * n;
  /** Bytes above those in use before, at most. */
  const peak = (work: () => unknown): number => {
    settle();
    addon.resetPeak();
    const before = memory().liveBytes;
    work();
    return memory().peakBytes - before;
  };
  const make = (): Tensor => zeros([64, n / 64], { dtype }).add(0.5);

  test("sum, mean and extremes, along any dimensions", () => {
    const x = make();
    const moments = [() => x.var(), () => x.std(0), () => x.var(1)];
    for (const f of [() => sum(x), () => mean(x), () => sum(x, 0), () => mean(x, 1), () => x.amax(), ...moments])
      expect(peak(f)).toBeLessThan(bytes);
    expect(mean(x).item()).toBe(0.5);
    // What is not in row-major order is put so, as it is stored.
    expect(peak(() => x.t().sum(1))).toBeLessThan(1.5 * bytes);
  });

  test("sums whose gradient is recorded", () => {
    const x = make().detach();
    x.requiresGrad = true;
    for (const f of [() => sum(x), () => mean(x), () => mean(x, 0)]) expect(peak(f)).toBeLessThan(bytes);
  });

  test("ops that subtract, square or exponentiate make one float32 tensor at a time, not a copy of x besides", () => {
    const x = make();
    expect(peak(() => norm(x))).toBeLessThan(3 * bytes);
    expect(peak(() => logsumexp(x))).toBeLessThan(5 * bytes);
    expect(peak(() => mseLoss(x, x, { reduction: "sum" }))).toBeLessThan(5 * bytes);
  });

  test("norms, both ways: the result and the gradient of x are all that is made", () => {
    const x = zeros([n / 1024, 1024], { dtype })
      .add(0.5)
      .detach();
    expect(peak(() => layerNorm(x, 1024))).toBeLessThan(1.25 * bytes);
    const g = x.mul(2);
    x.requiresGrad = true;
    const [weight, bias] = [0, 1].map(() => ones([1024], { dtype, requiresGrad: true }));
    const norms = [
      () => layerNorm(x, 1024, { weight, bias }),
      () => rmsNorm(x, 1024, { weight }),
      () => rmsNorm(x, 1024),
    ];
    for (const f of norms) {
      for (const leaf of [x, weight!, bias!]) leaf.grad = null;
      expect(peak(() => f().backward({ gradient: g }))).toBeLessThan(2.25 * bytes);
    }
  });

  /** A leaf of n elements. */
  const leaf = (shape: number[]): Tensor => {
    const x = zeros(shape, { dtype }).add(0.5).detach();
    x.requiresGrad = true;
    return x;
  };
  const bothWays = (f: (x: Tensor) => Tensor, x: Tensor, more: readonly Tensor[] = []): number => {
    const y = noGrad(() => f(x));
    const gradient = y.mul(2);
    for (const one of [x, ...more]) one.grad = null;
    return peak(() => f(x).backward({ gradient }));
  };

  test("crossEntropy, both ways: the gradient is all that is made", () => {
    for (const shape of [
      [64, n / 64],
      [n / 64, 64],
    ]) {
      const target = zeros([shape[0]!], { dtype: "int32" });
      expect(bothWays((x) => crossEntropy(x, target), leaf(shape))).toBeLessThan(1.25 * bytes);
    }
  });

  test("softmax, both ways: the result and the gradient", () => {
    const x = leaf([n / 1024, 1024]);
    for (const f of [(z: Tensor) => z.softmax(1), (z: Tensor) => z.logSoftmax(1)])
      expect(bothWays(f, x)).toBeLessThan(2.25 * bytes);
  });

  test("batchNorm, both ways: the result and the gradient of x", () => {
    for (const shape of [
      [16, 64, n / 1024],
      [n / 1024, 1024],
    ]) {
      const [weight, bias] = [0, 1].map(() => ones([shape[1]!], { dtype, requiresGrad: true }));
      const [mean, spread] = [zeros([shape[1]!]), ones([shape[1]!])];
      const x = leaf(shape);
      const train = (z: Tensor): Tensor => batchNorm(z, mean, spread, { training: true, weight, bias });
      expect(bothWays(train, x, [weight!, bias!])).toBeLessThan(2.4 * bytes);
      const run = (z: Tensor): Tensor => batchNorm(z, mean, spread, { weight, bias });
      expect(bothWays(run, x, [weight!, bias!])).toBeLessThan(2.4 * bytes);
      expect(peak(() => noGrad(() => run(x)))).toBeLessThan(1.25 * bytes);
    }
  });

  test("attention: its result, and the gradients", () => {
    const inputs = [0, 1, 2].map(() => leaf([n / 8192, 128, 64]));
    const run = (x: Tensor): Tensor => scaledDotProductAttention(x, inputs[1]!, inputs[2]!, { isCausal: true });
    expect(peak(() => noGrad(() => run(inputs[0]!)))).toBeLessThan(1.25 * bytes);
    // The result is also kept in float32, for the gradient.
    expect(bothWays(run, inputs[0]!, inputs)).toBeLessThan((1 + 2 + 3.5) * bytes);
  });

  test("logsumexp, norm, var and std, both ways: the gradient", () => {
    const x = leaf([64, n / 64]);
    for (const dim of [0, 1])
      for (const f of [logsumexp, norm, variance, std])
        expect(
          bothWays((z) => f(z, [dim]), x),
          `${f.name} along ${dim}`,
        ).toBeLessThan(1.25 * bytes);
  });

  test("fused ops over rows, and mseLoss", () => {
    const x = make();
    const target = zeros([64], { dtype: "int32" });
    expect(peak(() => x.softmax(1))).toBeLessThan(1.25 * bytes);
    expect(peak(() => crossEntropy(x, target))).toBeLessThan(bytes);
    const y = make();
    mseLoss(x, y); // its squares stay
    expect(peak(() => mseLoss(x, y))).toBeLessThan(bytes);
    expect(mseLoss(x, y.mul(3)).item()).toBe(1);
  });

  test("fused ops with the bits of a float32 copy", () => {
    const [x, y] = [randn([70, 300]).to(dtype), randn([70, 300]).to(dtype)];
    const weight = randn([300]).to(dtype);
    const target = zeros([70], { dtype: "int32" });
    const ops: ((x: Tensor, y: Tensor, weight: Tensor) => Tensor)[] = [
      (a) => a.softmax(1),
      (a) => a.logSoftmax(0),
      (a, _, w) => layerNorm(a, 300, { weight: w, bias: w }),
      (a, _, w) => rmsNorm(a, 300, { weight: w }),
      (a) => crossEntropy(a, target, { reduction: "none" }),
      (a, b) => mseLoss(a, b),
      (a, b) => mseLoss(a.t(), b.t()),
    ];
    for (const [i, f] of ops.entries())
      expect(equal(f(x, y, weight), f(f32(x), f32(y), f32(weight)).to(dtype)), `op ${i}`).toBe(true);
  });

  test("with the sums of a float32 copy, whatever the layout", () => {
    const x = randn([70, 3, 1000]).to(dtype);
    const views = [
      x,
      x.permute([2, 0, 1]),
      x.narrow(2, 1, 998),
      x.narrow(0, 3, 1),
      randn([300_001]).to(dtype),
      x.narrow(2, 0, 0),
    ];
    for (const view of views)
      for (let dim = 0; dim < view.ndim; dim++)
        for (const f of [(y: Tensor) => y.sum(dim), (y: Tensor) => y.prod(dim), (y: Tensor) => y.sum()])
          expect(equal(f(view), f(f32(view)).to(dtype)), `${view.shape} along ${dim}`).toBe(true);
    const lines = x.permute([1, 0, 2]);
    expect(equal(lines.amax([0, 2]), f32(lines).amax([0, 2]).to(dtype))).toBe(true);
  });
});
