/** Modules and parameters in maps and sets are found by everything that walks a model. */
import { functionalCall, grad, nn, noGrad, ones, optim, scope, summary, type Tensor, tensor, vmap, zeros } from "nabla";
import { describe, expect, test } from "vitest";
import { thrown } from "../autograd/code.js";

class Grouped extends nn.Module {
  byName = new Map<string, nn.Module>([
    ["first", new nn.Linear(2, 3)],
    ["drop", new nn.Dropout(0.5)],
  ]);
  byNumber = new Map<number, unknown>([
    [7, { inner: new Set([new nn.Parameter(ones([3]))]) }],
    [8, "no tensor"],
  ]);
  scales = new Set([new nn.Parameter(ones([3])), new nn.Parameter(ones([3]))]);
  seen = new Map<string, nn.Buffer>([["count", new nn.Buffer(zeros([3]))]]);
  words = new Map(Array.from({ length: 3 }, (_, i) => [`word ${i}`, i]));
  constructor() {
    super();
    // A group that holds itself.
    this.byNumber.set(9, this.byNumber);
  }
  override forward(x: Tensor): Tensor {
    const [first, drop] = [...this.byName.values()] as [nn.Linear, nn.Dropout];
    const [inner] = [...(this.byNumber.get(7) as { inner: Set<Tensor> }).inner];
    const [a, b] = [...this.scales] as [Tensor, Tensor];
    return drop.forward(first.forward(x)).mul(a).mul(b.add(1)).mul(inner!).add(this.seen.get("count")!);
  }
}
const named = ["byName.first.weight", "byName.first.bias", "byNumber.7.inner.0", "scales.0", "scales.1"];

describe("maps and sets in a module", () => {
  const x = tensor([[1, 2]]);

  test("parameters, buffers and modules have the names of keys and positions", () => {
    const net = new Grouped();
    expect(net.namedParameters().map(([name]) => name)).toEqual(named);
    expect(Object.keys(net.stateDict())).toEqual([...named, "seen.count"]);
    expect(net.namedModules().map(([name]) => name)).toEqual(["", "byName.first", "byName.drop"]);
    expect(net.namedChildren().map(([name]) => name)).toEqual(["byName.first", "byName.drop"]);
    net.eval();
    expect(net.modules().map(({ training }) => training)).toEqual([false, false, false]);
    expect(summary(net)).toContain("byName.first");
    expect(summary(net)).toContain("scales.0 [3] scales.1 [3]");
    expect(String(net)).toContain("(byName.first): Linear");
    expect(
      net
        .to("float64")
        .parameters()
        .every(({ dtype }) => dtype === "float64"),
    ).toBe(true);
  });

  test("an optimizer trains them, and zeroGrad clears them", () => {
    const net = new Grouped().eval();
    const before = net.parameters().map((p) => p.detach().clone());
    const opt = new optim.SGD(net.parameters(), { lr: 0.1 });
    net.forward(x).square().sum().backward();
    expect(net.parameters().every((p) => p.grad !== null)).toBe(true);
    opt.step();
    expect(net.parameters().every((p, i) => p.sub(before[i]!).abs().sum().item() > 0)).toBe(true);
    net.zeroGrad();
    expect(net.parameters().every((p) => p.grad === null)).toBe(true);
  });

  test("a clone has its own, in maps and sets of the same class, and takes over a state", () => {
    class Named extends Map<string, nn.Parameter> {
      constructor() {
        super();
        throw new Error("a clone runs no constructor");
      }
    }
    const net = new Grouped().eval();
    Object.assign(net, { named: Reflect.construct(Map, [[["p", new nn.Parameter(ones([1]))]]], Named) });
    const copy = net.clone();
    expect((copy as unknown as { named: unknown }).named).toBeInstanceOf(Named);
    expect(copy.namedParameters().map(([name]) => name)).toEqual([...named, "named.p"]);
    const own = new Set(net.parameters());
    expect(copy.parameters().some((p) => own.has(p))).toBe(false);
    expect(copy.forward(x).toArray()).toEqual(net.forward(x).toArray());
    noGrad(() => copy.parameters().forEach((p) => void p.assign(3)));
    expect(copy.forward(x).toArray()).not.toEqual(net.forward(x).toArray());
    net.copyFrom(copy);
    expect(copy.forward(x).toArray()).toEqual(net.forward(x).toArray());
    expect(copy.byNumber.get(9)).toBe(copy.byNumber);
  });

  test("functionalCall puts tensors in their places and back, one tensor in two of a set too", () => {
    const net = new Grouped().eval();
    const before = net.forward(x).toArray();
    const sets = [[...net.scales], [...net.byName.keys()]];
    const state = net.stateDict();
    const slopes = grad((p: typeof state) => functionalCall(net, p, x).square().sum())(state);
    net.forward(x).square().sum().backward();
    for (const [name, p] of net.namedParameters()) expect(slopes[name]!.toArray(), name).toEqual(p.grad!.toArray());
    const twice = functionalCall(net, { "scales.0": zeros([3]).add(2), "scales.1": zeros([3]) }, x);
    expect(twice.toArray()).toEqual(before);
    const one = zeros([3]).add(2);
    const both = functionalCall(net, { "scales.0": one, "scales.1": one, "seen.count": ones([3]) }, x);
    expect(both.toArray()).toEqual(net.forward(x).mul(3).add(1).toArray());
    expect(net.forward(x).toArray()).toEqual(before);
    expect([[...net.scales], [...net.byName.keys()]]).toEqual(sets);
    const each = vmap((scale: Tensor) => functionalCall(net, { "scales.0": scale }, x))(
      tensor([
        [1, 1, 1],
        [0, 0, 0],
      ]),
    );
    expect(each.toArray()).toEqual([before, [[0, 0, 0]]]);
  });

  test("scope keeps what a returned module holds", () => {
    const net = scope(() => new Grouped().eval());
    expect(net.forward(x).shape).toEqual([1, 3]);
  });

  test("two keys with one name are refused, rather than one lost", () => {
    class Clash extends nn.Module {
      both = new Map<unknown, nn.Module>([
        ["0", new nn.Linear(1, 1)],
        [0, new nn.Linear(1, 1)],
      ]);
    }
    const error = thrown(() => new Clash().parameters());
    expect([error.code, error.message]).toEqual([
      "ERR_ARGUMENT",
      "Module: two keys of the map both give one name; expected distinct names, got 0",
    ]);
  });
});
