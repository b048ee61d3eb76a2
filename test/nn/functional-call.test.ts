import { functionalCall, grad, jvp, nn, ones, randn, stack, type Tensor, vmap, zeros } from "nabla";
import { describe, expect, it } from "vitest";
import { close, code, thrown } from "../autograd/code.js";

class Net extends nn.Module {
  private scale = new nn.Parameter(ones([1]));
  layers = [new nn.Linear(3, 4), new nn.Linear(4, 2)];
  shift = { by: new nn.Buffer(zeros([2])) };
  override forward(x: Tensor): Tensor {
    const [a, b] = this.layers as [nn.Linear, nn.Linear];
    return b.forward(a.forward(x).tanh()).mul(this.scale).add(this.shift.by);
  }
}

describe("functionalCall", () => {
  const model = new Net();
  const state = model.stateDict();
  const x = randn([5, 3]);

  it("computes with the tensors it is given, and leaves the module as it was", () => {
    const before = model.forward(x).toArray();
    const changed = { "layers.1.weight": zeros([2, 4]), "shift.by": ones([2]) };
    const bias = model.layers[1]!.bias!;
    close(functionalCall(model, changed, x), bias.detach().add(1).expand([5, 2]));
    expect(model.forward(x).toArray()).toEqual(before);
    expect(model.parameters().length).toBe(5);
    expect(() => functionalCall(model, changed, ones([5, 9]))).toThrow(/linear/);
    expect(model.forward(x).toArray()).toEqual(before);
  });

  it("has the gradients that backward leaves in the parameters", () => {
    const slopes = grad((p: Record<string, Tensor>) => functionalCall(model, p, x).square().mean())(state);
    model.forward(x).square().mean().backward();
    for (const [name, parameter] of model.namedParameters()) close(slopes[name]!, parameter.grad!, 1e-6);
    expect(Object.keys(slopes)).toEqual(Object.keys(state));
    const f = (w: Tensor) => functionalCall(model, { "layers.0.weight": w }, x).sum();
    const w = state["layers.0.weight"]!;
    close(jvp(f, [w], [w])[1], grad(f)(w).mul(w).sum(), 1e-5);
  });

  it("gives the gradient of each example, and runs an ensemble", () => {
    const loss = (p: Record<string, Tensor>, x: Tensor) => functionalCall(model, p, x).square().sum();
    const each = vmap(grad(loss), { inDims: [null, 0] })(state, x);
    const apart = [0, 1, 2, 3, 4].map((i) => grad(loss)(state, x.at(i)));
    for (const name of Object.keys(state)) close(each[name]!, stack(apart.map((g) => g[name]!)), 1e-5);
    const several = [new Net(), new Net(), new Net()];
    const stacked = Object.fromEntries(
      Object.keys(state).map((name) => [name, stack(several.map((net) => net.stateDict()[name]!))]),
    );
    const together = vmap((p: Record<string, Tensor>) => functionalCall(model, p, x))(stacked);
    close(together, stack(several.map((net) => net.forward(x).detach())), 1e-5);
  });

  it("keeps ties, and refuses bad input", () => {
    const shared = new nn.Linear(2, 2);
    const tied = new nn.Sequential(shared, shared);
    const zero = { "0.weight": zeros([2, 2]), "1.bias": ones([2]) };
    expect(functionalCall(tied, zero, ones([1, 2])).toArray()).toEqual([[1, 1]]);
    expect(thrown(() => functionalCall(model, { "layer.1.weight": ones([2, 4]) }, x)).message).toMatch(
      /^functionalCall: the module has no layer.1.weight \(did you mean "layers.1.weight"\?\)/,
    );
    expect(code(() => functionalCall(model, { "shift.by": ones([3]) }, x))).toBe("ERR_SHAPE");
    expect(code(() => functionalCall(model, { "shift.by": 3 as never }, x))).toBe("ERR_ARGUMENT");
    expect(code(() => functionalCall(model, null as never, x))).toBe("ERR_ARGUMENT");
    expect(code(() => functionalCall(3 as unknown as nn.Linear, {}, ones([1])))).toBe("ERR_ARGUMENT");
  });
});
