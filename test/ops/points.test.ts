/** Derivatives at points where the laws cannot look: where differences say nothing. */
import { embedding, grad, norm, type Tensor, tensor, valueAndGrad } from "nabla";
import { describe, expect, test } from "vitest";

describe("norm at the zero vector", () => {
  test.each([1, 2, 3, 1.5, 0.5, Infinity, -Infinity])("of order %s has the gradient 0", (ord) => {
    const of = (x: Tensor): Tensor => norm(x, { ord });
    const [value, gradient] = valueAndGrad(of)(tensor([0, 0, 0]));
    expect(value.item()).toBe(0);
    expect(gradient.toArray()).toEqual([0, 0, 0]);
  });
  test("has no NaN in the second derivative", () => {
    const second = grad((x: Tensor) => grad((y: Tensor) => norm(y))(x).sum())(tensor([0, 0]));
    expect(second.toArray()).toEqual([0, 0]);
  });
  test("in one of two rows leaves the other alone", () => {
    const x = tensor(
      [
        [0, 0],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    norm(x, [1]).sum().backward();
    expect(x.grad!.at(0).toArray()).toEqual([0, 0]);
    expect(x.grad!.at(1).mul(5).round().toArray()).toEqual([3, 4]);
  });
});

test("no gradient flows through an embedding's padding row, and the values stay", () => {
  const weight = tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    { requiresGrad: true },
  );
  const rows = embedding(tensor(Int32Array.of(1, 0, 1, 2)), weight, { paddingIdx: 1 });
  expect(rows.toArray()).toEqual([
    [3, 4],
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  rows.sum().backward();
  expect(weight.grad!.toArray()).toEqual([
    [1, 1],
    [0, 0],
    [1, 1],
  ]);
});
