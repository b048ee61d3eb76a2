import { graph, manualSeed, nn, noGrad, ones, RandomGenerator, type Tensor, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

const refused = (f: () => unknown, code: string, text: RegExp): void => {
  expect(f).toThrow(expect.objectContaining({ name: "NablaError", code, message: expect.stringMatching(text) }));
};

describe("containers", () => {
  test("Sequential runs modules and functions, and names them by position", () => {
    const double = new nn.Linear(1, 1);
    double.loadStateDict({ weight: tensor([[2]]), bias: zeros([1]) });
    const model = new nn.Sequential(double, (x) => x.add(1), new nn.Flatten(0));
    expect(model.forward(tensor([[1], [2]])).toArray()).toEqual([3, 5]);
    expect(Object.keys(model.stateDict())).toEqual(["0.weight", "0.bias"]);
    expect([model.length, model.at(0), [...model][2]]).toEqual([3, double, model.at(-1)]);
    refused(() => new nn.Sequential(3 as never), "ERR_ARGUMENT", /module or a function.*got 3/);
    refused(() => new nn.Sequential((() => 3) as never).forward(ones([1])), "ERR_ARGUMENT", /layer 0 gave no tensor/);
  });
  test("Sequential runs a Linear and the ReLU behind it as one op, unless someone is to see between them", () => {
    const [linear, activation] = [new nn.Linear(3, 4), new nn.ReLU()];
    const model = new nn.Sequential(linear, activation, (x) => x.mul(2));
    const names = () => graph(model.forward(ones([2, 3]))).nodes.map(({ label }) => label);
    const run = () => {
      for (const p of model.parameters()) p.grad = null;
      const y = model.forward(
        tensor([
          [1, -2, 3],
          [4, 5, -6],
        ]),
      );
      y.square().sum().backward();
      return [y, ...[...model.parameters()].map((p) => p.grad!)].map((t) => t.toArray());
    };
    const fused = run();
    expect(names()).toContain("linearRelu");
    for (const module of [linear, activation]) {
      let seen = 0;
      const remove = module.registerForwardHook(() => void seen++);
      expect(names()).not.toContain("linearRelu");
      expect(run()).toEqual(fused);
      expect(seen).toBe(2);
      remove();
    }
  });
  test("the encoder layer's inner Linear takes relu with it, and an LSTM adds its gates in the product", () => {
    const ops = (y: Tensor) => graph(y.sum()).nodes.map(({ label }) => label);
    const encoder = (activation: "relu" | "gelu") =>
      ops(new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, activation }).forward(ones([3, 1, 4])));
    expect(encoder("relu")).toContain("linearRelu");
    expect(encoder("gelu")).not.toContain("linearRelu");
    const gates = ops(new nn.LSTM(2, 3).forward(ones([4, 1, 2])).output).filter((op) => op === "addmm");
    expect(gates).toHaveLength(4);
  });
  test("an empty Sequential is the identity", () => {
    const x = ones([1]);
    expect(new nn.Sequential().forward(x)).toBe(x);
  });
  test("ModuleList", () => {
    class Holder extends nn.Module {
      layers = new nn.ModuleList([new nn.Linear(1, 1)]);
    }
    const { layers } = new Holder();
    layers.push(new nn.Linear(1, 1, { bias: false }));
    expect(Object.keys(layers.stateDict())).toEqual(["0.weight", "0.bias", "1.weight"]);
    expect([layers.length, layers.at(-1)!.bias, [...layers].length]).toEqual([2, null, 2]);
    refused(() => layers.push({} as never), "ERR_ARGUMENT", /expected a module/);
    refused(() => layers.forward(), "ERR_ARGUMENT", /ModuleList: has no forward/);
  });
  test("ModuleDict", () => {
    const dict = new nn.ModuleDict({ a: new nn.Linear(2, 3), forward: new nn.ReLU() });
    expect(dict.keys()).toEqual(["a", "forward"]);
    expect(dict.get("a").outFeatures).toBe(3);
    expect(Object.keys(dict.stateDict())).toEqual(["a.weight", "a.bias"]);
    refused(() => dict.get("b" as never), "ERR_ARGUMENT", /no module.*a, forward.*"b"/);
    refused(() => new nn.ModuleDict({ a: 1 } as never), "ERR_ARGUMENT", /expected a module/);
    expect(dict.clone().get("a").weight.toArray()).toEqual(dict.get("a").weight.toArray());
  });
});

describe("Linear", () => {
  test("starts uniform between the bounds of PyTorch", () => {
    manualSeed(0);
    const layer = new nn.Linear(64, 400);
    for (const p of layer.parameters()) {
      expect(p.abs().amax().item()).toBeLessThanOrEqual(1 / 8);
      expect(p.abs().amax().item()).toBeGreaterThan(0.98 / 8);
      expect(p.std().item()).toBeCloseTo(1 / 8 / Math.sqrt(3), 2);
    }
    manualSeed(0);
    expect(new nn.Linear(64, 400).weight.eq(layer.weight).all().item()).toBe(1);
  });
  test("shapes and dtype", () => {
    const layer = new nn.Linear(3, 2, { dtype: "float64" });
    expect(layer.forward(ones([4, 5, 3], { dtype: "float64" })).shape).toEqual([4, 5, 2]);
    expect(layer.forward(ones([3])).dtype).toBe("float64");
    expect(new nn.Linear(0, 2).forward(ones([1, 0])).toArray()).toEqual([[0, 0]]);
  });
  test("refused", () => {
    refused(() => new nn.Linear(1.5, 2), "ERR_ARGUMENT", /inFeatures/);
    refused(() => new nn.Linear(1, -2), "ERR_ARGUMENT", /outFeatures/);
    refused(() => new nn.Linear(1, 2, { biass: false } as never), "ERR_ARGUMENT", /did you mean "bias"/);
    refused(() => new nn.Linear(3, 2).forward(ones([4, 2])), "ERR_SHAPE", /linear/);
  });
});

// By the formulas, in JavaScript's own arithmetic.
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log1p(Math.exp(x));
const geluTanh = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
test.each([
  ["ReLU", new nn.ReLU(), (x) => Math.max(x, 0)],
  ["Sigmoid", new nn.Sigmoid(), sigmoid],
  ["LogSigmoid", new nn.LogSigmoid(), (x) => Math.log(sigmoid(x))],
  ["Tanh", new nn.Tanh(), Math.tanh],
  ["LeakyReLU", new nn.LeakyReLU(0.2), (x) => (x > 0 ? x : 0.2 * x)],
  ["ELU", new nn.ELU({ alpha: 2 }), (x) => (x > 0 ? x : 2 * Math.expm1(x))],
  ["GELU tanh", new nn.GELU({ approximate: "tanh" }), geluTanh],
  ["SiLU", new nn.SiLU(), (x) => x * sigmoid(x)],
  ["Softplus", new nn.Softplus({ beta: 3 }), (x) => softplus(3 * x) / 3],
  ["Mish", new nn.Mish(), (x) => x * Math.tanh(softplus(x))],
  ["Identity", new nn.Identity(), (x) => x],
] as [string, { forward(x: Tensor): Tensor } & nn.Module, (x: number) => number][])("%s", (_, module, f) => {
  const values = [-3, -0.5, 0, 0.25, 2];
  const out = module.forward(tensor(values, { dtype: "float64" })).toArray<number[]>();
  values.forEach((x, i) => {
    expect(out[i]).toBeCloseTo(f(x), 12);
  });
});

test("GELU, at values of the normal distribution's tables", () => {
  expect(new nn.GELU().forward(tensor([1, -1], { dtype: "float64" })).toArray()[0]).toBeCloseTo(0.8413447460685429, 14);
  refused(() => new nn.GELU({ approximate: "erf" as never }).forward(ones([1])), "ERR_ARGUMENT", /"none" or "tanh"/);
});

test("Softmax and LogSoftmax along their dimension", () => {
  const x = zeros([2, 4]);
  expect(new nn.Softmax(0).forward(x).at(0, 0).item()).toBe(0.5);
  expect(new nn.LogSoftmax(-1).forward(x).exp().at(1, 3).item()).toBeCloseTo(0.25, 6);
  refused(() => new nn.Softmax(undefined as never), "ERR_ARGUMENT", /dim/);
});

test("Dropout acts while training only", () => {
  const layer = new nn.Dropout(0.25);
  const x = ones([4000]);
  const y = layer.forward(x);
  expect(y.eq(0).sum().item() / 4000).toBeCloseTo(0.25, 1);
  expect(y.amax().item()).toBeCloseTo(4 / 3, 6);
  expect(layer.eval().forward(x)).toBe(x);
  refused(() => new nn.Dropout(1.5), "ERR_ARGUMENT", /p is not valid; expected a number from 0 to 1, got 1.5/);
});

test("Flatten", () => {
  expect(new nn.Flatten().forward(zeros([2, 3, 4])).shape).toEqual([2, 12]);
  expect(new nn.Flatten(0, 1).forward(zeros([2, 3, 4])).shape).toEqual([6, 4]);
});

describe("losses", () => {
  const classes = tensor([1, 0], { dtype: "int32" });
  test("take their options once", () => {
    const logits = tensor([
      [0, 0],
      [0, 0],
    ]);
    expect(new nn.CrossEntropyLoss().forward(logits, classes).item()).toBeCloseTo(Math.LN2, 6);
    const part = tensor([1, -1], { dtype: "int32" });
    expect(new nn.CrossEntropyLoss({ reduction: "none", ignoreIndex: -1 }).forward(logits, part).toArray()[1]).toBe(0);
    expect(
      new nn.NLLLoss({ reduction: "sum" })
        .forward(
          tensor([
            [1, 2],
            [3, 4],
          ]),
          classes,
        )
        .item(),
    ).toBe(-5);
    expect(new nn.MSELoss({ reduction: "sum" }).forward(tensor([1, 2]), tensor([1, 4])).item()).toBe(4);
    expect(new nn.BCEWithLogitsLoss().forward(tensor([0, 0]), tensor([1, 0])).item()).toBeCloseTo(Math.LN2, 6);
  });
  test("BCEWithLogitsLoss does not overflow", () => {
    const x = tensor([1000, -1000], { requiresGrad: true });
    const loss = new nn.BCEWithLogitsLoss({ reduction: "sum" }).forward(x, tensor([0, 0]));
    expect(loss.item()).toBe(1000);
    loss.backward();
    expect(x.grad!.toArray()).toEqual([1, 0]);
  });
});

describe("init", () => {
  const { init } = nn;
  const weight = () => new nn.Parameter(zeros([200, 50, 2]));
  // Deviation and largest absolute value that each must have on a weight with 100 inputs and 400 outputs.
  const uniformOf = (std: number): [number, number] => [std, std * Math.sqrt(3)];
  const free = Number.POSITIVE_INFINITY;
  test.each([
    ["uniform", (w) => init.uniform(w, { a: -2, b: 2 }), uniformOf(2 / Math.sqrt(3))],
    ["normal", (w) => init.normal(w, { std: 3 }), [3, free]],
    ["truncNormal", (w) => init.truncNormal(w), [0.8796, 2]],
    ["xavierUniform", (w) => init.xavierUniform(w, { gain: 2 }), uniformOf(2 * Math.sqrt(2 / 500))],
    ["xavierNormal", (w) => init.xavierNormal(w), [Math.sqrt(2 / 500), free]],
    ["kaimingUniform", (w) => init.kaimingUniform(w, { nonlinearity: "relu" }), uniformOf(Math.sqrt(2 / 100))],
    ["kaimingUniform, a", (w) => init.kaimingUniform(w, { a: Math.sqrt(5) }), uniformOf(Math.sqrt(1 / 300))],
    ["kaimingNormal, fanOut", (w) => init.kaimingNormal(w, { mode: "fanOut" }), [Math.sqrt(2 / 400), free]],
  ] as [string, (w: Tensor) => Tensor, [number, number]][])("%s", (_, fill, [std, largest]) => {
    manualSeed(1);
    const w = weight();
    expect(fill(w)).toBe(w);
    const values = noGrad(() => w.to("float64"));
    expect(Math.abs(values.std().item() / std - 1)).toBeLessThan(0.02);
    expect(Math.abs(values.mean().item())).toBeLessThan(4 * (std / Math.sqrt(20_000)));
    expect(values.abs().amax().item()).toBeLessThanOrEqual(largest * 1.000001);
    expect(w.isLeaf && w.requiresGrad).toBe(true);
  });
  test("constants", () => {
    expect(init.constant(zeros([2]), 3).toArray()).toEqual([3, 3]);
    expect(init.ones(zeros([2])).toArray()).toEqual([1, 1]);
    expect(init.zeros(ones([2])).toArray()).toEqual([0, 0]);
  });
  test("means and bounds away from 0, a generator of one's own", () => {
    const draw = () =>
      init.truncNormal(zeros([1000]), { mean: 1, std: 0.5, a: 1, b: 3, generator: new RandomGenerator(3) });
    const x = draw();
    expect([x.amin().item() >= 1, x.amax().item() <= 3]).toEqual([true, true]);
    expect(x.mean().item()).toBeCloseTo(1 + 0.5 * Math.sqrt(2 / Math.PI), 1);
    expect(draw().toArray()).toEqual(x.toArray());
  });
  test.each([
    ["linear", 1],
    ["sigmoid", 1],
    ["tanh", 5 / 3],
    ["relu", Math.SQRT2],
    ["selu", 0.75],
  ] as const)("gain of %s", (name, gain) => {
    expect(init.calculateGain(name)).toBe(gain);
  });
  test("refused", () => {
    refused(() => init.xavierUniform(zeros([3])), "ERR_SHAPE", /\[out, in\]/);
    refused(
      () => init.kaimingUniform(zeros([3, 3]), { mode: "fan_in" as never }),
      "ERR_ARGUMENT",
      /"fanIn" or "fanOut"/,
    );
    refused(
      () => init.calculateGain("swish" as never),
      "ERR_ARGUMENT",
      /nonlinearity is not valid; expected "linear", "sigmoid", .* or "selu", got "swish"/,
    );
    refused(() => init.uniform(zeros([3]), { a: 1, b: 0 }), "ERR_ARGUMENT", /wrong way round/);
    refused(
      () => init.normal(zeros([3]), { std: -1 }),
      "ERR_ARGUMENT",
      /std is not valid; expected a finite number of at least 0, got -1/,
    );
    refused(() => init.normal(zeros([3]), { std: Number.NaN }), "ERR_ARGUMENT", /std is not valid; expected a number/);
    refused(() => init.truncNormal(zeros([3]), { a: 2, b: 2 }), "ERR_ARGUMENT", /a < b/);
    refused(() => init.uniform(zeros([3], { dtype: "int32" })), "ERR_DTYPE", /float/);
    refused(() => init.constant(zeros([3]), undefined as never), "ERR_ARGUMENT", /expected a number/);
    refused(() => init.zeros(undefined as never), "ERR_ARGUMENT", /expected a tensor/);
  });
});
