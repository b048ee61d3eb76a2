import {
  grad,
  hessian,
  hvp,
  jacfwd,
  jacobian,
  jacrev,
  jvp,
  NablaError,
  ones,
  randn,
  scalar,
  type Tensor,
  tensor,
  zeros,
} from "nabla";
import { describe, expect, it } from "vitest";

const double = (data: number | number[] | number[][], requiresGrad = false) =>
  tensor(data, { dtype: "float64", requiresGrad });
const code = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    if (error instanceof NablaError) return error.code;
    throw error;
  }
  return "nothing was thrown";
};
const close = (x: Tensor, expected: number[] | number[][]) => {
  const wanted = double(expected);
  expect(x.shape).toEqual(wanted.shape);
  x.sub(wanted)
    .abs()
    .reshape([-1])
    .toArray<number[]>()
    .forEach((error) => expect(error).toBeLessThan(1e-12));
};

describe.each([
  ["jacrev", jacrev],
  ["jacfwd", jacfwd],
  ["jacobian", jacobian],
] as const)("%s", (_, jac) => {
  const a = double([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);

  it("of a linear map is its matrix", () => {
    close(jac((x: Tensor) => a.matmul(x))(double([7, 8])), a.toArray());
    close(jac((x: Tensor) => a.t().matmul(x))(double([7, 8, 9])), a.t().toArray());
  });

  it("of an elementwise function is diagonal", () => {
    close(jac((x: Tensor) => x.sin())(double([0, 1])), [
      [1, 0],
      [0, Math.cos(1)],
    ]);
  });

  it("of softmax is diag(p) - p p^T", () => {
    const x = double([0.2, -1, 0.5]);
    const p = x.softmax(0).toArray<number[]>();
    close(
      jac((x: Tensor) => x.softmax(0))(x),
      p.map((row, i) => p.map((column, j) => (i === j ? row : 0) - row * column)),
    );
  });

  it("has the result's shape, then the argument's", () => {
    const j = jac((x: Tensor) => x.sum(0))(ones([2, 3]));
    expect(j.shape).toEqual([3, 2, 3]);
    expect(j.sum([0, 2]).toArray()).toEqual([3, 3]);
    expect(jac((x: Tensor) => x.square())(3).shape).toEqual([]);
    expect(jac((x: Tensor) => x.square())(3).item()).toBe(6);
    expect(jac((x: Tensor) => x.sin())(zeros([0])).shape).toEqual([0, 0]);
    expect(jac((x: Tensor) => x.sum())(zeros([0, 2])).shape).toEqual([0, 2]);
  });

  it("takes argnums, and trees", () => {
    const f = (x: Tensor, y: Tensor) => x.mul(y);
    const [x, y] = [double([2, 3]), double([5, 7])];
    close(jac(f, { argnums: 1 })(x, y), [
      [2, 0],
      [0, 3],
    ]);
    const [byY, byX] = jac(f, { argnums: [1, 0] })(x, y);
    close(byY, [
      [2, 0],
      [0, 3],
    ]);
    close(byX, [
      [5, 0],
      [0, 7],
    ]);
    const tree = jac((p: { w: Tensor; b: Tensor[] }) => p.w.mul(p.b[0]!))({ w: x, b: [y] });
    close(tree.w, [
      [5, 0],
      [0, 7],
    ]);
    close(tree.b[0]!, [
      [2, 0],
      [0, 3],
    ]);
  });

  it("is zero where nothing depends on the argument", () => {
    close(jac((_x: Tensor, y: Tensor) => y.square())(double([1, 2]), double([3])), [[0, 0]]);
  });

  it("nests, and is differentiable", () => {
    const cubes = (x: Tensor) => x.pow(3);
    const second = jac(jac(cubes))(double([2]));
    expect(second.shape).toEqual([1, 1, 1]);
    expect(second.item()).toBeCloseTo(12, 12);
    close(grad((x: Tensor) => jac(cubes)(x).sum())(double([1, 2])), [6, 12]);
    const x = double([1, 2], true);
    jac(cubes)(x).sum().backward();
    close(x.grad!, [6, 12]);
    expect(jac(cubes)(double([1])).requiresGrad).toBe(false);
  });

  it("refuses bad input", () => {
    const f = (x: Tensor) => x.sin();
    expect(code(() => jac(f, { argnums: 1 })(double([1])))).toBe("ERR_ARGUMENT");
    expect(code(() => jac(f)(tensor([1n])))).toBe("ERR_GRADIENT");
    expect(code(() => jac(3 as unknown as typeof f))).toBe("ERR_ARGUMENT");
    expect(code(() => jac(f, { argnum: 1 } as object))).toBe("ERR_ARGUMENT");
    expect(code(() => jac((() => 3) as unknown as typeof f)(double([1])))).toBe("ERR_ARGUMENT");
  });
});

it("jacobian evaluates once where rows are few, and once for each column where they are many", () => {
  let calls = 0;
  const counted = (f: (x: Tensor) => Tensor) => (x: Tensor) => {
    calls++;
    return f(x);
  };
  jacobian(counted((x) => x.sum()))(ones([50]));
  expect(calls).toBe(1);
  calls = 0;
  jacobian(counted((x) => x.expand([50])))(ones([1]));
  expect(calls).toBe(2);
});

describe("hessian", () => {
  it("of a quadratic form is A + A^T", () => {
    const a = double([
      [1, 2],
      [3, 4],
    ]);
    close(hessian((x: Tensor) => x.matmul(a).matmul(x))(double([5, 6])), [
      [2, 5],
      [5, 8],
    ]);
  });

  it("of a log-sum-exp is that of softmax", () => {
    const x = double([0.2, -1, 0.5]);
    close(hessian((x: Tensor) => x.logsumexp(0))(x), jacrev((x: Tensor) => x.softmax(0))(x).toArray<number[][]>());
  });

  it("has a block for each pair of arguments", () => {
    const f = (x: Tensor, y: Tensor) => x.square().mul(y).sum();
    const [[xx, xy], [yx, yy]] = hessian(f, { argnums: [0, 1] })(double([2]), double([3, 4])) as [
      [Tensor, Tensor],
      [Tensor, Tensor],
    ];
    close(xx, [[14]]);
    close(xy, [[4, 4]]);
    close(yx, [[4], [4]]);
    close(yy, [
      [0, 0],
      [0, 0],
    ]);
    close(hessian(f)(double([2]), double([3, 4])), [[14]]);
  });

  it("refuses a function of several results", () => {
    expect(code(() => hessian((x: Tensor) => x.sin())(ones([2])))).toBe("ERR_GRADIENT");
    expect(code(() => hessian(3 as unknown as (x: Tensor) => Tensor))).toBe("ERR_ARGUMENT");
  });
});

describe("hvp", () => {
  const f = (x: Tensor, y: Tensor) => x.pow(3).sum().mul(y);

  it("is the Hessian times a vector", () => {
    const x = double([0.5, -1, 2]);
    const v = double([1, 2, -1]);
    const g = (x: Tensor) => x.sin().sum().exp();
    const [value, [product]] = hvp(g, [x], [v]);
    expect(value.item()).toBe(g(x).item());
    close(product, hessian(g)(x).matmul(v).toArray<number[]>());
    close(product, jvp(grad(g), [x], [v])[1].toArray<number[]>());
  });

  it("of several arguments takes all blocks together", () => {
    // Blocks: xx 6 x y, xy 3 x^2, yy 0.
    const [value, [byX, byY]] = hvp(f, [double([1, 2]), double(5)], [double([1, 1]), double(10)]);
    expect(value.item()).toBe(45);
    close(byX, [30 + 30, 60 + 120]);
    expect(byY.item()).toBe(15);
  });

  it("gives tensors without a graph, unless asked from a transform", () => {
    const [value, [product]] = hvp((x: Tensor) => x.pow(4).sum(), [double([1])], [double([1])]);
    expect([value.requiresGrad, product.requiresGrad]).toEqual([false, false]);
    const third = grad((x: Tensor) => hvp((y: Tensor) => y.pow(4).sum(), [x], [double([1])])[1][0].sum())(double([2]));
    close(third, [48]);
  });

  it("refuses bad input", () => {
    expect(code(() => hvp(f, [ones([2]), scalar(1)], [ones([2])] as never))).toBe("ERR_ARGUMENT");
    expect(code(() => hvp(f, [ones([2]), scalar(1)], [ones([3]), scalar(1)]))).toBe("ERR_SHAPE");
    expect(code(() => hvp(f, ones([2]) as never, [] as never))).toBe("ERR_ARGUMENT");
    expect(code(() => hvp((x: Tensor) => x.sin(), [ones([2])], [ones([2])]))).toBe("ERR_GRADIENT");
    expect(code(() => hvp(3 as unknown as typeof f, [ones([2]), 1], [ones([2]), 1]))).toBe("ERR_ARGUMENT");
  });
});

it("jacrev and jacfwd agree on a perceptron", () => {
  const [w, x] = [randn([3, 2], { dtype: "float64" }), randn([4, 3], { dtype: "float64" })];
  const f = (w: Tensor) => x.matmul(w).tanh().sum(0);
  close(jacrev(f)(w).reshape([2, 6]), jacfwd(f)(w).reshape([2, 6]).toArray<number[][]>());
});
