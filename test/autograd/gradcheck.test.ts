import { cat, dropout, gradcheck, NablaError, noGrad, randn, type Tensor, tensor } from "nabla";
import { apply, defineRow, dtypes, general } from "nabla/internal";
import { describe, expect, it } from "vitest";

const { float64 } = dtypes;

const double = (data: number[] | number[][]) => tensor(data, { dtype: "float64" });

function caught(f: () => unknown): NablaError {
  try {
    f();
  } catch (error) {
    if (error instanceof NablaError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("gradcheck accepts", () => {
  const x = double([
    [0.5, -1.25],
    [2, 0.75],
  ]);
  const y = double([
    [1.5, 0.5],
    [-0.25, 3],
  ]);
  it.each([
    ["an elementwise function", (a: Tensor) => a.sin().mul(a.exp()), [x]],
    ["two inputs", (a: Tensor, b: Tensor) => a.matmul(b).tanh(), [x, y]],
    ["broadcasting", (a: Tensor, b: Tensor) => a.mul(b.sum(0)), [x, y]],
    ["a scalar result", (a: Tensor) => a.square().sum(), [x]],
    ["views and joins", (a: Tensor, b: Tensor) => cat([a.t(), b.at(0).unsqueeze(0)]).square(), [x, y]],
    ["an input that does not count", (a: Tensor, _b: Tensor) => a.sigmoid(), [x, y]],
    ["a constant", (a: Tensor) => a.detach().mul(0), [x]],
    ["a large input", (a: Tensor) => a.mul(1e6).square(), [x]],
  ] as const)("%s, of first and second order", (_, f, inputs) => {
    expect(gradcheck(f as (...inputs: Tensor[]) => Tensor, inputs)).toBe(true);
    expect(gradcheck(f as (...inputs: Tensor[]) => Tensor, inputs, { order: 2, seed: 3 })).toBe(true);
  });

  it("one tensor in place of a list, inputs that require grad, and a call inside noGrad", () => {
    const z = randn([3], { dtype: "float64", requiresGrad: true });
    expect(noGrad(() => gradcheck((a) => a.tanh(), z))).toBe(true);
    expect(z.grad).toBeNull();
  });
});

describe("gradcheck catches", () => {
  it("a factor that no gradient sees, naming input, elements and both numbers", () => {
    const f = (a: Tensor, b: Tensor) => a.mul(b.detach());
    const error = caught(() => gradcheck(f, [double([1, 2]), double([3, 4])]));
    expect(error).toMatchObject({
      code: "ERR_GRADIENT",
      op: "gradcheck",
      details: { input: 1, element: 0, output: 0, mode: "reverse", derivative: 0 },
    });
    expect(error.details.numeric).toBeCloseTo(1, 6);
    expect(error.message).toMatch(
      /^gradcheck: in reverse mode the derivative of element \[0\] of the result by element \[0\] of input 1 is wrong; expected (1|0\.99999\d*|1\.00000\d*) \(central difference\), got 0$/,
    );
  });

  it("the index of an element in a matrix", () => {
    const only = double([
      [0, 0],
      [1, 0],
    ]);
    const f = (a: Tensor) => a.add(a.detach().mul(only)).square();
    expect(
      caught(() =>
        gradcheck(
          f,
          double([
            [1, 2],
            [3, 4],
          ]),
        ),
      ).message,
    ).toContain("element [1, 0] of the result by element [1, 0] of input 0");
  });

  // The rule says 3 x^2 where it is 2 x; the tangent is right or wrong on its own.
  const wrongSquare = (name: string, right: "vjp" | "jvp") => {
    const times = (t: Tensor, x: Tensor, correct: boolean) => (correct ? t.mul(x).mul(2) : t.mul(x.square()).mul(3));
    const row = defineRow<undefined>({
      name,
      family: "unary",
      kernel: "square",
      inputs: 1,
      accuracy: "exact",
      rule: general(["x"], {
        vjp: (g, [x]) => [times(g, x, right === "vjp")],
        jvp: ([t], [x]) => times(t!, x, right === "jvp"),
      }),
      replay: ([x]) => square(x as Tensor),
    });
    const square = (x: Tensor): Tensor => apply(row, [x], float64, float64, x.shape, float64.attrs, undefined);
    return square;
  };

  it("a row whose rule is wrong, in either mode", () => {
    const backward = wrongSquare("wrongBackward", "jvp");
    const forward = wrongSquare("wrongForward", "vjp");
    const x = double([2]);
    expect(backward(x).item()).toBe(4);
    const first = caught(() => gradcheck(backward, x));
    expect(first.details).toMatchObject({ mode: "reverse", derivative: 12 });
    expect(first.details.numeric).toBeCloseTo(4, 6);
    expect(caught(() => gradcheck(forward, x)).details).toMatchObject({ mode: "forward", derivative: 12 });
    expect(gradcheck(forward, x, { raise: false })).toBe(false);
  });

  it("a second derivative that is wrong where the first is right", () => {
    // The tangent of x^2 at each place: value and slope are those of x^2, the slope's slope is 0 instead of 2.
    const tangent = (x: Tensor) => x.mul(2).sub(x.detach()).mul(x.detach());
    const x = double([1.5]);
    expect(gradcheck(tangent, x)).toBe(true);
    expect(gradcheck(tangent, x, { order: 2, raise: false })).toBe(false);
    expect(caught(() => gradcheck(tangent, x, { order: 2 })).message).toContain(
      "of input 0, of second order, is wrong",
    );
  });

  it("a kink, and an infinite difference", () => {
    expect(gradcheck((x) => x.relu(), double([0]), { raise: false })).toBe(false);
    expect(gradcheck((x) => x.relu(), double([0.1, -0.1]))).toBe(true);
    expect(gradcheck((x) => x.gt(1).where(x.mul(0).add(Infinity), x), double([1]), { raise: false })).toBe(false);
  });

  it("a function that is random, also where two results may be equal by chance", () => {
    const f = (x: Tensor) => x.mul(randn([1], { dtype: "float64" }));
    expect(caught(() => gradcheck(f, double([1]))).message).toContain("the function is random");
    for (let i = 0; i < 20; i++)
      expect(caught(() => gradcheck((x) => dropout(x, 0.5), double([1]))).message).toContain("the function is random");
    expect(gradcheck((x) => dropout(x, 0.5).mul(0).add(x), double([1]))).toBe(true);
  });
});

describe("tolerances", () => {
  const f = (x: Tensor) => x.mul(1.001).sub(x.detach().mul(0.001));
  it("decide", () => {
    // f(x) = x with a derivative of 1.001 on the tape.
    expect(gradcheck(f, double([1]), { rtol: 1e-2 })).toBe(true);
    expect(gradcheck(f, double([1]), { rtol: 0, atol: 1e-2 })).toBe(true);
    expect(gradcheck(f, double([1]), { rtol: 1e-4, raise: false })).toBe(false);
    expect(gradcheck((x) => x.pow(3), double([1]), { eps: 0.1, raise: false })).toBe(false);
  });
});

it("bad input is refused", () => {
  const x = double([1]);
  const f = (a: Tensor) => a.sin();
  const code = (g: () => unknown) => caught(g).code;
  expect(caught(() => gradcheck(f, [x, tensor([1])]))).toMatchObject({
    code: "ERR_DTYPE",
    message: "gradcheck: input 1 has too few digits for differences; expected float64, got float32",
  });
  expect(code(() => gradcheck((a) => a.to("float32"), x))).toBe("ERR_DTYPE");
  expect(code(() => gradcheck(f, []))).toBe("ERR_ARGUMENT");
  expect(code(() => gradcheck(f, 3 as unknown as Tensor))).toBe("ERR_ARGUMENT");
  expect(code(() => gradcheck(3 as unknown as typeof f, x))).toBe("ERR_ARGUMENT");
  expect(code(() => gradcheck(() => 3 as unknown as Tensor, x))).toBe("ERR_ARGUMENT");
  for (const bad of [
    { eps: 0 },
    { eps: -1 },
    { eps: Number.NaN },
    { atol: -1 },
    { order: 3 as 2 },
    { seed: 1.5 },
    { tol: 1 } as object,
  ])
    expect(code(() => gradcheck(f, x, bad))).toBe("ERR_ARGUMENT");
});
