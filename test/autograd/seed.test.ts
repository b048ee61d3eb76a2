/** The gradient that a backward starts from is shared by all of them. */
import { customFunction, grad, scalar, type Tensor, tensor, valueAndGrad, vjp } from "nabla";
import { describe, expect, it } from "vitest";
import { answer } from "../support/child.js";

const places = {
  grad: ["scope", "scope in scope", "vmap", "detectAnomaly", "noGrad", "inference"],
  backward: ["scope", "scope in scope", "vmap", "detectAnomaly"],
};

describe.each(Object.entries(places))("the first %s of a process", (kind, all) => {
  it.each(all)("may run in %s", async (where) => {
    const script = new URL("./scripts/first.mjs", import.meta.url);
    const twice = await answer<unknown[]>(script, { args: [where, kind] });
    const each = [[2, 4], kind === "backward" ? [2, 4] : null];
    expect(twice).toEqual([Array(4).fill(each), Array(4).fill(each)]);
  });
});

const kept: Tensor[] = [];
const keep = (g: Tensor): undefined => void kept.push(g);
const through = customFunction({
  name: "through",
  forward: (x: Tensor) => [x.mul(1), null],
  backward: (_, g) => {
    keep(g);
    return [g];
  },
});

/** Ways in which the gradient of the result reaches the user. */
const ways: Record<string, () => Tensor> = {
  "grad of x": () => grad((x: Tensor) => x)(3),
  "grad of x + 1": () => grad((x: Tensor) => x.add(1))(3),
  "grad of a sum": () => grad((x: Tensor) => x.sum())(tensor([3])),
  valueAndGrad: () => valueAndGrad((x: Tensor) => x)(3)[1],
  "grad of a result": () => {
    const x = scalar(3, { requiresGrad: true });
    return grad(x.add(1), x)[0]!;
  },
  "grad of a result by itself": () => {
    const y = scalar(3, { requiresGrad: true }).add(1);
    return grad(y, y)[0]!;
  },
  "vjp in grad": () => grad((x: Tensor) => vjp((y: Tensor) => y.add(x), scalar(1))[0])(2),
  "a leaf with a graph": () => {
    const x = scalar(3, { requiresGrad: true });
    x.add(1).backward({ createGraph: true });
    return x.grad!;
  },
  "a leaf": () => {
    const x = scalar(3, { requiresGrad: true });
    x.add(1).backward();
    return x.grad!;
  },
  retainGrad: () => {
    const y = scalar(3, { requiresGrad: true }).add(1);
    y.retainGrad();
    y.backward();
    return y.grad!;
  },
  "a hook": () => {
    const y = scalar(3, { requiresGrad: true }).add(1);
    y.registerHook(keep);
    y.add(1).backward();
    return kept.pop()!;
  },
  "a function of the user's own": () => {
    through(scalar(3, { requiresGrad: true })).backward();
    return kept.pop()!;
  },
};

const slope = (): number => {
  const x = scalar(3, { requiresGrad: true });
  x.square().backward();
  expect(grad((x: Tensor) => x.square())(3).item()).toBe(6);
  return x.grad!.item();
};

describe.each(Object.entries(ways))("a gradient of 1, by %s", (_, way) => {
  it("may be written to and disposed of, and stays as it is", () => {
    const first = way();
    expect(first.sum().item()).toBe(1);
    first.assign(5);
    expect(slope()).toBe(6);
    expect(first.sum().item()).toBe(5);
    first.dispose();
    expect(slope()).toBe(6);
    way().dispose();
    expect(slope()).toBe(6);
  });
});
