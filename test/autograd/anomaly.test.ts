import { checkpoint, detectAnomaly, grad, jvp, scalar, type Tensor, tensor, vmap } from "nabla";
import { describe, expect, it } from "vitest";
import { code, thrown } from "./code.js";

describe("detectAnomaly", () => {
  it("names the op that first makes a NaN or an infinity, with its inputs, at the user's line", () => {
    const error = thrown(() => detectAnomaly(() => tensor([-1, 4]).sqrt().add(1)));
    expect(error.message).toBe(
      "sqrt: the first NaN is in this result; expected finite numbers, got inputs float32[2] [-1, 4]",
    );
    expect(error.stack!.split("\n")[1]).toContain("anomaly.test.ts");
    expect(thrown(() => detectAnomaly(() => tensor([1, 2]).div(0))).op).toBe("div");
  });

  it("names the op whose gradient is not finite, with the stack of the forward call", () => {
    const leaf = tensor([0, 4], { requiresGrad: true });
    const here = (x: Tensor) => x.sqrt();
    const error = thrown(() => detectAnomaly(() => here(leaf.mul(2)).sum().backward()));
    expect(error.message).toMatch(/^sqrt: the first infinity is in the gradient by input 0/);
    expect(error.details.forward).toContain("here");
    expect(error.details.forward).toContain("anomaly.test.ts");
    const outside = here(leaf);
    expect(thrown(() => detectAnomaly(() => outside.sum().backward())).details.forward).toBe(null);
    for (const f of [grad(here), (x: Tensor) => jvp(here, [x], [x]), (x: Tensor) => vmap(grad(here))(x.reshape([1]))])
      expect(code(() => detectAnomaly(() => f(scalar(0))))).toBe("ERR_GRADIENT");
    expect(code(() => detectAnomaly(() => grad((x: Tensor) => checkpoint(here, x))(0)))).toBe("ERR_GRADIENT");
  });

  it("leaves alone what is infinite by intent, and what it did not cause", () => {
    const masked = detectAnomaly(() =>
      tensor([true, false])
        .where(tensor([1, 2]), Number.NEGATIVE_INFINITY)
        .softmax(0),
    );
    expect(masked.toArray()).toEqual([1, 0]);
    expect(detectAnomaly(() => tensor([Number.NaN]).add(1)).item()).toBeNaN();
    expect(code(() => detectAnomaly(() => tensor([Number.POSITIVE_INFINITY]).sub(Number.POSITIVE_INFINITY)))).toBe(
      "ERR_GRADIENT",
    );
  });

  it("changes no result, ends with the function, and takes a synchronous one", () => {
    const f = (x: Tensor) => x.sin().square().sum();
    expect(detectAnomaly(() => grad(f)(tensor([1, 2]))).toArray()).toEqual(grad(f)(tensor([1, 2])).toArray());
    expect(detectAnomaly(() => detectAnomaly(() => 3))).toBe(3);
    expect(tensor([-1]).sqrt().item()).toBeNaN();
    expect(code(() => detectAnomaly((async () => 3) as never))).toBe("ERR_ARGUMENT");
    expect(code(() => detectAnomaly(3 as never))).toBe("ERR_ARGUMENT");
  });
});
