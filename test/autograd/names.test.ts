import {
  grad,
  gradcheck,
  hessian,
  hvp,
  isGradEnabled,
  jacfwd,
  jacobian,
  jacrev,
  nn,
  ones,
  qr,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from "nabla";
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

test.each(Object.entries({ jacrev, jacfwd, hessian }))(
  "%s without the memory that it takes says so itself",
  (name, f) => {
    const transform = f as (f: (x: Tensor) => Tensor) => (x: Tensor) => unknown;
    const of = transform((x) => (name === "hessian" ? x.square().sum() : x.mul(2)));
    expect(() => of(zeros([2 ** 20]))).toThrow(new RegExp(`^${name}: out of memory`));
  },
);

test("errors of vmap and gradcheck bear their names", () => {
  const x = zeros([5, 3]);
  let ranks = 1;
  expect(() => vmap((row: Tensor) => row.reshape([...Array(ranks++).fill(1), 3]), { chunkSize: 2 })(x)).toThrow(
    /^vmap: the shapes differ/,
  );
  expect(() => vmap((row: Tensor) => row, { randomness: "none" as never })).toThrow(/^vmap: randomness is not valid/);
  const changing = (x: Tensor): Tensor => (isGradEnabled() ? (3 as never) : x.sum());
  expect(() => gradcheck(changing, zeros([2], { dtype: "float64" }))).toThrow(/^gradcheck: what the function returns/);
});

test("errors of hvp, of fills and of qr's derivative bear their names", () => {
  expect(() => hvp((x: Tensor) => x, [v], [v])).toThrow(/^hvp: /);
  expect(() => nn.init.constant(integers, 0.5)).toThrow(/^constant: /);
  expect(() => nn.init.ones(3 as never)).toThrow(/^ones: /);
  expect(() => nn.init.zeros(3 as never)).toThrow(/^zeros: /);
  expect(() => grad((x: Tensor) => qr(x).q.sum())(zeros([2, 2]))).toThrow(/^qr: /);
});
