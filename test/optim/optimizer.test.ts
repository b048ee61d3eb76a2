import { nn, noGrad, ones, optim, type Tensor, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

const leaf = (data: number[]): Tensor => tensor(data, { dtype: "float64", requiresGrad: true });
const refused = (f: () => unknown, code: string, text: RegExp): void => {
  expect(f).toThrow(expect.objectContaining({ name: "NablaError", code, message: expect.stringMatching(text) }));
};

describe("what an optimizer is given", () => {
  const w = leaf([1]);
  test.each([
    ["no parameters", [], {}, /#private/],
    ["a group of none", [{ params: [] }], {}, /#private/],
    ["a tensor in place of a list", w, {}, /must be an array/],
    ["undefined", undefined, {}, /must be an array/],
    ["a string", "weights", {}, /must be an array/],
    ["a number among them", [w, 3], {}, /expected a tensor, got 3/],
    ["a result", [w.mul(2)], {}, /must be a leaf/],
    ["a tensor that does not require grad", [ones([2])], {}, /must require grad/],
    ["the same twice", [w, w], {}, /twice/],
    ["the same in two groups", [{ params: [w] }, { params: [w] }], {}, /twice/],
    ["an unknown option", [w], { learningRate: 1 }, /unknown option "learningRate"/],
    ["an unknown option of a group", [{ params: [w], lrr: 1 }], {}, /did you mean "lr"/],
    ["NaN", [w], { lr: Number.NaN }, /lr is not valid.*got NaN/],
    ["a negative rate", [w], { lr: -1 }, /lr is not valid.*got -1/],
    ["an infinite rate", [w], { lr: Number.POSITIVE_INFINITY }, /lr is not valid/],
    ["a string as rate", [w], { lr: "0.1" }, /lr is not valid.*got "0.1"/],
    ["a negative decay", [{ params: [w], weightDecay: -1 }], {}, /weightDecay/],
    ["a beta of 1", [w], { betas: [0.9, 1] }, /betas\[1\]/],
    ["one beta", [w], { betas: 0.9 }, /betas/],
    ["a negative eps", [w], { eps: -1e-8 }, /eps/],
  ] as const)("%s", (_, params, options, text) => {
    refused(() => new optim.AdamW(params as never, options as never), "ERR_ARGUMENT", text);
  });
  test.each([
    ["momentum", { momentum: -0.1 }, /momentum is not valid/],
    ["dampening", { dampening: Number.NaN }, /dampening is not valid/],
    ["nesterov's type", { nesterov: 1, momentum: 0.9 }, /nesterov is not valid/],
    ["nesterov without momentum", { nesterov: true }, /nesterov needs momentum/],
    ["nesterov with dampening", { nesterov: true, momentum: 0.9, dampening: 0.1 }, /nesterov needs momentum/],
  ])("SGD: %s", (_, options, text) => {
    refused(() => new optim.SGD([w], options as never), "ERR_ARGUMENT", text);
  });
  test("a view with strides", () => {
    const t = noGrad(() => zeros([2, 3]).t());
    t.requiresGrad = true;
    refused(() => new optim.SGD([t]), "ERR_ARGUMENT", /contiguous/);
  });
  test("any iterable", () => {
    const opt = new optim.SGD(new Set([w]));
    expect(opt.paramGroups[0]!.params).toEqual([w]);
  });
});

describe("groups", () => {
  test("overrides over the optimizer's options over the defaults", () => {
    const opt = new optim.SGD([{ params: [leaf([1])], lr: 0.5 }, { params: [leaf([1])] }], { lr: 0.25, momentum: 0.5 });
    expect(opt.paramGroups.map(({ lr, momentum, dampening }) => [lr, momentum, dampening])).toEqual([
      [0.5, 0.5, 0],
      [0.25, 0.5, 0],
    ]);
  });

  test("hyperparameters are read at each step, and checked", () => {
    const w = leaf([1]);
    const opt = new optim.SGD([w], { lr: 0.5 });
    w.grad = tensor([1], { dtype: "float64" });
    opt.step();
    opt.paramGroups[0]!.lr = 0.25;
    opt.step();
    expect(w.item()).toBe(0.25);
    opt.paramGroups[0]!.lr = Number.NaN;
    refused(() => opt.step(), "ERR_ARGUMENT", /lr is not valid/);
    expect(w.item()).toBe(0.25);
  });

  test("momentum switched on later starts with the gradient", () => {
    const w = leaf([0]);
    const opt = new optim.SGD([w], { lr: 1, dampening: 0.5 });
    w.grad = tensor([1], { dtype: "float64" });
    opt.step();
    opt.paramGroups[0]!.momentum = 0.5;
    opt.step();
    expect(w.item()).toBe(-2);
    opt.step();
    expect(w.item()).toBe(-3);
  });

  test("a parameter added to the list, or a group, takes part from then on", () => {
    const [a, b, c] = [leaf([1]), leaf([1]), leaf([1])];
    const opt = new optim.Adam([a], { lr: 0.5 });
    for (const p of [a, b, c]) p.grad = tensor([1], { dtype: "float64" });
    opt.step();
    opt.paramGroups[0]!.params.push(b);
    opt.addParamGroup({ params: [c], lr: 0 });
    opt.step();
    expect(a.item()).toBeCloseTo(0, 6);
    expect(b.item()).toBeCloseTo(0.5, 6);
    expect(c.item()).toBe(1);
    opt.paramGroups[0]!.params.push(ones([1]));
    refused(() => opt.step(), "ERR_ARGUMENT", /must require grad/);
  });
});

describe("step", () => {
  test("many small parameters and one that fills several chunks, each element as if alone", () => {
    const params = [
      ...Array.from({ length: 300 }, (_, i) => leaf([i])),
      leaf(Array.from({ length: 70_000 }, (_, i) => i)),
    ];
    const opt = new optim.SGD(params, { lr: 1 });
    for (const p of params) p.grad = tensor(p.toTypedArray(), { dtype: "float64" });
    opt.step();
    expect(params.every((p) => p.eq(0).all().item() === 1)).toBe(true);
  });

  test("without gradients nothing changes, and nothing is kept", () => {
    const w = leaf([1]);
    const opt = new optim.AdamW([w], { lr: 0.5 });
    opt.step();
    expect(w.item()).toBe(1);
    expect(opt.stateDict().state).toEqual({});
  });

  test("an empty parameter", () => {
    const w = zeros([0], { requiresGrad: true });
    w.grad = zeros([0]);
    const opt = new optim.Adam([w]);
    opt.step();
    expect(w.toArray()).toEqual([]);
  });

  test("a gradient that is a view with strides", () => {
    const w = zeros([2, 2], { requiresGrad: true });
    w.grad = tensor([
      [1, 2],
      [3, 4],
    ]).t();
    new optim.SGD([w], { lr: 1 }).step();
    expect(w.toArray()).toEqual([
      [-1, -3],
      [-2, -4],
    ]);
  });

  test("zeroGrad leaves null", () => {
    const w = leaf([1]);
    const opt = new optim.SGD([w]);
    w.square().sum().backward();
    expect(w.grad!.item()).toBe(2);
    opt.zeroGrad();
    expect(w.grad).toBeNull();
  });

  test("a closure computes the gradients, also inside noGrad, and its loss is returned", () => {
    const w = leaf([3]);
    const opt = new optim.SGD([w], { lr: 0.5 });
    const loss = noGrad(() =>
      opt.step(() => {
        const value = w.square().sum();
        value.backward();
        return value.item();
      }),
    );
    expect(loss).toBe(9);
    expect(w.item()).toBe(0);
    refused(() => opt.step(async () => 1), "ERR_ARGUMENT", /synchronous/);
  });

  test("backward through a value that a step has changed is refused", () => {
    const w = leaf([3]);
    const loss = w.square().sum();
    w.grad = tensor([1], { dtype: "float64" });
    new optim.SGD([w], { lr: 1 }).step();
    refused(() => loss.backward(), "ERR_GRADIENT", /changed since by sgd/);
  });

  test("a parameter that has been frozen is skipped", () => {
    const [a, b] = [leaf([1]), leaf([1])];
    const opt = new optim.SGD([a, b], { lr: 1 });
    a.requiresGrad = false;
    b.grad = tensor([1], { dtype: "float64" });
    opt.step();
    expect([a.item(), b.item()]).toEqual([1, 0]);
  });

  test("a disposed parameter is refused, the others are untouched", () => {
    const [a, b] = [leaf([1]), leaf([1])];
    const opt = new optim.SGD([a, b], { lr: 1 });
    for (const p of [a, b]) p.grad = tensor([1], { dtype: "float64" });
    b.dispose();
    refused(() => opt.step(), "ERR_DISPOSED", /SGD/);
    expect(a.item()).toBe(1);
  });

  test("training finds a line", () => {
    const model = new nn.Linear(1, 1);
    const opt = new optim.Adam(model.parameters(), { lr: 0.1 });
    const x = tensor([[-1], [0], [1], [2]]);
    const y = x.mul(3).sub(1);
    for (let i = 0; i < 400; i++) {
      opt.zeroGrad();
      nn.functional.mseLoss(model.forward(x), y).backward();
      opt.step();
    }
    expect(model.weight.item()).toBeCloseTo(3, 3);
    expect(model.bias!.item()).toBeCloseTo(-1, 3);
  });
});

describe("state", () => {
  const trained = () => {
    const params = [leaf([1, 2]), leaf([3])];
    const opt = new optim.AdamW([{ params: [params[0]!] }, { params: [params[1]!], lr: 0.25 }]);
    params[1]!.grad = tensor([1], { dtype: "float64" });
    opt.step();
    return opt;
  };

  test("its form", () => {
    const { state, paramGroups } = trained().stateDict();
    expect(Object.keys(state)).toEqual(["1"]);
    expect(Object.keys(state["1"]!)).toEqual(["step", "expAvg", "expAvgSq"]);
    expect(state["1"]!.step).toBe(1);
    expect((state["1"]!.expAvg as Tensor).item()).toBeCloseTo(0.1, 12);
    const rest = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 };
    expect(paramGroups).toEqual([
      { lr: 1e-3, ...rest, params: [0] },
      { lr: 0.25, ...rest, params: [1] },
    ]);
  });

  test("of SGD", () => {
    const w = leaf([1]);
    const opt = new optim.SGD([w], { momentum: 0.9 });
    w.grad = tensor([2], { dtype: "float64" });
    opt.step();
    const entry = opt.stateDict().state["0"]!;
    expect(Object.keys(entry)).toEqual(["momentumBuffer"]);
    expect((entry.momentumBuffer as Tensor).item()).toBe(2);
  });

  test.each([
    ["nothing", () => undefined, "ERR_ARGUMENT", /not the state of an optimizer/],
    ["a group less", (s) => ({ ...s, paramGroups: s.paramGroups.slice(1) }), "ERR_ARGUMENT", /number of groups/],
    [
      "a parameter less",
      (s) => ({ ...s, paramGroups: s.paramGroups.map((g) => ({ ...g, params: [] })) }),
      "ERR_ARGUMENT",
      /number of parameters/,
    ],
    [
      "a bad rate",
      (s) => ({ ...s, paramGroups: s.paramGroups.map((g) => ({ ...g, lr: -1 })) }),
      "ERR_ARGUMENT",
      /lr is not valid/,
    ],
    [
      "a lost tensor",
      (s) => ({ ...s, state: { 1: { step: 1, expAvg: zeros([1]) } } }),
      "ERR_ARGUMENT",
      /expAvgSq is missing/,
    ],
    [
      "another shape",
      (s) => ({ ...s, state: { 1: { step: 1, expAvg: zeros([2]), expAvgSq: zeros([1]) } } }),
      "ERR_SHAPE",
      /expAvg/,
    ],
    [
      "half a step",
      (s) => ({ ...s, state: { 1: { ...s.state["1"], step: 0.5 } } }),
      "ERR_ARGUMENT",
      /step is not valid/,
    ],
  ] as [string, (s: ReturnType<optim.Optimizer["stateDict"]>) => unknown, string, RegExp][])(
    "refused, and nothing changes: %s",
    (_, spoil, code, text) => {
      const opt = trained();
      const before = JSON.stringify(opt.stateDict());
      refused(() => opt.loadStateDict(spoil(opt.stateDict()) as never), code, text);
      expect(JSON.stringify(opt.stateDict())).toBe(before);
    },
  );

  test("through JSON and back", () => {
    const opt = trained();
    const { state, paramGroups } = JSON.parse(JSON.stringify(opt.stateDict()));
    for (const entry of Object.values<Record<string, number[]>>(state))
      for (const name of ["expAvg", "expAvgSq"])
        Object.assign(entry, { [name]: tensor(entry[name]!, { dtype: "float64" }) });
    const other = new optim.AdamW([{ params: [leaf([0, 0])] }, { params: [leaf([0])] }]);
    other.loadStateDict({ state, paramGroups });
    expect(JSON.stringify(other.stateDict())).toBe(JSON.stringify(opt.stateDict()));
  });

  test("is taken in the parameter's dtype", () => {
    const opt = trained();
    const params = [zeros([2], { requiresGrad: true }), zeros([1], { requiresGrad: true })];
    const other = new optim.AdamW([{ params: [params[0]!] }, { params: [params[1]!] }]);
    other.loadStateDict(opt.stateDict());
    params[1]!.grad = ones([1]);
    other.step();
    expect((other.stateDict().state["1"]!.expAvg as Tensor).dtype).toBe("float32");
  });
});

describe("clip", () => {
  const w = () => {
    const x = leaf([3, -4]);
    x.grad = tensor([3, -4], { dtype: "float64" });
    return x;
  };
  test("a value", () => {
    const x = w();
    optim.clipGradValue([x, leaf([1])], 3.5);
    expect(x.grad!.toArray()).toEqual([3, -3.5]);
  });
  test("one tensor in place of a list", () => {
    const x = w();
    expect(optim.clipGradNorm(x, 1).item()).toBe(5);
  });
  test("the gradient that backward left, not yet seen by anyone", () => {
    const x = leaf([3, 4]);
    x.square().sum().backward();
    optim.clipGradNorm([x], 1);
    expect(x.grad!.toArray().map((g: number) => g.toFixed(4))).toEqual(["0.6000", "0.8000"]);
  });
  test("no gradients", () => {
    expect(optim.clipGradNorm([leaf([1])], 1).item()).toBe(0);
  });
  test("a norm that is not finite", () => {
    const x = leaf([1]);
    x.grad = tensor([Number.POSITIVE_INFINITY], { dtype: "float64" });
    refused(() => optim.clipGradNorm([x], 1, { errorIfNonfinite: true }), "ERR_GRADIENT", /not finite/);
    expect(optim.clipGradNorm([x], 1).item()).toBe(Number.POSITIVE_INFINITY);
  });
  test.each([[-1], [Number.NaN], ["1"]])("a limit of %s", (limit) => {
    refused(() => optim.clipGradNorm(w(), limit as number), "ERR_ARGUMENT", /maxNorm/);
    refused(() => optim.clipGradValue(w(), limit as number), "ERR_ARGUMENT", /clipValue/);
  });
  test("a norm of order 0", () => {
    refused(() => optim.clipGradNorm(w(), 1, { normType: 0 }), "ERR_ARGUMENT", /normType/);
  });
});

describe("Lion, which PyTorch does not have", () => {
  const gradients = [
    [1, -2, 0, 3],
    [-4, 1, 0, 3],
    [0.5, 5, 2, -40],
  ];
  const settings: [string, optim.LionOptions & { lr: number }][] = [
    ["as it is", { lr: 0.25 }],
    ["with decay and other betas", { lr: 0.5, betas: [0.5, 0.75], weightDecay: 0.25 }],
  ];
  test.each(settings)("%s: the sign of the running mean", (_, { lr, betas = [0.9, 0.99], weightDecay = 0 }) => {
    const w = leaf([1, -1, 2, 0]);
    const opt = new optim.Lion([w], { lr, betas, weightDecay });
    const p = [1, -1, 2, 0];
    const mean = [0, 0, 0, 0];
    for (const step of gradients) {
      w.grad = tensor(step, { dtype: "float64" });
      opt.step();
      step.forEach((g, i) => {
        p[i] = p[i]! * (1 - lr * weightDecay) - lr * Math.sign(betas[0] * mean[i]! + (1 - betas[0]) * g);
        mean[i] = betas[1] * mean[i]! + (1 - betas[1]) * g;
      });
      (w.toArray() as number[]).forEach((value, i) => expect(value).toBeCloseTo(p[i]!, 12));
    }
  });
});

test.each([
  ["RMSprop", { alpha: 1 }, /alpha/],
  ["RMSprop", { centered: 1 }, /centered is not valid.*a boolean/],
  ["RMSprop", { momentum: -1 }, /momentum/],
  ["Adagrad", { lrDecay: -1 }, /lrDecay/],
  ["Adagrad", { initialAccumulatorValue: Number.NaN }, /initialAccumulatorValue/],
  ["Lion", { betas: [0.9] }, /betas is not valid/],
  ["Lion", { lr: -1 }, /lr is not valid/],
] as const)("%s refuses %o", (name, options, text) => {
  refused(() => new optim[name]([leaf([1])], options as never), "ERR_ARGUMENT", text);
});
