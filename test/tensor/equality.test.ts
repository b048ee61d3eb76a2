import { assertEqual, nn, ones, tensor, tensorEquality, zeros } from "nabla";
import { describe, expect, test } from "vitest";
import { thrown } from "../autograd/code.js";

expect.addEqualityTesters([tensorEquality]);

describe("tensorEquality, added to expect", () => {
  test("tensors are equal by shape, dtype and elements", () => {
    expect(tensor([1, 2])).toEqual(tensor([1, 2]));
    expect(tensor([1, Number.NaN])).toEqual(tensor([1, Number.NaN]));
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).t(),
    ).toEqual(
      tensor([
        [1, 3],
        [2, 4],
      ]),
    );
    expect(tensor([1, 2])).not.toEqual(tensor([1, 3]));
    expect(tensor([1, 2])).not.toEqual(tensor([[1, 2]]));
    expect(tensor([1, 2])).not.toEqual(tensor([1, 2], { dtype: "float64" }));
    expect(tensor([1, 2])).not.toEqual([1, 2]);
    expect([1, 2]).not.toEqual(tensor([1, 2]));
    expect(tensor(1n)).toStrictEqual(tensor(1n));
  });
  test("nested too", () => {
    const state = () => ({ a: [tensor([1]), { b: tensor([2]) }], c: new Map([["d", tensor([3])]]) });
    expect(state()).toEqual(state());
    expect({ ...state(), a: [tensor([1]), { b: tensor([9]) }] }).not.toEqual(state());
    expect({ ...state(), c: new Map([["d", tensor([9])]]) }).not.toEqual(state());
    const model = new nn.Linear(2, 2);
    expect(model.clone().stateDict()).toEqual(model.stateDict());
  });
  test("has no say about other values", () => {
    for (const value of [1, null, undefined, {}, [], new Float32Array(1)])
      expect(tensorEquality(value, 1)).toBeUndefined();
  });
});

describe("assertEqual", () => {
  test("takes equal trees", () => {
    assertEqual({ a: [tensor([1]), 2], b: null, c: "x" }, { c: "x", b: null, a: [tensor([1]), 2] });
    assertEqual([Number.NaN, 0, tensor([Number.NaN])], [Number.NaN, -0, tensor([Number.NaN])]);
    assertEqual(tensor([1e6, 1]), tensor([1e6 + 1, 1]), { tolerance: 1e-5 });
    assertEqual({ x: 1 }, { x: 1.001 }, { tolerance: 0.01 });
    assertEqual(tensor([Number.POSITIVE_INFINITY]), tensor([Number.POSITIVE_INFINITY]), { tolerance: 1 });
  });
  test.each([
    ["ERR_SHAPE", ones([2]), ones([3]), undefined, "assertEqual: the shapes differ; expected [3], got [2]"],
    ["ERR_DTYPE", ones([2]), ones([2], { dtype: "int32" }), 1, "the dtypes differ; expected int32, got float32"],
    [
      "ERR_ARGUMENT",
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([
        [1, 2],
        [5, 4],
      ]),
      0.1,
      "the elements at [1, 0] differ; expected 5, got 3",
    ],
    [
      "ERR_ARGUMENT",
      { a: [1, tensor(2)] },
      { a: [1, tensor(3)] },
      0.1,
      "the values differ at .a[1]; expected 3, got 2",
    ],
    ["ERR_ARGUMENT", { a: 1 }, { a: 1, b: 2 }, 0, 'only one has the key "b"; expected a, b, got a'],
    ["ERR_ARGUMENT", [1], [1, 2], 0, "the lengths differ; expected 2, got 1"],
    ["ERR_ARGUMENT", ones([1]), [1], 0, "the values differ; expected [1], got a Tensor"],
    ["ERR_ARGUMENT", tensor([Number.POSITIVE_INFINITY]), tensor([1]), 1e300, "expected 1, got Infinity"],
    ["ERR_ARGUMENT", tensor([1]), tensor([Number.POSITIVE_INFINITY]), 1, "expected Infinity, got 1"],
    ["ERR_ARGUMENT", zeros([1]), zeros([1]), -1, "the tolerance is not valid"],
  ] as const)("%s %#", (code, a, b, tolerance, message) => {
    const error = thrown(() => assertEqual(a, b, { tolerance }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
  test("of trees that contain themselves", () => {
    const tree = (): unknown[] => {
      const itself: unknown[] = [];
      itself.push(itself);
      return itself;
    };
    expect(thrown(() => assertEqual(tree(), tree())).code).toBe("ERR_ARGUMENT");
  });
});

test("comparing costs a tensor no field", () => {
  expect(Reflect.ownKeys(ones([1]))).toEqual(["shape", "handle", "type", "layout", "offset", "node"]);
});
