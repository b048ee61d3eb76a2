import { memory, nn, summary, type Tensor, tensor, zeros } from "nabla";
import { expect, test } from "vitest";

test("modules with their parameters, counts, outputs and totals", () => {
  const model = new nn.Sequential(new nn.Linear(2, 16), new nn.Tanh(), new nn.Linear(16, 1));
  const lines = [
    "module  class       parameters                count  output   FLOPs",
    "        Sequential                                   [8, 1]   1,032",
    "0       Linear      weight [16, 2] bias [16]     48  [8, 16]    640",
    "1       Tanh                                         [8, 16]    128",
    "2       Linear      weight [1, 16] bias [1]      17  [8, 1]     264",
    "65 parameters, 65 of them trained; 260 B",
  ];
  expect(summary(model, zeros([8, 2])).split("\n")).toEqual(lines);
  const without = summary(model).split("\n");
  expect(without[0]).toBe("module  class       parameters                count");
  expect(without.slice(1)).toEqual(lines.slice(1).map((line) => line.replace(/ +\[8, \d+\] +[\d,]+$/, "")));
});

test("an asynchronous model is refused, and its mode is what it was", () => {
  class Slow extends nn.Module {
    override async forward(x: Tensor): Promise<Tensor> {
      return x;
    }
  }
  const model = new Slow();
  expect(() => summary(model, zeros([2]))).toThrow(/^summary: the function must be synchronous/);
  expect(model.training).toBe(true);
});

class Tied extends nn.Module {
  embedding = new nn.Embedding(1000, 4);
  norm = new nn.BatchNorm1d(4);
  shared = { again: this.embedding };
  override forward(x: Tensor): [Tensor, { y: Tensor }] {
    const h = this.embedding.forward(x);
    return [h, { y: this.norm.forward(h) }];
  }
}

test("what is shared counts once, frozen parameters are not trained, buffers are named, the model stays as it was", () => {
  const model = new Tied();
  model.embedding.weight.requiresGrad = false;
  const text = summary(model, zeros([3], { dtype: "int32" }));
  expect(text.match(/Embedding/g)).toHaveLength(1);
  expect(text).toContain("[3, 4] [3, 4]");
  expect(text).toContain("running_mean [4]");
  expect(text.split("\n").at(-1)).toBe("4,008 parameters, 8 of them trained; 9 numbers in buffers; 15.7 KB");
  expect(model.training && model.norm.training).toBe(true);
  expect(model.norm.runningMean?.toArray()).toEqual([0, 0, 0, 0]);
});

test("refuses what is no module, and lets errors of forward through", () => {
  expect(() => summary({} as nn.Module)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  const model = new nn.Linear(2, 1);
  expect(() => summary(model, zeros([3]))).toThrow(expect.objectContaining({ code: "ERR_SHAPE" }));
  expect(Object.keys(model)).not.toContain("forward");
});

test("with inputs, nothing is computed; a model that shapes alone do not decide runs, without its operations", () => {
  const large = new nn.Linear(10, 10);
  const before = memory().liveBytes;
  // 40 GB, were it computed.
  const lines = summary(large, zeros([1, 1, 10]).expand([1_000_000, 1_000, 10])).split("\n");
  expect(lines[1]).toMatch(/\[1000000, 1000, 10\]\s+210 G$/);
  expect(memory().liveBytes - before).toBeLessThan(1e6);

  class Chosen extends nn.Module {
    override forward(x: Tensor): Tensor {
      return x.maskedSelect(x.gt(0));
    }
  }
  expect(
    summary(new Chosen(), tensor([1, -1, 2]))
      .split("\n")
      .slice(0, 2),
  ).toEqual(["module  class   parameters  count  output", "        Chosen                     [2]"]);
});
