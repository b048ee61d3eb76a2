import { inference, isGradEnabled, nn, ones, type Tensor } from "nabla";
import { describe, expect, it } from "vitest";

const model = () => new nn.Sequential(new nn.Linear(2, 2), new nn.Dropout(0.5), new nn.Linear(2, 1));

describe("inference", () => {
  it("evaluates without a graph, and puts every module back as it was", () => {
    const net = model();
    net.modules()[2]!.training = false;
    const before = net.modules().map(({ training }) => training);
    const [y, modes] = inference(
      net,
      (m) => [m.forward(ones([1, 2])) as Tensor, m.modules().map(({ training }) => training)] as const,
    );
    expect(y.requiresGrad).toBe(false);
    expect(modes).toEqual(before.map(() => false));
    expect(net.modules().map(({ training }) => training)).toEqual(before);
    expect(before).toContain(true);
    expect(isGradEnabled()).toBe(true);
  });

  it("does so when the function throws too", () => {
    const net = model();
    const failing = () =>
      inference(net, () => {
        throw new RangeError("mine");
      });
    expect(failing).toThrow(RangeError);
    expect([net.training, isGradEnabled()]).toEqual([true, true]);
  });

  it("refuses promises and what is no module", () => {
    const net = model();
    // @ts-expect-error a promise is a type error too
    expect(() => inference(net, async () => 1)).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", op: "inference" }),
    );
    expect(net.training).toBe(true);
    expect(() => inference({} as nn.Module, () => 1)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });
});
