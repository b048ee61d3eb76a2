import { cat, manualSeed, nn, ones, optim, randn, type Tensor, tensor, vmap, zeros } from "nabla";
import { describe, expect, test } from "vitest";

const refused = (f: () => unknown, code: string, text: RegExp): void => {
  expect(f).toThrow(expect.objectContaining({ name: "NablaError", code, message: expect.stringMatching(text) }));
};
const shapesOf = (layer: nn.Module): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(layer.stateDict()).map(([key, value]) => [key, value.shape]));

describe("convolution layers", () => {
  test.each([
    ["Conv2d", () => new nn.Conv2d(16, 300, [2, 3], { groups: 2 }), [300, 8, 2, 3], 48],
    ["Conv1d", () => new nn.Conv1d(64, 300, 4), [300, 64, 4], 256],
    // PyTorch takes the second dimension of the weight for the fan in here too.
    ["ConvTranspose2d", () => new nn.ConvTranspose2d(300, 16, [2, 3], { groups: 2 }), [300, 8, 2, 3], 48],
  ] as const)("%s starts uniform between PyTorch's bounds", (_, make, shape, fan) => {
    manualSeed(0);
    const layer = make();
    expect(layer.weight.shape).toEqual(shape);
    for (const p of [layer.weight, layer.bias!]) {
      expect(p.abs().amax().item()).toBeLessThanOrEqual(1 / Math.sqrt(fan));
      expect(p.abs().amax().item()).toBeGreaterThan(0.7 / Math.sqrt(fan));
    }
    expect(layer.weight.std().item()).toBeCloseTo(1 / Math.sqrt(3 * fan), 2);
    expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
  });
  test("shapes by all options, with and without a batch", () => {
    const x = ones([2, 4, 9, 8]);
    const options = { stride: 2, padding: [1, 0], dilation: [1, 2], groups: 2 } as const;
    const layer = new nn.Conv2d(4, 6, 3, options);
    expect(layer.forward(x).shape).toEqual([2, 6, 5, 2]);
    expect(layer.forward(x.at(0)).shape).toEqual([6, 5, 2]);
    const back = new nn.ConvTranspose2d(6, 4, 3, { ...options, outputPadding: [0, 1] });
    expect(back.forward(ones([2, 6, 5, 2])).shape).toEqual([2, 4, 9, 8]);
    expect(back.forward(ones([6, 5, 2])).shape).toEqual([4, 9, 8]);
    const line = new nn.Conv1d(4, 2, 3, { stride: 2, padding: 1, bias: false, dtype: "float64" });
    expect([line.bias, line.forward(ones([3, 4, 7])).shape]).toEqual([null, [3, 2, 4]]);
    expect([line.forward(ones([4, 7])).shape, line.forward(ones([4, 7])).dtype]).toEqual([[2, 4], "float64"]);
  });
  test("refused when made", () => {
    refused(() => new nn.Conv2d(3, 4, 3, { groups: 2 }), "ERR_ARGUMENT", /groups do not divide/);
    refused(() => new nn.Conv2d(3, 0, 3), "ERR_ARGUMENT", /outChannels/);
    refused(() => new nn.Conv2d(3, 4, undefined as never), "ERR_ARGUMENT", /the window/);
    refused(() => new nn.Conv2d(3, 4, 3, { stride: 0 }), "ERR_ARGUMENT", /the stride/);
    refused(() => new nn.Conv2d(3, 4, 3, { padding: -1 }), "ERR_ARGUMENT", /the padding/);
    refused(() => new nn.Conv1d(3, 4, [3] as never), "ERR_ARGUMENT", /the window/);
    refused(() => new nn.Conv2d(3, 4, 3, { pading: 1 } as never), "ERR_ARGUMENT", /did you mean "padding"/);
    refused(() => new nn.ConvTranspose2d(1, 1, 2).forward(ones([1, 2, 3, 3])), "ERR_SHAPE", /convTranspose2d/);
  });
  test("print", () => {
    expect(new nn.Conv2d(3, 4, [3, 2], { stride: 2 }).toString()).toBe(
      "Conv2d(3, 4, kernelSize=[3, 2], stride=[2, 2], padding=[0, 0])",
    );
  });
});

describe("normalization layers", () => {
  test("parameters, and those that are left out", () => {
    expect(shapesOf(new nn.LayerNorm([2, 3]))).toEqual({ weight: [2, 3], bias: [2, 3] });
    expect(shapesOf(new nn.LayerNorm(3, { bias: false }))).toEqual({ weight: [3] });
    expect(shapesOf(new nn.LayerNorm(3, { elementwiseAffine: false }))).toEqual({});
    expect(shapesOf(new nn.RMSNorm(3))).toEqual({ weight: [3] });
    expect(shapesOf(new nn.GroupNorm(2, 4))).toEqual({ weight: [4], bias: [4] });
    expect(Object.keys(new nn.BatchNorm1d(3).stateDict())).toEqual([
      "weight",
      "bias",
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
    expect(shapesOf(new nn.BatchNorm2d(3, { affine: false, trackRunningStats: false }))).toEqual({});
  });
  const unit = (y: Tensor, dims: number[]): void => {
    for (const value of y.mean(dims).toTypedArray()) expect(Number(value)).toBeCloseTo(0, 4);
    for (const value of y.var({ dim: dims, correction: 0 }).toTypedArray()) expect(Number(value)).toBeCloseTo(1, 2);
  };
  test("mean 0 and variance 1, over what each is meant for", () => {
    manualSeed(1);
    const x = randn([4, 6, 5, 5]).mul(3).add(2);
    unit(new nn.LayerNorm([5, 5]).forward(x), [2, 3]);
    unit(new nn.BatchNorm2d(6).forward(x), [0, 2, 3]);
    unit(new nn.BatchNorm1d(6).forward(x.flatten(2)), [0, 2]);
    unit(new nn.BatchNorm1d(6).forward(x.flatten(2).at("..., 0")), [0]);
    unit(new nn.GroupNorm(3, 6).forward(x).reshape([4, 3, -1]), [2]);
    expect(new nn.RMSNorm(5).forward(x).square().mean(-1).sub(1).abs().amax().item()).toBeLessThan(1e-4);
  });
  test("BatchNorm without running values uses the batch after eval() too", () => {
    const layer = new nn.BatchNorm1d(1, { trackRunningStats: false, eps: 0 }).eval();
    expect(layer.forward(tensor([[1], [3]])).toArray()).toEqual([[-1], [1]]);
  });
  test("a copy of BatchNorm has running values of its own", () => {
    const layer = new nn.BatchNorm1d(1);
    const copy = layer.clone();
    layer.forward(tensor([[1], [3]]));
    expect([layer.runningMean!.item(), copy.runningMean!.item()]).toEqual([expect.closeTo(0.2, 6), 0]);
    copy.copyFrom(layer);
    expect(copy.runningMean!.item()).toBeCloseTo(0.2, 6);
    expect(copy.numBatchesTracked!.item()).toBe(1);
    expect(layer.to("float64").runningVar!.dtype).toBe("float64");
  });
  test("no gradient flows into the running values", () => {
    const layer = new nn.BatchNorm1d(1);
    const x = tensor([[1], [4]], { requiresGrad: true });
    layer.forward(x).square().sum().backward();
    layer.forward(x).square().sum().backward();
    expect([layer.runningMean!.requiresGrad, layer.runningVar!.requiresGrad]).toEqual([false, false]);
  });
  test("refused", () => {
    refused(
      () => new nn.BatchNorm2d(3).forward(ones([2, 3])),
      "ERR_SHAPE",
      /BatchNorm2d.*\[n, 3, h, w\], got \[2, 3\]/,
    );
    refused(() => new nn.BatchNorm1d(3).forward(ones([2, 4])), "ERR_SHAPE", /\[n, 3\] or \[n, 3, l\]/);
    refused(() => new nn.BatchNorm1d(3).forward(ones([1, 3])), "ERR_SHAPE", /no variance/);
    refused(() => new nn.BatchNorm1d(0), "ERR_ARGUMENT", /numFeatures/);
    refused(() => new nn.GroupNorm(2, 3), "ERR_ARGUMENT", /do not divide/);
    refused(() => new nn.GroupNorm(2, 4).forward(ones([1, 2])), "ERR_SHAPE", /other channels/);
    refused(() => new nn.LayerNorm(3).forward(ones([3, 4])), "ERR_SHAPE", /layerNorm/);
    refused(() => new nn.LayerNorm(3, { epsilon: 1 } as never), "ERR_ARGUMENT", /unknown option/);
  });
});

describe("pooling layers", () => {
  test("NaN is largest, padding never is, and the first among equals has the gradient", () => {
    const x = tensor([
      [
        [-5, Number.NaN],
        [-3, -4],
      ],
    ]);
    expect(new nn.MaxPool2d(2).forward(x).toArray()).toEqual([[[Number.NaN]]]);
    expect(new nn.MaxPool2d(2, { padding: 1, stride: 3 }).forward(tensor([[[-5]]])).toArray()).toEqual([[[-5]]]);
    const equal = zeros([1, 2, 2], { requiresGrad: true });
    new nn.MaxPool2d(2).forward(equal).sum().backward();
    expect(equal.grad!.toArray()).toEqual([
      [
        [1, 0],
        [0, 0],
      ],
    ]);
  });
  test("a dilated window that sees padding alone gives -inf, and no gradient, as PyTorch's", () => {
    const none = Number.NEGATIVE_INFINITY;
    const pool = new nn.MaxPool2d(2, { stride: 1, padding: 1, dilation: 3 });
    const x = tensor(
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      { requiresGrad: true },
    );
    const y = pool.forward(x);
    expect(y.toArray()).toEqual([[[none, none]]]);
    y.sum().backward();
    expect(x.grad!.sum().item()).toBe(0);
    const wide = new nn.MaxPool2d([1, 2], { stride: 1, dilation: [1, 4], padding: [0, 1] });
    const z = tensor([[[7, 8, 9, 6]]], { requiresGrad: true });
    const seen = wide.forward(z);
    expect(seen.toArray()).toEqual([[[6, 7]]]);
    seen.sum().backward();
    expect(z.grad!.toArray()).toEqual([[[1, 0, 0, 1]]]);
    expect(vmap((each: Tensor) => pool.forward(each))(x.detach().expand([2, 1, 2, 3])).toArray()).toEqual([
      [[[none, none]]],
      [[[none, none]]],
    ]);
  });
  test("print", () => {
    expect(new nn.AvgPool2d([2, 3]).toString()).toBe("AvgPool2d(kernelSize=[2, 3], stride=[2, 3])");
    expect(new nn.AdaptiveAvgPool2d(1).toString()).toBe("AdaptiveAvgPool2d(outputSize=1)");
  });
});

test("a small network of them learns", () => {
  manualSeed(0);
  const model = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(4, 8, 3),
    new nn.GroupNorm(2, 8),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(8, 2),
  );
  // Bars that lie, and bars that stand.
  const lying = zeros([8, 1, 8, 8]);
  for (let i = 0; i < 8; i++) lying.at(i, 0, i).assign(1);
  const images = cat([lying, lying.transpose(2, 3)]);
  const labels = tensor([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], { dtype: "int32" });
  const opt = new optim.SGD(model.parameters(), { lr: 0.3 });
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    opt.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    loss.backward();
    opt.step();
    losses.push(loss.item());
  }
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 5);
});
