import { readFileSync } from "node:fs";
import {
  type GruResult,
  grad,
  gradcheck,
  type LstmResult,
  lstm,
  manualSeed,
  nn,
  optim,
  rand,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from "nabla";
import { describe, expect, test } from "vitest";

type Values = number | boolean | Values[];
interface Golden {
  recurrent: {
    kind: "LSTM" | "GRU";
    options: nn.RecurrentOptions;
    state: Record<string, Values>;
    x: Values;
    states: Record<string, Values>;
    results: Values[];
    cotangents: Values[];
    gradients: Values[];
  }[];
  encoder: {
    options: nn.TransformerEncoderLayerOptions;
    masks: Record<string, Values>;
    state: Record<string, Values>;
    x: Values;
    out: Values;
    cotangent: Values;
    gradients: Values[];
  }[];
  similarities: {
    name: "normalize" | "cosineSimilarity";
    inputs: Values[];
    options: object;
    out: Values;
    cotangent: Values;
    gradients: Values[];
  }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

const make = (values: Values): Tensor => tensor(values as number[], { dtype: "float64" });
const leaf = (values: Values): Tensor => tensor(values as number[], { dtype: "float64", requiresGrad: true });
function close(actual: Tensor, expected: Values, tolerance = 1e-12): void {
  const [a, b] = [[actual.toArray()].flat(9), [expected].flat(9)] as [number[], number[]];
  expect(a).toHaveLength(b.length);
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b[i]!)));
  });
}
function load(layer: nn.Module, state: Record<string, Values>): void {
  expect(Object.keys(layer.stateDict())).toEqual(Object.keys(state));
  layer.loadStateDict(Object.fromEntries(Object.entries(state).map(([key, values]) => [key, make(values)])));
}
const inOrder = (result: GruResult | LstmResult): Tensor[] => Object.values(result);

describe("as PyTorch", () => {
  test.each(golden.recurrent.map((of, i) => [`${of.kind} ${JSON.stringify(of.options)} ${i}`, of] as const))(
    "%s",
    (_, of) => {
      const layer = new nn[of.kind](3, 2, { ...of.options, dtype: "float64" });
      load(layer, of.state);
      const x = leaf(of.x);
      const states = Object.fromEntries(Object.entries(of.states).map(([name, values]) => [name, leaf(values)]));
      const results = inOrder(layer.forward(x, states));
      expect(results).toHaveLength(of.results.length);
      results.forEach((result, i) => {
        close(result, of.results[i]!);
      });
      const total = results.map((r, i) => r.mul(make(of.cotangents[i]!)).sum()).reduce((a, b) => a.add(b));
      grad(total, [x, ...Object.values(states), ...layer.parameters()]).forEach((g, i) => {
        close(g!, of.gradients[i]!);
      });
    },
  );

  test.each(golden.encoder.map((of) => [`${JSON.stringify(of.options)} ${Object.keys(of.masks)}`, of] as const))(
    "TransformerEncoderLayer %s",
    (_, of) => {
      const layer = new nn.TransformerEncoderLayer(4, 2, {
        dimFeedforward: 6,
        dropout: 0,
        ...of.options,
        dtype: "float64",
      });
      load(layer, of.state);
      const masks = Object.fromEntries(
        Object.entries(of.masks).map(([name, values]) => [name, tensor(values as never, { dtype: "bool" })]),
      );
      const x = leaf(of.x);
      const out = layer.forward(x, masks);
      close(out, of.out, 1e-11);
      grad(out, [x, ...layer.parameters()], { gradOutputs: make(of.cotangent) }).forEach((g, i) => {
        close(g!, of.gradients[i]!, 1e-11);
      });
      if (Object.keys(of.masks).join() === "srcMask") close(layer.forward(x, { isCausal: true }), of.out, 1e-11);
    },
  );

  test.each(golden.similarities)("$name $options", ({ name, inputs, options, out, cotangent, gradients }) => {
    const xs = inputs.map(leaf);
    const f = nn.functional[name] as (...args: unknown[]) => Tensor;
    const y = f(...xs, options);
    close(y, out);
    grad(y, xs, { gradOutputs: make(cotangent) }).forEach((g, i) => {
      close(g!, gradients[i]!);
    });
  });
});

describe.each(["LSTM", "GRU"] as const)("%s", (kind) => {
  const layer = new nn[kind](2, 2, { numLayers: 2, bidirectional: true, dtype: "float64" });
  const run = (x: Tensor): Tensor =>
    inOrder(layer.forward(x)).reduce((sum, r) => sum.add(r.sum()), zeros([], { dtype: "float64" }));

  test("derivatives to second order", () => {
    const x = rand([3, 2, 2], { dtype: "float64" });
    expect(gradcheck(run, [x])).toBe(true);
    expect(gradcheck((y: Tensor) => grad((z: Tensor) => run(z).square())(y), [x])).toBe(true);
  });

  test("without a batch, and under vmap, as one by one", () => {
    const x = rand([4, 3, 2], { dtype: "float64" });
    const single = vmap((one: Tensor) => layer.forward(one).output)(x);
    const batch = layer.forward(x.transpose(0, 1)).output.transpose(0, 1);
    close(single, batch.toArray<Values[]>(), 1e-14);
    close(layer.forward(x.at(1)).output, batch.at(1).toArray<Values[]>(), 1e-14);
  });

  test("dropout between layers only while training", () => {
    const net = new nn[kind](2, 3, { numLayers: 2, dropout: 0.5 });
    const x = rand([4, 2, 2]);
    const same = (): boolean => net.forward(x).output.eq(net.forward(x).output).all().item() === 1;
    expect(same()).toBe(false);
    net.eval();
    expect(same()).toBe(true);
  });

  test.each([
    ["ERR_SHAPE", /is no sequence; expected \[t, n, features\]/, (): unknown => layer.forward(rand([2]))],
    ["ERR_SHAPE", /weightIh of weights 0 does not fit/, (): unknown => layer.forward(rand([3, 2, 5]))],
    ["ERR_SHAPE", /the sequence is empty/, (): unknown => layer.forward(rand([0, 2, 2]))],
    [
      "ERR_SHAPE",
      /h0 does not fit; expected \[4, 2, 2\], got \[1, 2, 2\]/,
      (): unknown => layer.forward(rand([3, 2, 2]), { h0: zeros([1, 2, 2]) }),
    ],
    ["ERR_DTYPE", /a float dtype/, (): unknown => layer.forward(zeros([3, 2, 2], { dtype: "int32" }))],
    ["ERR_ARGUMENT", /hiddenSize is not valid/, (): unknown => new nn[kind](2, 0)],
    [
      "ERR_ARGUMENT",
      /dropout is not valid; expected a number from 0 to 1, got 2/,
      (): unknown => new nn[kind](2, 2, { dropout: 2 }),
    ],
    ["ERR_ARGUMENT", /did you mean "numLayers"/, (): unknown => new nn[kind](2, 2, { numLayer: 2 } as never)],
  ] as const)("refuses: %s %s", (code, message, call) => {
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

test("lstm refuses weights that are none, and one bias without the other", () => {
  const refused = (weights: unknown, message: RegExp): void =>
    expect(() => lstm(rand([3, 2, 2]), weights as never)).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringMatching(message) }),
    );
  refused([], /the weights are not valid/);
  refused([{}], /weightHh is not valid; expected a tensor/);
  refused(
    [{ weightIh: zeros([8, 2]), weightHh: zeros([8, 2]), biasIh: zeros([8]) }],
    /one bias of weights 0 is missing/,
  );
});

test("Embedding looks rows up; nothing flows through the row of paddingIdx, which is zeros", () => {
  const table = new nn.Embedding(4, 2, { paddingIdx: -1 });
  const index = tensor(
    [
      [0, 3],
      [3, 1],
    ],
    { dtype: "int32" },
  );
  const rows = table.forward(index);
  expect(rows.at(0, 0).toArray()).toEqual(table.weight.at(0).toArray());
  expect(rows.at(0, 1).toArray()).toEqual([0, 0]);
  rows.sum().backward();
  expect(table.weight.grad!.toArray()).toEqual([
    [1, 1],
    [1, 1],
    [0, 0],
    [0, 0],
  ]);
  expect(() => new nn.Embedding(4, 2, { paddingIdx: 4 })).toThrow(expect.objectContaining({ code: "ERR_INDEX" }));
});

test("an LSTM learns to add the two marked numbers of a sequence", () => {
  manualSeed(1); // of 25 seeds one is not there yet after so few steps
  const net = new nn.LSTM(2, 12);
  const head = new nn.Linear(12, 1);
  const opt = new optim.Adam([...net.parameters(), ...head.parameters()], { lr: 0.02 });
  const batch = (): [Tensor, Tensor] => {
    const values = rand([6, 64]);
    const order = rand([6, 64]).argsort(0);
    const marks = order.lt(2).to("float32");
    const x = tensor([0]).add(values).unsqueeze(2);
    return [nn.functional.pad(x, [0, 1]).add(nn.functional.pad(marks.unsqueeze(2), [1, 0])), values.mul(marks).sum(0)];
  };
  const error = (): Tensor => {
    const [x, y] = batch();
    return nn.functional.mseLoss(head.forward(net.forward(x).hn.at(0)).squeeze(1), y);
  };
  for (let i = 0; i < 250; i++) {
    const loss = error();
    opt.zeroGrad();
    loss.backward();
    opt.step();
  }
  // The mean of all sums alone would leave their variance, 1/6.
  expect(error().item()).toBeLessThan(0.04);
});
