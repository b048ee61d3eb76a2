/** Transforms keep what their functions close over in the graph of what they return. Goldens by closed-over.py. */
import { readFileSync } from "node:fs";
import {
  arange,
  batchNorm,
  checkpoint,
  customFunction,
  detectAnomaly,
  grad,
  graph,
  hessian,
  hvp,
  inference,
  jacfwd,
  jacobian,
  jacrev,
  jvp,
  layerNorm,
  memory,
  nn,
  noGrad,
  randn,
  rmsNorm,
  scalar,
  scaledDotProductAttention,
  stack,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
} from "nabla";
import { describe, expect, it } from "vitest";
import { atTheDoor } from "../support/door.js";
import { close, double } from "./code.js";

interface Golden {
  readonly cases: Record<string, { outputs: number[][]; byW: number[] }>;
  readonly networks: Record<string, { outputs: number[][]; by: Record<string, number[]> }>;
}
const golden = JSON.parse(readFileSync(new URL("closed-over.json", import.meta.url), "utf8")) as Golden;

type F = (x: Tensor) => Tensor;
const loss = (w: Tensor, x: Tensor): Tensor =>
  w
    .mul(x)
    .sin()
    .mul(x.square())
    .sum()
    .add(w.at(0).mul(x.at(1).pow(3)).mul(x.at(0)));
const vector = (w: Tensor, x: Tensor): Tensor =>
  w
    .mul(x)
    .add(x.flip([0]))
    .tanh()
    .mul(w.at(0));
const square = (w: Tensor): Tensor => w.square().add(w.flip([0]));

const x = double([0.7, -1.2]);
const v = double([0.3, 0.5]);
const xs = stack([x, v, x.mul(v)]);
const pulled = (f: F, at: Tensor, cotangent: Tensor): Tensor[] => {
  const [value, pull] = vjp(f, at);
  return [value, pull(cotangent)[0]];
};
const products = (f: F, at: Tensor, along: Tensor): Tensor[] => {
  const [value, [product]] = hvp(f, [at], [along]);
  return [value, product];
};

const cases: Record<string, (w: Tensor) => Tensor[]> = {
  grad: (w) => [grad((x: Tensor) => loss(w, x))(x)],
  valueAndGrad: (w) => valueAndGrad((x: Tensor) => loss(w, x))(x),
  vjp: (w) => pulled((x) => vector(w, x), x, v),
  "vjp along w": (w) => pulled((x) => x.sin(), x, w),
  jvp: (w) => jvp((x: Tensor) => vector(w, x), [x], [v]),
  "jvp along w": (w) => jvp((x: Tensor) => x.sin(), [x], [w]),
  hvp: (w) => products((x) => loss(w, x), x, v),
  "hvp along w": (w) => products((x) => x.sin().sum(), x, w),
  jacrev: (w) => [jacrev((x: Tensor) => vector(w, x))(x)],
  jacfwd: (w) => [jacfwd((x: Tensor) => vector(w, x))(x)],
  jacobian: (w) => [jacobian((x: Tensor) => vector(w, x))(x)],
  hessian: (w) => [hessian((x: Tensor) => loss(w, x))(x)],
  "by w itself": (w) => valueAndGrad((x: Tensor) => loss(w, x))(w),
  "what was computed before": (w) => {
    const h = square(w);
    return valueAndGrad((x: Tensor) => loss(h, x))(x);
  },
  "what was computed inside": (w) => valueAndGrad((x: Tensor) => loss(square(w), x))(x),
  "vmap of grad": (w) => [vmap(grad((x: Tensor) => loss(w, x)))(xs)],
  "vmap of grad, each its own": (w) => [
    vmap((x: Tensor, u: Tensor) => grad((x: Tensor) => loss(u, x))(x))(xs, xs.mul(w)),
  ],
  "vmap of grad, each its own by itself": (w) => [vmap((u: Tensor) => grad((x: Tensor) => loss(u, x))(u))(xs.mul(w))],
  "vmap of vmap of grad": (w) => [
    vmap((u: Tensor) => vmap((x: Tensor) => grad((x: Tensor) => loss(u.mul(w), x))(x))(xs))(stack([w, v])),
  ],
  "vmap of jvp": (w) => [vmap((x: Tensor) => jvp((x: Tensor) => vector(w, x), [x], [v])[1])(xs)],
  "vmap of jacrev": (w) => [vmap(jacrev((x: Tensor) => vector(w, x)))(xs)],
  "vmap of hessian": (w) => [vmap(hessian((x: Tensor) => loss(w, x)))(xs)],
  "grad of vmap": (w) => [grad((x: Tensor) => vmap((y: Tensor) => w.mul(y).mul(x).sin().sum())(xs).sum())(x)],
  "grad of vmap of grad": (w) => [
    grad((x: Tensor) =>
      vmap(grad((y: Tensor) => loss(w.mul(x), y)))(xs)
        .sin()
        .sum(),
    )(x),
  ],
  "grad of grad": (w) => [
    grad((x: Tensor) =>
      grad((x: Tensor) => loss(w, x))(x)
        .sin()
        .sum(),
    )(x),
  ],
  "grad of grad, w inside": (w) => [
    grad((x: Tensor) =>
      grad((y: Tensor) => loss(w, y.mul(x)))(v)
        .sin()
        .sum(),
    )(x),
  ],
  "grad of grad, w outside": (w) => [
    grad((x: Tensor) =>
      grad((y: Tensor) => y.mul(x).sin().sum())(x)
        .mul(w)
        .sum(),
    )(x),
  ],
  "grad of grad, which is constant": (w) => [
    grad((x: Tensor) =>
      grad((y: Tensor) => loss(w, y))(v)
        .mul(x)
        .sum(),
    )(x),
  ],
  "grad of grad of grad": (w) => [
    grad((x: Tensor) =>
      grad((x: Tensor) =>
        grad((x: Tensor) => loss(w, x))(x)
          .sin()
          .sum(),
      )(x)
        .cos()
        .sum(),
    )(x),
  ],
  "grad of jvp": (w) => [grad((x: Tensor) => jvp((x: Tensor) => loss(w, x), [x], [v])[1])(x)],
  "jvp of grad": (w) => jvp(grad((x: Tensor) => loss(w, x)) as F, [x], [v]),
  "jvp of jvp": (w) => jvp((x: Tensor) => jvp((x: Tensor) => vector(w, x), [x], [v])[1], [x], [w]),
  "jacfwd of jacrev": (w) => [jacfwd(jacrev((x: Tensor) => vector(w, x)) as F)(x)],
  "jacrev of jacfwd": (w) => [jacrev(jacfwd((x: Tensor) => vector(w, x)) as F)(x)],
  "hessian of a sum of grad": (w) => [hessian((x: Tensor) => grad((x: Tensor) => loss(w, x))(x).sum())(x)],
  "hessian of hvp": (w) => [hessian((x: Tensor) => products((x) => loss(w, x), x, v)[1]!.sum())(x)],
  "vjp in vmap": (w) => [vmap((c: Tensor) => vjp((x: Tensor) => vector(w, x), x)[1](c)[0])(xs)],
  "noGrad inside grad": (w) => [
    grad((x: Tensor) =>
      noGrad(() => grad((x: Tensor) => loss(w, x))(x))
        .mul(x)
        .mul(w)
        .sum(),
    )(x),
  ],
  aux: (w) => grad((x: Tensor) => [loss(w, x), x.mul(w)] as const, { hasAux: true })(x),
  "aux alone": (w) => grad((x: Tensor) => [x.sin().exp().sum(), x.sin().exp().mul(w)] as const, { hasAux: true })(x),
};

/** The names of all ops that a result was recorded to depend on. */
const opsOf = (y: Tensor): string[] =>
  [
    ...graph(y)
      .toDot()
      .matchAll(/label="(\w+)/g),
  ].map(([, op]) => op!);

const weighted = (outputs: readonly Tensor[]): Tensor =>
  outputs
    .map((o, k) =>
      double(Array.from({ length: o.numel }, (_, i) => Math.cos(i + k)))
        .mul(o.flatten())
        .sum(),
    )
    .reduce((a, b) => a.add(b));
const leaf = (): Tensor => double([0.4, 1.1], true);

/** The same function in ways that must not change its derivatives. */
const around: Record<string, (f: (w: Tensor) => Tensor[]) => (w: Tensor) => Tensor[]> = {
  plainly: (f) => f,
  "in detectAnomaly": (f) => (w) => detectAnomaly(() => f(w) as Tensor[] & { then?: never }),
};

it("the goldens are of the same cases", () => {
  expect(Object.keys(golden.cases)).toEqual(Object.keys(cases));
});

describe.each(Object.entries(cases))("%s", (name, f) => {
  it.each(Object.entries(around))("%s", (_, way) => {
    const w = leaf();
    const outputs = way(f)(w);
    const wanted = golden.cases[name]!;
    outputs.forEach((o, k) => {
      close(o.flatten(), double(wanted.outputs[k]!));
    });
    expect(w.grad).toBe(null);
    weighted(outputs).backward();
    close(w.grad!, double(wanted.byW));
  });

  it("inside noGrad and inference: the same bits, and no graph", () => {
    const w = leaf();
    const outputs = f(w);
    for (const bare of [noGrad(() => f(w)), inference(new nn.ReLU(), () => f(w))])
      bare.forEach((o, k) => {
        if (name !== "noGrad inside grad") expect(o.toArray()).toEqual(outputs[k]!.toArray());
        expect(o.requiresGrad).toBe(false);
      });
    expect(w.grad).toBe(null);
  });
});

describe("networks of fused kernels", () => {
  const sizes = {
    gain: [4],
    shift: [4],
    qkv: [4, 12],
    out: [4, 4],
    scale: [4],
    up: [4, 8],
    down: [8, 4],
    weight: [4],
    bias: [4],
  };
  const numbers = (shape: readonly number[], k: number): Tensor =>
    arange(
      shape.reduce((a, b) => a * b, 1),
      { dtype: "float64" },
    )
      .mul(1.7)
      .add(k)
      .sin()
      .reshape(shape)
      .mul(0.8);
  const network = (x: Tensor, p: Record<keyof typeof sizes, Tensor>): Tensor => {
    const y = layerNorm(x, 4, { weight: p.gain, bias: p.shift });
    const [q, k, values] = y.matmul(p.qkv).chunk(3, -1) as [Tensor, Tensor, Tensor];
    const seen = x.add(scaledDotProductAttention(q, k, values, { isCausal: true }).matmul(p.out));
    const z = rmsNorm(seen, 4, { weight: p.scale, eps: 1e-5 });
    const block = seen.add(z.matmul(p.up).gelu().matmul(p.down));
    const channels = batchNorm(block.transpose(1, 2), null, null, { training: true, weight: p.weight, bias: p.bias });
    return nn.functional.crossEntropy(
      channels,
      tensor(
        [
          [0, 3, 1],
          [2, 2, 0],
        ],
        { dtype: "int32" },
      ),
    );
  };
  const direction = numbers([2, 3, 4], 12);
  const transforms: Record<string, (f: F, x: Tensor) => Tensor[]> = {
    grad: (f, x) => [grad(f)(x)],
    valueAndGrad: (f, x) => valueAndGrad(f)(x),
    hvp: (f, x) => products(f, x, direction),
    "grad of grad": (f, x) => [grad((x: Tensor) => grad(f)(x).sin().sum())(x)],
  };

  const names = Object.keys(sizes) as (keyof typeof sizes)[];
  const parameters = (dtype: "float64" | "float32" = "float64") =>
    Object.fromEntries(
      names.map((name, k) => {
        const w = numbers(sizes[name], k).to(dtype).clone();
        w.requiresGrad = true;
        return [name, w];
      }),
    ) as Record<keyof typeof sizes, Tensor>;

  it("the first derivative runs the kernels that have no rule, with the bits of noGrad", () => {
    const p = parameters("float32");
    const x = numbers([2, 3, 4], 11).to("float32");
    const slope = valueAndGrad((x: Tensor) => network(x, p));
    const [value, gradient] = slope(x);
    const [bareValue, bareGradient] = noGrad(() => slope(x)) as [Tensor, Tensor];
    expect(value.item()).toBe(bareValue.item());
    expect(gradient.toArray()).toEqual(bareGradient.toArray());
    const ops = opsOf(gradient);
    for (const op of ["layerNorm", "rmsNorm", "batchNorm", "scaledDotProductAttention"])
      expect(ops).toContain(`${op}Backward`);
    expect(ops).not.toContain("standardizeBackward");
    expect(ops).not.toContain("softmaxBackward");
    // What is recorded takes the same kernels; only nothing is written in place: a sum, a slice of one, a saved value.
    const counted = (f: () => unknown): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const call of atTheDoor(f).kernels) {
        const kernel = call.split("/", 1)[0]!.replace("crossEntropyFinish", "crossEntropyBackward");
        if (kernel !== "identity" && kernel !== "embed") counts[kernel] = (counts[kernel] ?? 0) + 1;
      }
      return counts;
    };
    expect(counted(() => slope(x))).toEqual(counted(() => noGrad(() => slope(x))));
    // Nor where somebody watches.
    const watched = detectAnomaly(() => grad((x: Tensor) => network(x, p))(x) as Tensor & { then?: never });
    expect(opsOf(watched)).toEqual(ops);
    expect(watched.toArray()).toEqual(gradient.toArray());
  });

  it.each(Object.entries(transforms))("%s", (name, transform) => {
    const p = parameters();
    const outputs = transform((x) => network(x, p), numbers([2, 3, 4], 11));
    const wanted = golden.networks[name]!;
    outputs.forEach((o, k) => {
      close(o.flatten(), double(wanted.outputs[k]!), 1e-10);
    });
    weighted(outputs).backward();
    for (const name of names) close(p[name].grad!.flatten(), double(wanted.by[name]!), 1e-10);
  });
});

describe("what a transform closes over", () => {
  it("gets its gradient through the transform's result and beside it", () => {
    const w = scalar(2, { requiresGrad: true });
    grad((x: Tensor) => w.mul(x).square())(scalar(3))
      .add(w)
      .backward();
    expect(w.grad!.item()).toBe(25);
  });

  it("through checkpoint and a function of the user's own", () => {
    const cube = customFunction({
      name: "cube",
      forward: (x: Tensor) => [x.pow(3), x],
      backward: (x: Tensor, g: Tensor) => [g.mul(x.square()).mul(3)],
    });
    for (const f of [
      (w: Tensor, x: Tensor) => checkpoint((x: Tensor) => w.mul(x).pow(3).sum(), x),
      (w: Tensor, x: Tensor) => cube(w.mul(x)).sum(),
    ]) {
      const w = leaf();
      // The derivative of the sum of 3 w^3 x^2 by w.
      grad((x: Tensor) => f(w, x))(x)
        .sum()
        .backward();
      close(w.grad!, w.detach().square().mul(x.square()).mul(9));
    }
  });

  it("gets no gradient where it does not count, and the transform's own variables none at all", () => {
    const w = leaf();
    expect(grad((x: Tensor) => w.detach().mul(x).sum())(x).requiresGrad).toBe(false);
    expect(
      grad((x: Tensor) =>
        noGrad(() => w.square())
          .mul(x)
          .sum(),
      )(x).requiresGrad,
    ).toBe(false);
    const seen: Tensor[] = [];
    const slope = grad((x: Tensor) => {
      seen.push(x);
      return x.exp().mul(w).sum();
    })(x);
    slope.sum().backward();
    close(w.grad!, x.exp());
    expect(seen[0]!.grad).toBe(null);
  });

  it("an aux that depends on the variables alone is not part of a graph", () => {
    const [slope, aux] = grad((x: Tensor) => [x.square().sum(), { double: x.mul(2), x }] as const, { hasAux: true })(x);
    expect([slope, aux.double, aux.x].map((t) => t.requiresGrad)).toEqual([false, false, false]);
    close(aux.double, [1.4, -2.4]);
  });

  it("the same tensor as two arguments is two variables", () => {
    const both = grad((a: Tensor, b: Tensor) => a.square().mul(b).sum(), { argnums: [0, 1] })(x, x);
    close(both[0], x.square().mul(2));
    close(both[1], x.square());
  });

  it("a pullback is differentiable by its cotangent, and leaves no graph inside noGrad", () => {
    const c = double([1, 2], true);
    const [, pull] = vjp((x: Tensor) => x.sin(), x);
    pull(c)[0].square().sum().backward();
    close(c.grad!, x.cos().square().mul(c.detach()).mul(2));
    expect(noGrad(() => pull(c)[0]).requiresGrad).toBe(false);
  });
});

it("a loop that drops gradients beside trainable weights does not grow", () => {
  const weights = Array.from({ length: 4 }, () => randn([64, 64], { requiresGrad: true }));
  const f = (x: Tensor) =>
    weights
      .reduce((y, w) => y.matmul(w).tanh(), x)
      .square()
      .mean();
  const x = randn([2048, 64]);
  let most = 0;
  // 600 steps that each make graphs of 4 MB and more.
  for (let i = 0; i < 600; i++) {
    expect(grad(f)(x).requiresGrad).toBe(true);
    most = Math.max(most, memory().liveBytes);
  }
  expect(most).toBeLessThan(400e6);
}, 60_000);
