import {
  cat,
  checkpoint,
  crossEntropy,
  type Graph,
  grad,
  graph,
  manualSeed,
  NablaError,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  rmsNorm,
  scalar,
  type Tensor,
  tensor,
} from "nabla";
import { describe, expect, it } from "vitest";

const leaf = (value: number) => scalar(value, { requiresGrad: true, dtype: "float64" });
/** Nodes by label; every label is expected once. */
const byLabel = ({ nodes }: Graph) => {
  expect(new Set(nodes.map(({ label }) => label)).size).toBe(nodes.length);
  return Object.fromEntries(nodes.map((node) => [node.label, node]));
};
const code = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    if (error instanceof NablaError) return error.code;
    throw error;
  }
  return "nothing was thrown";
};

/** sigmoid(a * x + b) at a = 2, x = 0.75, b = -1: sigmoid(0.5) = 0.62246, and its slope there is 0.23500. */
function neuron() {
  const [a, x, b] = [leaf(2), leaf(0.75), leaf(-1)];
  const y = a.mul(x).add(b).sigmoid();
  return { a, x, b, y, draw: () => graph(y, { gradients: true, names: { a, x, b, y } }) };
}

describe("graph of sigmoid(a * x + b)", () => {
  it("as dot", () => {
    expect(neuron().draw().toDot()).toBe(`digraph {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=11];
  edge [color="#666666", fontname="monospace", fontsize=10];
  node [fillcolor="#e6f4e7", color="#3c8a47"];
  n0 [label="a\\n2\\ngrad 0.1763"];
  n1 [label="x\\n0.75\\ngrad 0.47"];
  n3 [label="b\\n-1\\ngrad 0.235"];
  node [fillcolor="#e8eefb", color="#4469b0"];
  n2 [label="mul\\n1.5\\ngrad 0.235"];
  n4 [label="add\\n0.5\\ngrad 0.235"];
  n5 [label="y = sigmoid\\n0.6225\\ngrad 1"];
  n0 -> n2 [label="0.75"];
  n1 -> n2 [label="2"];
  n2 -> n4 [label="1"];
  n3 -> n4 [label="1"];
  n4 -> n5 [label="0.235"];
}
`);
  });

  it("as mermaid", () => {
    expect(neuron().draw().toMermaid()).toBe(`flowchart LR
  n0(["a<br/>2<br/>grad 0.1763"]):::leaf
  n1(["x<br/>0.75<br/>grad 0.47"]):::leaf
  n2["mul<br/>1.5<br/>grad 0.235"]:::op
  n3(["b<br/>-1<br/>grad 0.235"]):::leaf
  n4["add<br/>0.5<br/>grad 0.235"]:::op
  n5["y = sigmoid<br/>0.6225<br/>grad 1"]:::op
  n0 -->|"0.75"| n2
  n1 -->|"2"| n2
  n2 -->|"1"| n4
  n3 -->|"1"| n4
  n4 -->|"0.235"| n5
  classDef leaf fill:#e6f4e7,stroke:#3c8a47,color:#111111
  classDef op fill:#e8eefb,stroke:#4469b0,color:#111111
`);
  });

  it("is the same after backward, and touches no gradient", () => {
    const { a, y, draw } = neuron();
    const before = draw().toDot();
    expect(a.grad).toBeNull();
    y.backward();
    const gradient = a.grad!.item();
    expect(draw().toDot()).toBe(before);
    expect(a.grad!.item()).toBe(gradient);
  });

  it("leaves backward as it was, with hooks called once", () => {
    const { a, y, draw } = neuron();
    let calls = 0;
    a.registerHook(() => void calls++);
    draw();
    expect(calls).toBe(0);
    y.backward();
    expect(calls).toBe(1);
  });

  it("without gradients shows values and local derivatives only", () => {
    const { nodes, edges } = graph(neuron().y);
    expect(nodes.map(({ gradient }) => gradient)).toEqual(nodes.map(() => null));
    expect(edges.map(({ derivative }) => derivative)).toEqual(["0.75", "2", "1", "1", "0.235"]);
    expect(nodes.map(({ label }) => label)).toEqual(["variable", "variable", "mul", "variable", "add", "sigmoid"]);
  });
});

describe("what is drawn", () => {
  it("a tensor that is used twice, once, with an edge for each use", () => {
    const x = leaf(3);
    const { nodes, edges } = graph(x.mul(x), { gradients: true });
    expect(nodes.map(({ label, gradient }) => [label, gradient])).toEqual([
      ["variable", "6"],
      ["mul", "1"],
    ]);
    expect(edges).toEqual([
      { from: "n0", to: "n1", derivative: "3" },
      { from: "n0", to: "n1", derivative: "3" },
    ]);
  });

  it("a constant that is used twice, once, and by its name, also after backward", () => {
    const [x, c] = [leaf(2), scalar(5, { dtype: "float64" })];
    const y = x.mul(c).add(c);
    y.backward();
    const g = graph(y, {
      names: new Map([
        [c, "c"],
        [x, "x"],
      ]),
    });
    expect(byLabel(g).c).toMatchObject({ kind: "constant", value: "5" });
    expect(g.edges).toHaveLength(4);
  });

  it("numbers, each where it stands", () => {
    const { nodes } = graph(leaf(2).mul(3).add(3));
    expect(nodes.filter(({ kind }) => kind === "number").map(({ label, value }) => [label, value])).toEqual([
      ["3", null],
      ["3", null],
    ]);
  });

  it("views, and gradients through them", () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    const y = x
      .t()
      .at(1)
      .mul(tensor([10, 20]))
      .sum();
    y.backward();
    const g = byLabel(graph(y, { gradients: true, names: { x } }));
    expect(g.permute).toMatchObject({ value: "[[1, 3], [2, 4]]", gradient: "[[0, 0], [10, 20]]" });
    expect(g.x!.gradient).toBe("[[0, 10], [0, 20]]");
    expect(g.sum).toMatchObject({ value: "100", gradient: "1" });
  });

  it("an op of many inputs", () => {
    const [x, c] = [tensor([1, 2], { requiresGrad: true }), tensor([7])];
    const y = cat([x, c, x.mul(2), x])
      .square()
      .sum();
    const g = byLabel(graph(y, { gradients: true, names: { x, c } }));
    expect(g.cat).toMatchObject({ value: "[1, 2, 7, 2, 4, 1, 2]", gradient: "[2, 4, 14, 4, 8, 2, 4]" });
    // From cat twice, and twice as much from x * 2.
    expect(g.x!.gradient).toBe("[12, 24]");
  });

  it("a network, as backward has it", () => {
    manualSeed(1);
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.Tanh(), new nn.Linear(2, 2));
    const loss = crossEntropy(model.forward(randn([4, 2])), tensor([0, 1, 1, 0], { dtype: "int32" }));
    loss.backward();
    const names = Object.fromEntries(model.namedParameters());
    const { nodes } = graph(loss, { gradients: true, names });
    for (const [name, p] of model.namedParameters()) {
      const shown = nodes.find(({ label }) => label === name)!;
      const numbers = JSON.parse(`[${shown.gradient!.replace(/[[\]]/g, "")}]`) as number[];
      const exact = [...p.grad!.toTypedArray()].map(Number);
      numbers.forEach((x, i) => expect(Math.abs(x - exact[i]!)).toBeLessThanOrEqual(6e-4 * Math.abs(exact[i]!) + 1e-7));
      expect(numbers).toHaveLength(exact.length);
    }
  });

  it("what runs again where it is differentiated: checkpoint, and the gradient of a norm", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = checkpoint((x: Tensor) => x.square().mul(3), x).sum();
    expect(byLabel(graph(y, { gradients: true, names: { x } })).x!.gradient).toBe("[6, 12]");
    const weight = tensor([1, 2, 4], { requiresGrad: true });
    const f = (x: Tensor) => rmsNorm(x, 3, { weight }).square().sum();
    const slope = grad(f)(tensor([1, 3, 2])).at(0);
    const { nodes } = graph(slope, { gradients: true, names: { weight } });
    const labels = nodes.map(({ label }) => label);
    expect(labels).toContain("rmsNormBackward");
    slope.backward();
    const shown = JSON.parse(nodes[labels.indexOf("weight")]!.gradient!) as number[];
    weight.grad!.toArray<number[]>().forEach((exact, i) => {
      expect(shown[i]).toBeCloseTo(exact, 3);
    });
  });

  it("dropout, with the mask it had", () => {
    const x = ones([8]);
    x.requiresGrad = true;
    const y = x.dropout(0.5);
    const drawn = graph(y).nodes.at(-1)!.value;
    expect(drawn).toBe(`[${y.toArray<number[]>().join(", ")}]`);
  });

  it("leaves as they are now", () => {
    const x = leaf(1);
    const y = x.mul(2);
    noGrad(() => x.assign(5));
    expect(graph(y).nodes.map(({ value }) => value)).toEqual(["5", null, "10"]);
  });

  it("a tensor without a graph as what it is", () => {
    expect(graph(tensor([1n, 2n])).nodes).toEqual([
      { id: "n0", kind: "constant", label: "constant", value: "[1, 2]", gradient: null },
    ]);
  });

  it("zero where no gradient arrives", () => {
    const x = leaf(1.5);
    expect(graph(x.floor().add(x), { gradients: true }).nodes.find(({ label }) => label === "floor")!.gradient).toBe(
      "1",
    );
    const g = graph(x.floor().mul(1), { gradients: true, names: { x } });
    expect(g.nodes[0]).toMatchObject({ label: "x", gradient: "0" });
  });
});

describe("what the graph has not kept", () => {
  // The 100 numbers are no operand that a rule needs once backward has passed, and too many to keep for drawing.
  const large = () => {
    const x = tensor([1, 2], { requiresGrad: true, dtype: "float64" });
    const total = x.sum();
    return { x, total, y: total.mul(ones([100], { dtype: "float64" })).sum() };
  };

  it("is computed from what backward will need, before", () => {
    const { y, x, total } = large();
    const g = byLabel(graph(y, { gradients: true, names: { x, total } }));
    expect(g.x!.gradient).toBe("[100, 100]");
  });

  it("is shown by its shape after, and so is what hangs on it, and nothing false is said", () => {
    const { y, x, total } = large();
    y.backward();
    const g = byLabel(graph(y, { gradients: true, names: { x, total, y } }));
    expect(g.constant).toMatchObject({ value: "float64[100]", gradient: null });
    expect(g.mul).toMatchObject({ value: "float64[100]", gradient: "float64[100]" });
    expect(g["y = sum"]).toMatchObject({ value: "300", gradient: "1" });
    expect(g["total = sum"]).toMatchObject({ value: "3", gradient: null });
    expect(g.x).toMatchObject({ value: "[1, 2]", gradient: null });
  });

  it("a leaf that was disposed of is shown by its shape", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.add(1).sum();
    x.dispose();
    expect(graph(y, { gradients: true }).nodes[0]).toMatchObject({ value: "float32[2]", gradient: "[1, 1]" });
  });
});

describe("values as text", () => {
  const text = (x: Tensor) => graph(x).nodes[0]!.value;
  it.each([
    [scalar(12345.678, { dtype: "float64" }), "12346"],
    [scalar(1234567, { dtype: "float64" }), "1234567"],
    [scalar(0.0000012345678, { dtype: "float64" }), "1.235e-6"],
    [scalar(-1.5e30, { dtype: "float64" }), "-1.5e+30"],
    [tensor([Number.NaN, Number.POSITIVE_INFINITY, -0]), "[NaN, Infinity, 0]"],
    [tensor([true, false]), "[true, false]"],
    [tensor([9007199254740993n]), "[9007199254740993]"],
    [tensor([[1], [2]]), "[[1], [2]]"],
    [ones([3, 3]), "float32[3, 3]"],
    [tensor([0.11111, 0.22222, 0.33333, 0.44444, 0.55555, 0.66666, 0.77777]), "float32[7]"],
    [ones([0]), "float32[0]"],
  ])("%#", (x, expected) => expect(text(x)).toBe(expected));
});

/** Whether a text is one well-formed XML element, by its tags, attributes and entities; returns the texts inside. */
function xmlTexts(source: string): string[] {
  const open: string[] = [];
  const texts: string[] = [];
  const token = /<(\/?)([a-z]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  const body = source.trim();
  let end = 0;
  for (let match = token.exec(body); match !== null; match = token.exec(body)) {
    const [, closing, name, attributes, empty, text] = match;
    end = token.lastIndex;
    for (const part of [attributes ?? "", text ?? ""])
      expect(part.replace(/&(amp|lt|gt|quot);|[\t\n\r]/g, "")).not.toMatch(/[&>]|\p{Cc}/u);
    if (text !== undefined) {
      if (open.at(-1) === "text")
        texts.push(
          text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
        );
    } else if (closing === "/") expect(open.pop()).toBe(name);
    else if (empty !== "/") open.push(name!);
    if (open.length === 0) break;
  }
  expect(end).toBe(body.length);
  expect(open).toEqual([]);
  return texts;
}

describe("svg", () => {
  it("is XML that holds every line of every node and edge", () => {
    const g = neuron().draw();
    const texts = xmlTexts(g.toSvg()).sort();
    const wanted = g.nodes.flatMap(({ label, value, gradient }) => [label, value!, `grad ${gradient}`]);
    expect(texts).toEqual([...wanted, ...g.edges.map(({ derivative }) => derivative!)].sort());
    for (const { id } of g.nodes) expect(g.toSvg()).toContain(`<g id="${id}">`);
  });

  it("sets every number: no NaN, nothing outside of the picture", () => {
    const svg = neuron().draw().toSvg();
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const [, width = "", height = ""] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    const boxes = [...svg.matchAll(/<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/g)].map((m) =>
      m.slice(1).map(Number),
    );
    expect(boxes.length).toBe(11);
    for (const [x = -1, y = -1, w = 0, h = 0] of boxes) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(x + w).toBeLessThanOrEqual(Number(width));
      expect(y + h).toBeLessThanOrEqual(Number(height));
    }
  });

  it("draws a deep graph", () => {
    let x: Tensor = leaf(0);
    for (let i = 0; i < 150; i++) x = x.add(1);
    expect(xmlTexts(graph(x).toSvg())).toContain("150");
  });
});

describe("names", () => {
  const nasty = 'a"b\\c<d>&e#f`\u0001\n\tg';
  const drawn = () => {
    const x = leaf(1);
    return graph(x, { names: new Map([[x, nasty]]) });
  };

  it("are escaped in dot", () => expect(drawn().toDot()).toContain('[label="a\\"b\\\\c<d>&e#f`\u0001 g\\n1"]'));
  it("are escaped in mermaid", () =>
    expect(drawn().toMermaid()).toContain('(["a#quot;b#92;c#lt;d#gt;#amp;e#35;f#96;\u0001 g<br/>1"])'));
  it("are escaped in svg", () => expect(xmlTexts(drawn().toSvg())).toEqual(['a"b\\c<d>&e#f`\ufffd g', "1"]));
  it("that are long are shortened", () => {
    const x = leaf(1);
    expect(graph(x, { names: { ["n".repeat(99)]: x } }).nodes[0]!.label).toBe(`${"n".repeat(40)}…`);
  });
});

describe("bad input", () => {
  it("is refused", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    // @ts-expect-error not a tensor
    expect(code(() => graph(3))).toBe("ERR_ARGUMENT");
    // @ts-expect-error not an option
    expect(code(() => graph(x, { gradient: true }))).toBe("ERR_ARGUMENT");
    // @ts-expect-error not a tensor
    expect(code(() => graph(x, { names: { x: 3 } }))).toBe("ERR_ARGUMENT");
    expect(code(() => graph(x, { names: new Map([[x, 3 as unknown as string]]) }))).toBe("ERR_ARGUMENT");
    expect(code(() => graph(x, { maxNodes: 0 }))).toBe("ERR_ARGUMENT");
    expect(code(() => graph(x, { gradients: true }))).toBe("ERR_GRADIENT");
    expect(code(() => graph(scalar(1), { gradients: true }))).toBe("ERR_GRADIENT");
  });

  it("a graph that is too large is refused at once, however deep", () => {
    let x: Tensor = leaf(0);
    for (let i = 0; i < 100_000; i++) x = x.add(1);
    expect(code(() => graph(x))).toBe("ERR_ARGUMENT");
    expect(code(() => graph(leaf(1).add(1), { maxNodes: 2 }))).toBe("ERR_ARGUMENT");
    expect(graph(leaf(1).add(1), { maxNodes: 3 }).nodes).toHaveLength(3);
  });
});

it("drawing in the middle of training changes nothing", () => {
  const run = (look: boolean): number[] => {
    const w = scalar(1, { requiresGrad: true });
    const opt = new optim.SGD([w], { lr: 0.1, momentum: 0.9 });
    for (let i = 0; i < 3; i++) {
      opt.zeroGrad();
      const loss = w.square();
      w.registerHook(() => void (look && graph(loss, { gradients: true })));
      loss.backward();
      opt.step();
      if (look) graph(loss, { gradients: true });
    }
    return [w.item(), w.grad!.item()];
  };
  expect(run(true)).toEqual(run(false));
});
