import { inspect } from "node:util";
import { arange, isTensor, nn, noGrad, ones, optim, type Tensor, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

const refused = (f: () => unknown, code: string, text: RegExp): void => {
  expect(f).toThrow(expect.objectContaining({ name: "NablaError", code, message: expect.stringMatching(text) }));
};
const names = (entries: [string, unknown][]): string[] => entries.map(([name]) => name);

class Block extends nn.Module {
  scale = new nn.Parameter(ones([2]));
  mean = new nn.Buffer(zeros([2]));
  count = new nn.Buffer(zeros([], { dtype: "int32" }), { persistent: false });
  constant = ones([2]);
  override forward(x: Tensor): Tensor {
    return x.sub(this.mean).mul(this.scale);
  }
}

class Net extends nn.Module {
  private first = new nn.Linear(2, 2);
  blocks = [new Block(), new Block()];
  heads = { a: new nn.Linear(2, 1, { bias: false }), list: [new nn.Parameter(zeros([3]))] };
  tied = this.heads.a;
  owner: nn.Module | null = null;
  settings = { rate: 0.1, words: ["x"] };
  override forward(x: Tensor): Tensor {
    return this.heads.a.forward(this.blocks.reduce((y, block) => block.forward(y), this.first.forward(x)));
  }
}

describe("what a module holds", () => {
  const net = new Net();
  net.owner = net;

  test("parameters, in order, through arrays and plain objects, each once, in spite of a cycle", () => {
    const found = ["first.weight", "first.bias", "blocks.0.scale", "blocks.1.scale", "heads.a.weight", "heads.list.0"];
    expect(names(net.namedParameters())).toEqual(found);
    expect(net.parameters()).toHaveLength(found.length);
    expect(net.parameters().every((p) => p instanceof nn.Parameter && isTensor(p) && p.requiresGrad && p.isLeaf)).toBe(
      true,
    );
  });
  test("buffers", () => {
    expect(names(net.namedBuffers())).toEqual(["blocks.0.mean", "blocks.0.count", "blocks.1.mean", "blocks.1.count"]);
    expect(net.buffers().every((b) => b instanceof nn.Buffer && !b.requiresGrad)).toBe(true);
  });
  test("modules and children", () => {
    expect(names(net.namedModules())).toEqual(["", "first", "blocks.0", "blocks.1", "heads.a"]);
    expect(names(net.namedChildren())).toEqual(["first", "blocks.0", "blocks.1", "heads.a", "owner"]);
    expect(net.children()[0]).toBeInstanceOf(nn.Linear);
    expect(net.modules()[0]).toBe(net);
  });
  test("apply visits children before their parents, each once", () => {
    const seen: nn.Module[] = [];
    expect(net.apply((module) => seen.push(module))).toBe(net);
    expect(seen).toHaveLength(5);
    expect(seen[4]).toBe(net);
  });
  test("train and eval reach everything", () => {
    expect(net.eval()).toBe(net);
    expect(net.modules().map((module) => module.training)).toEqual([false, false, false, false, false]);
    expect(
      net
        .train()
        .modules()
        .every((module) => module.training),
    ).toBe(true);
    refused(() => net.train(1 as never), "ERR_ARGUMENT", /boolean/);
  });
  test("zeroGrad", () => {
    const small = new Net();
    small
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(small.parameters().filter((p) => p.grad !== null)).toHaveLength(5);
    small.zeroGrad();
    expect(small.parameters().every((p) => p.grad === null)).toBe(true);
  });
  test("a module without forward says so", () => {
    class Bag extends nn.Module {}
    refused(() => new Bag().forward(), "ERR_ARGUMENT", /^Bag: has no forward/);
  });
});

describe("parameters and buffers", () => {
  test("share the storage of their data, and stay outside its graph", () => {
    const data = tensor([1, 2], { requiresGrad: true });
    const p = new nn.Parameter(data.mul(2));
    expect(p.isLeaf).toBe(true);
    const source = tensor([1, 2]);
    const q = new nn.Parameter(source);
    source.assign(5);
    expect(q.toArray()).toEqual([5, 5]);
  });
  test("a view with strides is copied", () => {
    expect(
      new nn.Parameter(
        tensor([
          [1, 2],
          [3, 4],
        ]).t(),
      ).strides,
    ).toEqual([2, 1]);
  });
  test("without requiresGrad", () => {
    const p = new nn.Parameter(arange(3), { requiresGrad: false });
    expect([p.requiresGrad, p.dtype]).toEqual([false, "int32"]);
  });
  test("results of ops are plain tensors", () => {
    expect(new nn.Parameter(ones([2])).mul(2)).not.toBeInstanceOf(nn.Parameter);
  });
  test("refused", () => {
    refused(() => new nn.Parameter([1] as never), "ERR_ARGUMENT", /expected a tensor/);
    refused(() => new nn.Parameter(arange(3)), "ERR_GRADIENT", /float/);
    refused(
      () => new nn.Parameter(ones([1]), { requireGrad: true } as never),
      "ERR_ARGUMENT",
      /did you mean "requiresGrad"/,
    );
    refused(() => new nn.Buffer(undefined as never), "ERR_ARGUMENT", /expected a tensor/);
  });
  test("print", () => {
    expect(inspect(new nn.Parameter(ones([2])))).toBe("Parameter containing:\ntensor([1., 1.], dtype=float32)");
  });
});

describe("integer and bool buffers", () => {
  class Counters extends nn.Module {
    scale = new nn.Parameter(ones([2]));
    seen = new nn.Buffer(zeros([2], { dtype: "int32" }));
    small = new nn.Buffer(zeros([1], { dtype: "uint8" }));
    ready = new nn.Buffer(zeros([1], { dtype: "bool" }));
    override forward(x: Tensor): Tensor {
      return x;
    }
  }
  const state = (changes: Record<string, Tensor> = {}): Record<string, Tensor> => ({
    scale: tensor([5, 6]),
    seen: tensor([3, -2147483648]),
    small: tensor(BigInt64Array.of(255n)),
    ready: tensor([1], { dtype: "float16" }),
    ...changes,
  });
  const read = (model: Counters): unknown =>
    Object.values(model.stateDict()).map((x) => Array.from(x.toTypedArray() as ArrayLike<number>, Number));

  test("take floats and wider integers that they hold exactly", () => {
    const model = new Counters();
    model.loadStateDict(state());
    expect(read(model)).toEqual([[5, 6], [3, -2147483648], [255], [1]]);
    expect(model.seen.dtype).toBe("int32");
  });
  test.each([
    ["seen", tensor([1, 0.5]), "0.5"],
    ["seen", tensor([1, Number.NaN]), "NaN"],
    ["seen", tensor([2147483648, 0]), "2147483648"],
    ["seen", tensor(BigInt64Array.of(0n, -2147483649n)), "-2147483649"],
    ["small", tensor([-1]), "-1"],
    ["small", tensor(Int32Array.of(256)), "256"],
    ["ready", tensor([2], { dtype: "bfloat16" }), "2"],
    ["ready", tensor(Uint8Array.of(2)), "2"],
  ])("refuse others by name: %s, %s", (name, value, shown) => {
    const model = new Counters();
    const before = read(model);
    const text = new RegExp(`${name}: expected \\w+, got ${shown} in \\w+`);
    refused(() => model.loadStateDict(state({ [name]: value })), "ERR_DTYPE", text);
    expect(read(model)).toEqual(before);
  });
  test("are copied between modules in the same way", () => {
    class Floats extends nn.Module {
      scale = new nn.Parameter(ones([2]));
      seen = new nn.Buffer(tensor([7, 8]));
      small = new nn.Buffer(tensor([9]));
      ready = new nn.Buffer(tensor([0]));
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    const model = new Counters();
    model.copyFrom(new Floats());
    expect(read(model)).toEqual([[1, 1], [7, 8], [9], [0]]);
    const other = new Floats();
    other.small.assign(9.5);
    refused(() => model.copyFrom(other), "ERR_DTYPE", /^copyFrom: .*small: expected uint8, got 9\.5 in float32/);
    expect(read(model)).toEqual([[1, 1], [7, 8], [9], [0]]);
  });
});

describe("stateDict and loadStateDict", () => {
  const filled = (value: number) => {
    const net = new Net();
    noGrad(() => {
      for (const p of net.parameters()) p.assign(value);
    });
    return net;
  };
  const keys = [
    "first.weight",
    "first.bias",
    "blocks.0.scale",
    "blocks.0.mean",
    "blocks.1.scale",
    "blocks.1.mean",
    "heads.a.weight",
    "heads.list.0",
  ];

  test("names of parameters and lasting buffers, ties once", () => {
    expect(Object.keys(filled(1).stateDict())).toEqual(keys);
  });
  test("the tensors are the module's own storage, outside the graph", () => {
    const net = filled(1);
    const state = net.stateDict();
    noGrad(() => net.heads.a.weight.assign(4));
    expect(state["heads.a.weight"]!.toArray()).toEqual([[4, 4]]);
    expect(state["heads.a.weight"]!.requiresGrad).toBe(false);
  });
  test("written in place, in the module's dtype", () => {
    const net = filled(1);
    const before = net.parameters();
    const state = Object.fromEntries(Object.entries(filled(3).stateDict()).map(([name, x]) => [name, x.to("float64")]));
    expect(net.loadStateDict(state)).toEqual({ missing: [], unexpected: [] });
    expect(net.parameters()).toEqual(before);
    expect(net.parameters().every((p) => p.dtype === "float32" && p.eq(3).all().item() === 1)).toBe(true);
  });
  test("a tie may come under any of its names, or all", () => {
    const { "heads.a.weight": weight, ...rest } = filled(3).stateDict();
    expect(filled(1).loadStateDict({ ...rest, "tied.weight": weight! })).toEqual({ missing: [], unexpected: [] });
    expect(filled(1).loadStateDict({ ...rest, "tied.weight": weight!, "heads.a.weight": weight! }).unexpected).toEqual(
      [],
    );
  });
  test("all that is missing and unexpected is named, and nothing is written", () => {
    const net = filled(1);
    const { "first.bias": _, "blocks.0.scale": __, ...rest } = filled(3).stateDict();
    refused(
      () => net.loadStateDict({ ...rest, extra: ones([1]), more: ones([1]) }),
      "ERR_ARGUMENT",
      /missing are first\.bias, blocks\.0\.scale; unexpected are extra, more/,
    );
    expect(net.parameters().every((p) => p.eq(1).all().item() === 1)).toBe(true);
    expect(net.loadStateDict({ ...rest, extra: ones([1]) }, { strict: false })).toEqual({
      missing: ["first.bias", "blocks.0.scale"],
      unexpected: ["extra"],
    });
    expect(net.heads.a.weight.toArray()).toEqual([[3, 3]]);
  });
  test("all shapes that differ are named, also when not strict", () => {
    const net = filled(1);
    const state = { ...filled(3).stateDict(), "first.bias": ones([3]), "heads.list.0": ones([1, 3]) };
    const text = /first\.bias: expected \[2\], got \[3\]; heads\.list\.0: expected \[3\], got \[1, 3\]/;
    refused(() => net.loadStateDict(state, { strict: false }), "ERR_SHAPE", text);
    expect(net.heads.a.weight.toArray()).toEqual([[1, 1]]);
  });
  test("no broadcasting", () => {
    refused(() => new nn.Linear(2, 2).loadStateDict({ weight: ones([1, 2]), bias: ones([2]) }), "ERR_SHAPE", /weight/);
  });
  test("refused values", () => {
    refused(
      () => new Block().loadStateDict({ scale: [1, 1], mean: zeros([2]) } as never),
      "ERR_ARGUMENT",
      /scale is not a tensor/,
    );
    refused(() => new Block().loadStateDict(null as never), "ERR_ARGUMENT", /object of tensors/);
    refused(() => new Block().loadStateDict(ones([2]) as never), "ERR_ARGUMENT", /object of tensors/);
  });
  test("rename", () => {
    const block = new Block();
    const state = { "module.scale": zeros([2]), "module.mean": ones([2]) };
    block.loadStateDict(state, { rename: (name) => name.replace("module.", "") });
    expect(block.mean.toArray()).toEqual([1, 1]);
  });

  class Twins extends nn.Module {
    inProjWeight = new nn.Parameter(zeros([1]));
    running_mean = new nn.Buffer(zeros([1]));
    w1 = new nn.Parameter(zeros([1]));
  }
  test("camelCase and snake_case twins", () => {
    const twins = new Twins();
    twins.loadStateDict({ in_proj_weight: ones([1]), runningMean: ones([1]), w1: ones([1]) });
    expect([twins.inProjWeight.item(), twins.running_mean.item()]).toEqual([1, 1]);
  });
  test("a twin does not take the place of the name itself, nor stand for two", () => {
    const twins = new Twins();
    const both = { in_proj_weight: ones([1]), inProjWeight: ones([1]).mul(2), running_mean: ones([1]), w1: ones([1]) };
    expect(twins.loadStateDict(both, { strict: false }).unexpected).toEqual(["in_proj_weight"]);
    expect(twins.inProjWeight.item()).toBe(2);
    class Ambiguous extends nn.Module {
      aB = new nn.Parameter(zeros([1]));
      a_b = new nn.Parameter(zeros([1]));
    }
    expect(new Ambiguous().loadStateDict({ aB: ones([1]), a_b: ones([1]) }).missing).toEqual([]);
  });
});

describe("clone, copyFrom, to", () => {
  test("a clone has the structure and ties, and values of its own", () => {
    const net = new Net();
    net.owner = net;
    net.eval();
    const copy = net.clone();
    expect(copy).toBeInstanceOf(Net);
    expect(copy.owner).toBe(copy);
    expect(copy.tied).toBe(copy.heads.a);
    expect(copy.tied).not.toBe(net.tied);
    expect(names(copy.namedParameters())).toEqual(names(net.namedParameters()));
    expect(copy.modules().every((module) => !module.training)).toBe(true);
    expect(copy.parameters().every((p) => p instanceof nn.Parameter && p.requiresGrad)).toBe(true);
    expect(copy.blocks[0]!.count.persistent).toBe(false);
    const x = tensor([[1, 2]]);
    expect(copy.forward(x).toArray()).toEqual(net.forward(x).toArray());
    noGrad(() => net.heads.a.weight.assign(0));
    expect(copy.forward(x).item()).not.toBe(0);
    copy.copyFrom(net);
    expect(copy.forward(x).item()).toBe(0);
  });
  test("copyFrom refuses what is no module or has another structure", () => {
    refused(() => new Net().copyFrom({} as never), "ERR_ARGUMENT", /expected a module/);
    refused(() => new Net().copyFrom(new Block()), "ERR_ARGUMENT", /missing are/);
  });
  test("to converts in place, gradients too, and optimizers made before go on", () => {
    const net = new Net();
    const opt = new optim.SGD(net.parameters(), { lr: 1 });
    const before = net.heads.a.weight;
    net
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(net.to("float64")).toBe(net);
    expect(net.heads.a.weight).toBe(before);
    expect([before.dtype, before.grad!.dtype, net.blocks[0]!.mean.dtype]).toEqual(["float64", "float64", "float64"]);
    expect(net.blocks[0]!.count.dtype).toBe("int32");
    const expected = before.sub(before.grad!).toArray();
    opt.step();
    expect(before.toArray()).toEqual(expected);
    net.zeroGrad();
    net
      .forward(ones([1, 2], { dtype: "float64" }))
      .sum()
      .backward();
    opt.step();
    refused(() => net.to("int32"), "ERR_DTYPE", /floats/);
    refused(() => net.to("f32" as never), "ERR_DTYPE", /unknown dtype/);
  });
});

describe("hooks", () => {
  test("fire when forward is called, may replace, and go away", () => {
    const layer = new nn.Linear(1, 1);
    noGrad(() => layer.loadStateDict({ weight: ones([1, 1]), bias: zeros([1]) }));
    const seen: string[] = [];
    const removeBefore = layer.registerForwardPreHook((module, [x]) => {
      seen.push(`before ${module === layer} ${x.item()}`);
      return [x.mul(10)];
    });
    const removeAfter = layer.registerForwardHook((_, [x], y) => {
      seen.push(`after ${x.item()}`);
      return y.add(1);
    });
    expect(layer.forward(tensor([2])).item()).toBe(21);
    expect(new nn.Sequential(layer).forward(tensor([3])).item()).toBe(31);
    expect(seen).toEqual(["before true 2", "after 20", "before true 3", "after 30"]);
    removeBefore();
    expect(layer.forward(tensor([2])).item()).toBe(3);
    removeAfter();
    expect(layer.forward(tensor([2])).item()).toBe(2);
  });
  test("are functions; the error names the method", () => {
    const layer = new nn.Linear(1, 1);
    for (const name of ["registerForwardPreHook", "registerForwardHook"] as const)
      expect(() => layer[name](3 as never)).toThrow(`${name}: a hook is not valid; expected a function, got 3`);
  });
  test("are not part of the state, and stay behind in a clone", () => {
    const layer = new nn.Linear(1, 1);
    let calls = 0;
    layer.registerForwardHook(() => {
      calls++;
    });
    const copy = layer.clone();
    copy.forward(ones([1]));
    expect(calls).toBe(0);
    expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
  });
  test("the same hook twice counts twice", () => {
    const layer = new nn.Identity();
    let calls = 0;
    const hook = () => {
      calls++;
    };
    const remove = layer.registerForwardHook(hook);
    layer.registerForwardHook(hook);
    remove();
    layer.forward(ones([1]));
    expect(calls).toBe(1);
  });
  test("refused", () => {
    const layer = new nn.Identity();
    refused(() => layer.registerForwardHook(3 as never), "ERR_ARGUMENT", /expected a function/);
    layer.registerForwardPreHook((() => 3) as never);
    refused(() => layer.forward(ones([1])), "ERR_ARGUMENT", /return all inputs/);
  });
});

test("prints its structure", () => {
  const net = new nn.Sequential(
    new nn.Linear(2, 3),
    new nn.Sequential(new nn.ReLU(), new nn.Dropout(0.25)),
    (x) => x,
    new nn.ModuleList([new nn.Flatten()]) as never,
  );
  expect(inspect(net)).toBe(`Sequential(
  (0): Linear(inFeatures=2, outFeatures=3, bias=true)
  (1): Sequential(
    (0): ReLU()
    (1): Dropout(p=0.25)
  )
  (3): ModuleList(
    (0): Flatten(start=1, end=-1)
  )
)`);
});
