import {
  conv2d,
  customFunction,
  det,
  formula,
  grad,
  inv,
  layerNorm,
  NablaError,
  ones,
  qr,
  rmsNorm,
  scalar,
  type Tensor,
  tensor,
  triangularSolve,
  zeros,
} from "nabla";
import { describe, expect, it } from "vitest";

const leaf = (value: number) => scalar(value, { requiresGrad: true, dtype: "float64" });
const x = leaf(0.75);

describe("formula", () => {
  it.each<[string, (x: Tensor) => Tensor]>([
    ["2*x*cos(x^2)", grad((x: Tensor) => x.square().sin())],
    ["2*cos(x^2) - 4*x^2*sin(x^2)", grad(grad((x: Tensor) => x.square().sin()))],
    ["3*x^2", grad((x: Tensor) => x.pow(3))],
    ["6", grad(grad(grad((x: Tensor) => x.pow(3))))],
    ["1/(2*sqrt(x))", grad((x: Tensor) => x.sqrt())],
    ["1/x^2 - log(x)/x^2", grad((x: Tensor) => x.log().div(x))],
    ["1 - tanh(x)^2", grad((x: Tensor) => x.tanh())],
    ["sigmoid(x)*(1 - sigmoid(x))", grad((x: Tensor) => x.sigmoid())],
    ["sigmoid(x)", grad((x: Tensor) => x.softplus())],
    ["exp(x) + x*exp(x)", grad((x: Tensor) => x.exp().mul(x))],
    ["(relu(x) > 0)", grad((x: Tensor) => x.relu())],
    ["1 - (x - 1)^2/(x + 2)", (x) => x.sub(1).square().div(x.add(2)).neg().add(1)],
    ["sqrt(x^2)", (x) => x.square().sqrt()],
    ["exp(-x^2)", (x) => x.square().neg().exp()],
    ["0.5*x + 2", (x) => x.mul(0.5).add(2)],
    ["x/3", (x) => x.div(3)],
    ["2*x + 2", (x) => x.add(1).mul(2)],
    ["x", (x) => x.mul(x).div(x)],
    ["0", (x) => x.sub(x)],
    ["-(2*x + 1)^2", (x) => x.mul(2).add(1).square().neg()],
    ["atan2(x, 2)", (x) => x.atan2(2)],
  ])("%s", (text, f) => {
    expect(formula(f(x))).toBe(text);
  });

  // The text is an expression: its value at x is that of the tensor.
  const math =
    "const { sin, cos, tan, exp, log, sqrt, tanh, atan } = Math; const sigmoid = (x) => 1 / (1 + exp(-x)), softplus = (x) => log(1 + exp(x));";
  const evaluate = (text: string): number => {
    const source = text.replaceAll(/(^|[(,] ?)-/g, "$10 - ").replaceAll("^", "**");
    return new Function("x", `${math} return ${source};`)(0.75) as number;
  };
  it.each<[string, (x: Tensor) => Tensor]>([
    ["a", (x) => x.sin().mul(x.cos()).div(x.square().add(1))],
    ["b", (x) => x.mul(2).sub(1).square().sqrt().add(x.exp())],
    ["c", (x) => x.tanh().sigmoid().mul(x.pow(2.5)).neg()],
    ["d", (x) => x.reciprocal().add(x.rsqrt()).pow(3)],
    ["e", (x) => x.sub(2).neg().log().mul(x.neg()).sub(x.add(1).pow(-2))],
    ["f", (x) => x.softplus().sub(1).div(x.mul(4)).square()],
  ])("keeps its value and that of its derivatives: %s", (_, f) => {
    for (const g of [f, grad(f), grad(grad(f))]) {
      const y = g(x);
      expect(evaluate(formula(y)), formula(y)).toBeCloseTo(y.item(), 10);
    }
  });

  const matrix = tensor(
    [
      [2, 1],
      [1, 3],
    ],
    { requiresGrad: true },
  );
  it.each<[string, (m: Tensor) => Tensor]>([
    ["sum(qr(x)[0:2]) + sum(qr(x)[2:4])", (m) => qr(m).q.sum().add(qr(m).r.sum())],
    ["cumsum(x, 0) + cumsum(x, 1)", (m) => m.cumsum(0).add(m.cumsum(1))],
    ["2*cumsum(x, 1)", (m) => m.cumsum(1).add(m.cumsum(-1))],
    ["amax(x, [0]) - amax(x, [1])", (m) => m.amax(0).sub(m.amax(1))],
    ["flip(cumsum(flip(2*cumsum(x, 0), 0), 0), 0)", grad((m: Tensor) => m.cumsum(0).square().sum())],
    ["x[:, 1:2]", (m) => m.narrow(1, 1, 1)],
    ["(x + 1)[0:1]", (m) => m.add(1).narrow(0, 0, 1)],
    ["embed(2*x[:, 1:2], :, 1:2)", grad((m: Tensor) => m.narrow(1, 1, 1).square().sum())],
    ["cofactors(x)", grad((m: Tensor) => det(m))],
    ["transpose(inv(x))*det(x)", (m) => inv(m).t().mul(det(m))],
    ["layerNorm(x, {eps: 1e-5})", (m) => layerNorm(m, 2)],
    ["rmsNorm(x, {eps: 0.1})", (m) => rmsNorm(m, 2, { eps: 0.1 })],
    [
      "conv2d(x, 1, {stride: [2, 1]})",
      (m) => conv2d(m.reshape([1, 1, 2, 2]), ones([1, 1, 1, 1]), null, { stride: [2, 1] }),
    ],
    ["triangularSolve(x, 1, {upper: true})", (m) => triangularSolve(m, ones([2, 1]), { upper: true })],
    ["reshape(x, [4])", (m) => m.reshape([4])],
    ["0", (m) => m.matmul(zeros([2, 2])).t()],
  ])("tells calls apart by their parameters: %s", (text, f) => {
    expect(formula(f(matrix))).toBe(text);
  });

  it("calls leaves and results by their names", () => {
    const [a, b, c] = [leaf(2), leaf(1), scalar(3)];
    const inner = a.mul(x).add(b);
    expect(formula(inner.sigmoid(), { names: { a, x, b } })).toBe("sigmoid(a*x + b)");
    expect(formula(inner.sigmoid())).toBe("sigmoid(x1*x2 + x3)");
    expect(formula(inner.sigmoid(), { names: { z: inner } })).toBe("sigmoid(z)");
    expect(formula(a.mul(c), { names: { c, x1: b } })).toBe("c*x");
    expect(formula(grad((x: Tensor) => x.pow(a))(x), { names: { x, a } })).toBe("a*x^(a - 1)");
    expect(formula(a.pow(x.add(1)), { names: { a, x } })).toBe("a^(x + 1)");
  });

  it("reads tensors as numbers where ops go element by element", () => {
    const v = tensor([1, 2, 3], { requiresGrad: true });
    const m = tensor([[1, 2]], { requiresGrad: true });
    expect(formula(grad((v: Tensor) => v.square().sum())(v))).toBe("2*x");
    expect(formula(v.mul(tensor([4, 5, 6])).sum())).toBe("sum([4, 5, 6]*x)");
    expect(formula(v.mul(tensor([2, 2, 2])).mean())).toBe("mean(2*x)");
    expect(formula(m.t().matmul(m).sum(0))).toBe("sum(matmul(transpose(x), x), [0])");
    expect(formula(scalar(3))).toBe("3");
    expect(formula(tensor([]))).toBe("float32[0]");
    const own = customFunction({ name: "neg", forward: (x: Tensor) => [x.mul(2), 0], backward: (_, g) => [g] });
    expect(formula(own(v))).toBe("neg(x)");
    v.sin().sum().backward();
    expect(formula(v.sin().add(1))).toBe("sin(x) + 1");
  });

  it("refuses what nobody could read", () => {
    let y: Tensor = x;
    for (let i = 0; i < 40; i++) y = y.sin().add(y.cos());
    const code = (f: () => unknown): unknown => {
      try {
        return f();
      } catch (error) {
        return error instanceof NablaError ? `${error.op} ${error.code}` : error;
      }
    };
    expect(code(() => formula(y))).toBe("formula ERR_ARGUMENT");
    for (let i = 0; i < 3000; i++) y = y.add(1);
    expect(code(() => formula(y))).toBe("formula ERR_ARGUMENT");
    expect(code(() => formula(3 as never))).toBe("formula ERR_ARGUMENT");
    expect(code(() => formula(x, { name: {} } as never))).toBe("formula ERR_ARGUMENT");
    expect(code(() => formula(x, { names: { x: 3 } as never }))).toBe("formula ERR_ARGUMENT");
  });
});
