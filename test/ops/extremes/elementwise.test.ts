/** Functions of each element, and their derivatives, near the largest and the smallest numbers. */
import * as nb from "nabla";
import { describe, expect, test } from "vitest";
import { near, type Op, values } from "./near.js";

const { tensor } = nb;

describe.each([
  ["float32", 3e38],
  ["float64", 1.6e308],
] as const)("elementwise near the largest %s", (dtype, given) => {
  const of = (...row: number[]): nb.Tensor => tensor(row, { dtype });
  const m = of(given).item();

  test("lerp", () => {
    const [a, b] = [of(-m, m, -m, m), of(m, -m, m, m)];
    near(a.lerp(b, of(0.5, 0.25, 0.75, 0.3)), [0, m / 2, m / 2, m], "lerp");
    expect(values(a.lerp(b, 0))).toEqual(values(a));
    expect(values(a.lerp(b, 1))).toEqual(values(b));
    near(nb.grad((w: nb.Tensor) => a.lerp(b, w).mul(0.25).sum())(of(0.25)), [m / 2], "by the weight");
    near(of(-m, m).quantile(0.5), [0], "quantile");
  });

  test("normalize and cosineSimilarity where the norm does not fit", () => {
    const { normalize, cosineSimilarity } = nb.nn.functional;
    const x = of(m, -m, m, m);
    near(normalize(x, 0), [0.5, -0.5, 0.5, 0.5], "normalize");
    near(
      normalize(x.reshape([2, 2]), 1, { eps: m }).flatten(),
      [1, -1, 1, 1].map((v) => v * Math.SQRT1_2),
      "eps",
    );
    near(cosineSimilarity(x, x.flip(0), 0), [0], "cosineSimilarity");
    near(cosineSimilarity(x, of(1, 1, 1, 1), 0), [0.5], "cosineSimilarity");
    if (dtype === "float32") near(normalize(x.to("bfloat16"), 0), [0.5, -0.5, 0.5, 0.5], "bfloat16");
  });

  test("softplus with a beta", () => {
    const f = (x: nb.Tensor): nb.Tensor => x.softplus({ beta: 10 });
    expect(values(f(of(m, -m)))).toEqual([m, 0]);
    expect(values(nb.grad((x: nb.Tensor) => f(x).sum())(of(m, -m, 0)))).toEqual([1, 0, 0.5]);
  });

  test("gradients of inverse functions", () => {
    const large = 2 ** Math.round(Math.log2(m) * 0.9);
    const slope = (f: Op, ...x: number[]): nb.Tensor => nb.grad((v: nb.Tensor) => f(v).sum())(of(...x));
    near(
      slope((x) => x.asinh(), large, -large),
      [1 / large, 1 / large],
      "asinh",
    );
    near(
      slope((x) => x.acosh(), large),
      [1 / large],
      "acosh",
    );
    near(
      slope((x) => x.atan2(large), large, 0),
      [0.5 / large, 1 / large],
      "atan2 by y",
    );
    near(
      slope((x) => nb.tensor(-1 / large, { dtype }).atan2(x), 1 / large),
      [large / 2],
      "atan2 by x",
    );
    near(
      slope((x) => of(m).remainder(x), -m * 0.75),
      [2],
      "remainder",
    );
  });

  test("singular values", () => {
    const size = 2 ** Math.round(Math.log2(m) * 0.8);
    const a = of(3, 1, -2, 2, 0.5, 1).reshape([3, 2]);
    const f = (x: nb.Tensor): nb.Tensor => {
      const { u, s, vh } = x.svd();
      return s.sum().add(u.at(0, 0).add(vh.at(0, 1)).mul(s.at(0).detach()));
    };
    near(nb.grad(f)(a.mul(size)).flatten(), values(nb.grad(f)(a)), "gradient", 256);
  });

  test("gradients clipped across parameters", () => {
    for (const [size, maxNorm] of [
      [m, 1],
      [m / 4, 2],
    ] as const) {
      const parameters = [of(1, 1), of(1, 1)];
      for (const p of parameters) {
        p.requiresGrad = true;
        p.mul(of(size, -size)).sum().backward();
      }
      const norm = nb.optim.clipGradNorm(parameters, maxNorm).item();
      if (size === m) expect(norm).toBe(Infinity);
      else expect(norm / size / 2).toBeCloseTo(1, 6);
      for (const p of parameters) near(p.grad!, [maxNorm / 2, -maxNorm / 2], "clipped");
    }
    const small = of(1);
    small.requiresGrad = true;
    small.mul(1 / m).backward();
    expect(nb.optim.clipGradNorm(small, 1).item() * m).toBeCloseTo(1, 6);
  });
});
