import { grad, hessian, hvp, jacfwd, jacobian, jacrev, nn, ones, qr, type Tensor, tensor, zeros } from "nabla";
import { expect, test } from "vitest";

const v = tensor([1, 2]);
const integers = tensor([1, 2], { dtype: "int32" });

test.each(Object.entries({ jacrev, jacfwd, jacobian, hessian }))("errors of %s bear its name", (name, transform) => {
  const of = (f: unknown, options?: object) =>
    (transform as (...all: unknown[]) => (...args: Tensor[]) => unknown)(f, options);
  for (const call of [
    () => of(() => 3)(v),
    () => of(() => "a")(v),
    () => of(async (x: Tensor) => x)(v),
    () => of((x: Tensor) => x.sum())(integers),
    () => of((x: Tensor) => x.sum(), { argnums: 5 })(v),
  ])
    expect(call, String(call)).toThrow(new RegExp(`^${name}: `));
  // An error inside of the function keeps its own.
  expect(() => of((x: Tensor) => x.matmul(ones([3, 3])).sum())(v)).toThrow(/^matmul: /);
});

test("errors of hvp, of fills and of qr's derivative bear their names", () => {
  expect(() => hvp((x: Tensor) => x, [v], [v])).toThrow(/^hvp: /);
  expect(() => nn.init.constant(integers, 0.5)).toThrow(/^constant: /);
  expect(() => nn.init.ones(3 as never)).toThrow(/^ones: /);
  expect(() => nn.init.zeros(3 as never)).toThrow(/^zeros: /);
  expect(() => grad((x: Tensor) => qr(x).q.sum())(zeros([2, 2]))).toThrow(/^qr: /);
});
