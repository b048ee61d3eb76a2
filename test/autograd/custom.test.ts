import { customFunction, grad, gradcheck, graph, hvp, jvp, ones, scalar, type Tensor, tensor, vjp, vmap } from "nabla";
import { describe, expect, it } from "vitest";
import { close, code, double, thrown } from "./code.js";

/** x^3 y, saving an argument and something that only forward knows. */
const cubic = customFunction({
  name: "cubic",
  forward: (x: Tensor, y: Tensor) => {
    const square = x.square();
    return [square.mul(x).mul(y), { square, x, y }];
  },
  backward: ({ square, x, y }, g) => [g.mul(square).mul(3).mul(y), g.mul(square).mul(x)],
});
/** e^x, saving its result. */
const exponential = customFunction({
  name: "exponential",
  forward: (x: Tensor) => {
    const y = x.exp();
    return [y, [y]];
  },
  backward: ([y], g) => [g.mul(y!)],
  jvp: ([y], [t]) => t!.mul(y!),
});

describe("customFunction", () => {
  const [x, y] = [double([0.5, -2]), double([3, 4])];

  it("has the derivative that backward gives, also where it is not that of forward", () => {
    const through = customFunction({
      name: "through",
      forward: (x: Tensor) => [x.round(), null],
      backward: (_, g) => [g.mul(7)],
    });
    const leaf = double([1.7, 2.2], true);
    const out = through(leaf);
    expect(out.toArray()).toEqual([2, 2]);
    out.sum().backward();
    expect(leaf.grad!.toArray()).toEqual([7, 7]);
    expect(jvp(through, [double([1.7])], [double([2])])[1].toArray()).toEqual([14]);
  });

  it("is right in reverse and forward mode, to second order", () => {
    expect(gradcheck(cubic, [x, y], { order: 2 })).toBe(true);
    expect(gradcheck(exponential, x, { order: 2 })).toBe(true);
    expect(gradcheck((x) => exponential(cubic(x.sin(), x)), x, { order: 2 })).toBe(true);
  });

  it("nests to any order", () => {
    const third = grad(grad(grad((x: Tensor) => cubic(x, scalar(2, { dtype: "float64" })))));
    close(third(double(5)), 12);
    close(grad(grad(grad(exponential)))(double(1)), Math.E);
    close(hvp((x: Tensor) => exponential(x).sum(), [x], [double([1, 2])])[1][0], x.exp().mul(double([1, 2])));
  });

  it("composes with vmap in either order", () => {
    const rows = double([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const slope = (x: Tensor) => x.square().mul(3).mul(y);
    close(vmap(grad((x: Tensor) => cubic(x, y).sum()))(rows), slope(rows));
    close(grad((r: Tensor) => vmap((x: Tensor) => cubic(x, y))(r).sum())(rows), slope(rows));
    // An unbatched argument gets the sum of all gradients.
    close(grad((y: Tensor) => vmap((x: Tensor) => cubic(x, y))(rows).sum())(y), rows.pow(3).sum(0));
    close(grad((r: Tensor) => vmap(grad((x: Tensor) => cubic(x, y).sum()))(r).sum())(rows), rows.mul(6).mul(y));
    const along = jvp((r: Tensor) => vmap(exponential)(r), [rows], [rows]);
    close(along[1], rows.exp().mul(rows));
    close(vmap((x: Tensor) => jvp(exponential, [x], [x])[1])(rows), rows.exp().mul(rows));
    // A result that does not depend on the example.
    const constant = customFunction({
      name: "constant",
      forward: (_: Tensor) => [double(1), null],
      backward: (_, g) => [g.mul(2)],
    });
    close(grad((v: Tensor) => vmap(constant)(v).sum())(double([1, 2])), [2, 2]);
  });

  it("takes anything beside tensors, and is drawn under its name", () => {
    const scale = customFunction({
      name: "scale",
      forward: (x: Tensor, { by }: { by: number }) => [x.mul(by), by],
      backward: (by, g) => [g.mul(by), null],
    });
    const leaf = double([1], true);
    const out = scale(leaf, { by: 3 });
    expect(graph(out).toDot()).toContain("scale");
    expect(graph(out, { gradients: true }).nodes[0]!.gradient).toBe("[3]");
    out.backward();
    expect(leaf.grad!.item()).toBe(3);
    expect(code(() => scale(leaf, { by: leaf } as never))).toBe("ERR_ARGUMENT");
  });

  it("records nothing where nothing requires grad, and gives back what it saved", () => {
    expect(cubic(x, y).requiresGrad).toBe(false);
    const out = cubic(double([1], true), double([1]));
    out.backward();
    expect(code(() => out.backward())).toBe("ERR_GRADIENT");
    const changed = double([1], true);
    const later = cubic(changed, double([1]));
    changed.detach().assign(2);
    expect(code(() => later.backward())).toBe("ERR_GRADIENT");
  });

  it("keeps more tensors than native code pins at once", () => {
    const many = customFunction({
      name: "many",
      forward: (x: Tensor) => [x.mul(45), Array.from({ length: 10 }, (_, i) => x.mul(0).add(i))],
      backward: (saved, g) => [saved.reduce((sum, s) => sum.add(s.mul(g)), g.mul(0))],
    });
    expect(grad((x: Tensor) => many(x).sum())(double([1, 2])).toArray()).toEqual([45, 45]);
  });

  it("names what is wrong", () => {
    const make = (backward: () => unknown) =>
      customFunction({ name: "odd", forward: (x: Tensor) => [x.mul(2), 0], backward: backward as never });
    const pull = (backward: () => unknown) => () => vjp(make(backward), ones([2]))[1](ones([2]));
    expect(thrown(pull(() => [])).message).toMatch(
      /^odd: backward must return .* for each argument; expected an array of 1/,
    );
    expect(thrown(pull(() => [ones([3])])).message).toMatch(
      /^odd: the gradient of argument 0 .* expected \[2\], got \[3\]/,
    );
    expect(code(pull(() => [3]))).toBe("ERR_ARGUMENT");
    expect(code(pull(() => Promise.resolve([ones([2])])))).toBe("ERR_ARGUMENT");
    expect(
      code(() =>
        jvp(
          make(() => [ones([2])]),
          [ones([2])],
          [ones([2])],
        ),
      ),
    ).toBe("ERR_GRADIENT");
    const result = (out: unknown) => customFunction({ name: "odd", forward: (() => out) as never, backward: () => [] });
    for (const out of [tensor([1]), [3, null], [], Promise.resolve()])
      expect(code(() => result(out)())).toBe("ERR_ARGUMENT");
    for (const spec of [null, {}, { name: "a" }, { name: "a", forward: () => 0, backward: 3 }])
      expect(code(() => customFunction(spec as never))).toBe("ERR_ARGUMENT");
  });
});
