import { nn, RandomGenerator, randn, type Tensor, tensor } from "nabla";
import { expect, test } from "vitest";

const generator = new RandomGenerator(3);
const x = randn([4, 3], { generator });
const y = randn([4, 3], { generator });
const shares = x.sigmoid();
const classes = tensor([0, 2, 1, 2], { dtype: "int32" });
type Loss = (input: Tensor, target: Tensor, options?: object) => Tensor;
type LossModule = new (options?: object) => { forward(input: Tensor, target: Tensor): Tensor };

// Each module: its function, an input and a target, and an option of its own.
const losses: Record<string, [keyof typeof nn.functional, Tensor, Tensor, object]> = {
  CrossEntropyLoss: ["crossEntropy", x, classes, { labelSmoothing: 0.1 }],
  NLLLoss: ["nllLoss", x.logSoftmax(1), classes, { ignoreIndex: 2 }],
  MSELoss: ["mseLoss", x, y, {}],
  BCEWithLogitsLoss: ["binaryCrossEntropyWithLogits", x, shares, {}],
  L1Loss: ["l1Loss", x, y, {}],
  HuberLoss: ["huberLoss", x, y, { delta: 0.5 }],
  BCELoss: ["binaryCrossEntropy", shares, y.sigmoid(), {}],
  KLDivLoss: ["klDiv", x.logSoftmax(1), y.softmax(1), { reduction: "batchmean" }],
};

test.each(Object.entries(losses))(
  "nn.%s is its function with the options of the constructor",
  (name, [f, a, b, own]) => {
    const make = (nn as unknown as Record<string, LossModule>)[name]!;
    const call = nn.functional[f] as unknown as Loss;
    for (const options of [undefined, { reduction: "sum" }, { reduction: "none" }, own])
      expect(new make(options).forward(a, b).toArray()).toEqual(call(a, b, options).toArray());
  },
);

test("a loss module for each loss of nn.functional", () => {
  const functions = Object.keys(nn.functional).filter((name) => /Loss$|[eE]ntropy|klDiv/.test(name));
  expect(functions.sort()).toEqual(
    Object.values(losses)
      .map(([f]) => f)
      .sort(),
  );
});
