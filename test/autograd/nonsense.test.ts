/** Whatever the derivatives are given, what they throw is a NablaError. */
import {
  checkpoint,
  customFunction,
  detectAnomaly,
  grad,
  gradcheck,
  hessian,
  hvp,
  inference,
  jacfwd,
  jacobian,
  jacrev,
  jvp,
  nn,
  noGrad,
  ones,
  scope,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
} from "nabla";
import { describe, expect, it } from "vitest";
import { code } from "./code.js";

const itself: unknown[] = [];
itself.push(itself);
const deep = Array.from({ length: 100_000 }).reduce<unknown>((tree) => [tree], 1);
const values: unknown[] = [
  undefined,
  null,
  3,
  Number.NaN,
  5n,
  "text",
  Symbol("s"),
  true,
  [],
  {},
  new Map(),
  itself,
  deep,
];
const x = tensor([1, 2]);
const square = (x: Tensor): Tensor => x.square().sum();

describe("in place of a function", () => {
  const takers: Record<string, (f: never) => unknown> = {
    grad: (f) => grad(f as Tensor, x),
    "grad, called": (f) => (grad(f) as (x: Tensor) => unknown)(x),
    valueAndGrad: (f) => valueAndGrad(f),
    vjp: (f) => vjp(f, x),
    jvp: (f) => jvp(f, [x], [x]),
    hvp: (f) => hvp(f, [x], [x]),
    jacrev: (f) => jacrev(f),
    jacfwd: (f) => jacfwd(f),
    jacobian: (f) => jacobian(f),
    hessian: (f) => hessian(f),
    vmap: (f) => vmap(f),
    checkpoint: (f) => checkpoint(f, x),
    gradcheck: (f) => gradcheck(f, x),
    customFunction: (f) => customFunction(f),
    noGrad: (f) => noGrad(f),
    scope: (f) => scope(f),
    inference: (f) => inference(new nn.ReLU(), f),
    detectAnomaly: (f) => detectAnomaly(f),
  };
  it.each(Object.entries(takers))("%s", (_, take) => {
    for (const value of values) expect(code(() => take(value as never))).toMatch(/^ERR_(ARGUMENT|GRADIENT)$/);
  });
});

describe("in place of a result", () => {
  const takers: Record<string, (f: never) => unknown> = {
    grad: (f) => grad(f)(x),
    "grad with an aux": (f) => grad(f, { hasAux: true } as never)(x),
    valueAndGrad: (f) => valueAndGrad(f)(x),
    vjp: (f) => vjp(f, x),
    jvp: (f) => jvp(f, [x], [x]),
    hvp: (f) => hvp(f, [x], [x]),
    jacrev: (f) => jacrev(f)(x),
    jacfwd: (f) => jacfwd(f)(x),
    jacobian: (f) => jacobian(f)(x),
    hessian: (f) => hessian(f)(x),
    vmap: (f) => vmap(f)(x),
    checkpoint: (f) => checkpoint(f, x),
    gradcheck: (f) => gradcheck(f, x.to("float64")),
    "forward of customFunction": (f) => customFunction({ name: "f", forward: f, backward: (_, g) => [g] })(x),
    "backward of customFunction": (f) =>
      grad((x: Tensor) => customFunction({ name: "f", forward: (x: Tensor) => [x.sum(), 1], backward: f })(x))(x),
    "jvp of customFunction": (f) =>
      jvp(
        customFunction({ name: "f", forward: (x: Tensor) => [x.sum(), 1], backward: (_, g) => [g], jvp: f }),
        [x],
        [x],
      ),
  };
  it.each(Object.entries(takers))("%s", (_, take) => {
    for (const value of values) expect(code(() => take((() => value) as never))).toMatch(/^ERR_/);
  });

  it("a hook", () => {
    for (const value of values.filter((value) => value !== undefined)) {
      const y = tensor([1], { requiresGrad: true }).mul(2);
      y.registerHook(() => value as never);
      expect(code(() => y.sum().backward())).toBe("ERR_ARGUMENT");
    }
    const y = tensor([1], { requiresGrad: true }).mul(2);
    const gone = ones([1]);
    gone.dispose();
    y.registerHook(() => gone);
    expect(code(() => y.sum().backward())).toBe("ERR_DISPOSED");
  });
});

describe("in place of arguments", () => {
  it("jvp and hvp without lists", () => {
    for (const value of [...values.filter((value) => !Array.isArray(value)), x]) {
      for (const transform of [jvp, hvp] as ((f: unknown, args: unknown, vectors: unknown) => unknown)[]) {
        expect(code(() => transform(square, value, [x]))).toBe("ERR_ARGUMENT");
        expect(code(() => transform(square, [x], value))).toBe("ERR_ARGUMENT");
      }
    }
    expect(code(() => jvp(square, [x], [] as never))).toBe("ERR_ARGUMENT");
    expect(code(() => jvp(square, [x], ["text"] as never))).toBe("ERR_ARGUMENT");
    expect(code(() => jvp(square, [x], [ones([3])]))).toBe("ERR_SHAPE");
  });

  it("trees that contain themselves, or are too deep", () => {
    const leaf = tensor([1], { requiresGrad: true });
    for (const tree of [itself, deep, [x, { itself }]])
      for (const call of [
        () => grad(square as never)(tree as never),
        () => grad(square as never, { argnums: [0, 1] })(x, tree as never),
        () => vjp(square as never, tree as never),
        () => jvp(square as never, [tree], [tree]),
        () => jacrev(square as never)(tree as never),
        () => vmap(square as never)(tree as never),
        () => vmap(square as never, { inDims: tree as never })(tree as never),
        () => checkpoint((() => leaf.sum()) as never, tree as never),
        () => grad(((x: Tensor) => [x.sum(), tree]) as never, { hasAux: true } as never)(x),
      ])
        expect(code(call)).toBe("ERR_ARGUMENT");
  });

  it("argnums and other options", () => {
    for (const argnums of [...values.filter((value) => value !== undefined), -1, 0.5, 1, [0, 1], [null], x]) {
      const options = { argnums } as never;
      for (const transform of [grad, valueAndGrad, jacrev, jacfwd, jacobian, hessian] as ((
        f: unknown,
        options: never,
      ) => (x: Tensor) => unknown)[])
        if (!(Array.isArray(argnums) && argnums.length === 0 && transform !== grad && transform !== valueAndGrad))
          expect(code(() => transform(square, options)(x))).toBe("ERR_ARGUMENT");
    }
    for (const options of [3, "text", { argnum: 0 }, null])
      expect(code(() => grad(square, options as never))).toBe("ERR_ARGUMENT");
  });

  it("grad of results", () => {
    const leaf = tensor([1, 2], { requiresGrad: true });
    const y = leaf.square().sum();
    for (const value of values.filter((value) => !(Array.isArray(value) && value.length === 0)))
      expect(code(() => grad(y, value as never))).toBe("ERR_ARGUMENT");
    for (const value of [3, null, "text", [y, y], [3]])
      expect(code(() => grad(y, leaf, { gradOutputs: value as never }))).toBe("ERR_ARGUMENT");
    expect(code(() => grad(y, x))).toBe("ERR_GRADIENT");
  });

  it("a cotangent", () => {
    const [, pull] = vjp(square, x);
    for (const value of values) expect(code(() => pull(value as never))).toBe("ERR_ARGUMENT");
    expect(code(() => pull(ones([2])))).toBe("ERR_SHAPE");
  });
});
