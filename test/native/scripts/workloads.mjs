// Work for all drivers: functions that return a digest of what they computed.
import { createHash } from "node:crypto";
import * as nb from "../../../dist/index.js";

const { nn, optim } = nb;
export const digest = (x) => createHash("sha1").update(new Uint8Array(x.toTypedArray().buffer)).digest("hex");
export const random = (shape, options) => nb.randn(shape, { generator: new nb.RandomGenerator(1), ...options });
const leaf = (shape) => random(shape, { requiresGrad: true });

const spd = (n) => {
  const a = random([n, n], { dtype: "float64" });
  return a.matmul(a.t()).add(nb.eye(n, { dtype: "float64" }).mul(n));
};

/** Differentiates f by tensors of the shapes; the digests of loss and gradients. */
function gradients(f, ...shapes) {
  const xs = shapes.map(leaf);
  const y = f(...xs)
    .square()
    .mean();
  y.backward();
  return [y, ...xs.map((x) => x.grad)].map(digest).join();
}

function train(make) {
  const model = new nn.Sequential(
    new nn.Linear(40, 64),
    new nn.Tanh(),
    new nn.Linear(64, 300),
    new nn.Linear(300, 300),
  );
  for (const [i, p] of model.parameters().entries()) nb.noGrad(() => p.assign(random(p.shape).mul(0.1 + i / 100)));
  const opt = make(model.parameters());
  const x = random([8, 40]);
  const step = () => {
    opt.zeroGrad();
    const loss = model.forward(x).square().mean();
    loss.backward();
    return loss;
  };
  for (let i = 0; i < 2; i++)
    if (opt instanceof optim.LBFGS) opt.step(step);
    else {
      step();
      opt.step();
    }
  return model.parameters().map(digest).join();
}

export const large = [2 ** 20 + 7];
export const workloads = {
  create: () => digest(nb.tensor([1, 2, 3])) + digest(nb.zeros(large)) + digest(nb.arange(1000)),
  "typed array": () => digest(nb.tensor(new Float32Array(2 ** 20).fill(2))),
  halves: () => digest(nb.tensor(new Float32Array(2 ** 12).fill(2), { dtype: "bfloat16" }).exp()),
  "many small": () => {
    const all = Array.from({ length: 6000 }, (_, i) => nb.scalar(i));
    return all.reduce((sum, x) => sum + x.item(), 0);
  },
  "a long tape": () => {
    const x = nb.scalar(1, { requiresGrad: true });
    let y = x;
    for (let i = 0; i < 3000; i++) y = y.mul(1.0001);
    y.backward();
    return x.grad.item();
  },
  "many operands": () => digest(nb.cat(Array.from({ length: 3000 }, (_, i) => nb.scalar(i).reshape([1])))),
  map: () => digest(random(large).sigmoid()) + digest(random([7]).exp()),
  broadcast: () =>
    digest(
      random([700, 1])
        .mul(random([1, 900]))
        .add(1),
    ),
  strided: () =>
    digest(
      random([600, 700])
        .t()
        .add(random([700, 600]))
        .contiguous(),
    ),
  cast: () => digest(random(large).to("float64").to("int32")),
  reduce: () => digest(random([300, 900]).sum(0)) + digest(random(large).mean()) + digest(random([30, 40]).argmax(1)),
  scan: () => digest(random([20, 30000]).cumsum(1)) + digest(random([20, 30]).cumprod(0)),
  sort: () => digest(random([200_000]).sort().values) + digest(random([50, 900]).argsort(1)),
  topk: () => digest(random([20, 5000]).topk(9).values),
  median: () => digest(random([20, 500]).median(1).values) + digest(random([5000]).quantile(0.3)),
  matmul: () =>
    digest(random([300, 400]).matmul(random([400, 500]))) + digest(random([3, 400]).matmul(random([400, 500]))),
  "batched matmul": () => digest(random([6, 1, 30, 40]).matmul(random([5, 40, 50]))),
  linear: () => gradients((x, w, b) => nb.linear(x, w, b).relu(), [64, 128], [256, 128], [256]),
  einsum: () => digest(nb.einsum("bij,bjk->bik", random([4, 20, 30]), random([4, 30, 20]))),
  conv2d: () => gradients((x, w) => nb.conv2d(x, w, null, { padding: 1 }), [2, 8, 20, 20], [16, 8, 3, 3]),
  "strided conv2d": () =>
    gradients((x, w) => nb.conv2d(x, w, null, { stride: 2, groups: 2 }), [2, 8, 21, 21], [16, 4, 3, 3]),
  "depthwise conv2d": () => gradients((x, w) => nb.conv2d(x, w, null, { groups: 8 }), [2, 8, 20, 20], [8, 1, 3, 3]),
  convTranspose2d: () => gradients((x, w) => nb.convTranspose2d(x, w), [2, 8, 10, 10], [8, 4, 3, 3]),
  "large conv2d": () => gradients((x, w) => nb.conv2d(x, w, null, { padding: 1 }), [1, 256, 7, 7], [512, 256, 3, 3]),
  pool: () => gradients((x) => nb.avgPool2d(nb.maxPool2d(x, 2), 2), [2, 4, 20, 20]),
  attention: () =>
    gradients(
      (q, k, v) => nb.scaledDotProductAttention(q, k, v, { isCausal: true }),
      [2, 4, 60, 16],
      [2, 4, 60, 16],
      [2, 4, 60, 16],
    ),
  "long attention": () =>
    gradients((q, k, v) => nb.scaledDotProductAttention(q, k, v), [1, 1, 1100, 8], [1, 1, 1100, 8], [1, 1, 1100, 8]),
  softmax: () => gradients((x) => x.softmax(-1).add(x.logSoftmax(-1)), [100, 500]),
  crossEntropy: () => gradients((x) => nb.crossEntropy(x, nb.arange(100)), [100, 500]),
  norms: () => gradients((x, w) => nb.layerNorm(x, [500], { weight: w }).add(nb.rmsNorm(x, [500])), [100, 500], [500]),
  batchNorm: () =>
    gradients(
      (x, w, b) => nb.batchNorm(x, null, null, { weight: w, bias: b, training: true }),
      [8, 16, 10, 10],
      [16],
      [16],
    ),
  lstm: () => {
    const model = new nn.LSTM(8, 16);
    for (const p of model.parameters()) nb.noGrad(() => p.assign(random(p.shape)));
    return digest(model.forward(random([5, 4, 8])).output);
  },
  index: () =>
    digest(random([50, 60]).at([3, 1, 4], [-1, 5, 9])) +
    digest(random([50, 60]).at([3, 1, 4], ":")) +
    digest(random([50, 60]).gather(0, nb.arange(50).reshape([50, 1]))),
  scatter: () => digest(nb.zeros([50, 60]).scatterAdd(0, nb.zeros([50, 60], { dtype: "int32" }), random([50, 60]))),
  nonzero: () => digest(random([5000]).gt(0).nonzero()) + digest(nb.maskedSelect(random([5000]), random([5000]).gt(0))),
  embedding: () => gradients((w) => nb.embedding(nb.arange(50), w), [100, 30]),
  unique: () => digest(random([500]).mul(5).to("int32").unique().values),
  cat: () => digest(nb.cat([random([40, 50]), random([30, 50])])) + digest(nb.stack([random([40]), random([40])])),
  pad: () =>
    digest(random([40, 50]).pad([1, 2, 3, 4])) +
    digest(random([40, 50]).roll(3, 0)) +
    digest(random([4, 5]).tile([9, 9])),
  "reductions of halves": () =>
    [random([300, 900]), random([3, 100_000]), random([3, 70_000]).t()]
      .map((x) => x.to("bfloat16"))
      .map((x) => digest(x.sum(0)) + digest(x.mean(1)) + digest(x.softmax(-1)) + digest(x.logsumexp(0)))
      .join(),
  "reductions of apart dimensions": () => {
    const x = random([20, 30, 40, 50]);
    return (
      digest(x.sum([0, 2])) + digest(x.amax([1, 3])) + digest(x.logsumexp([0, 2])) + digest(x.transpose(0, 2).prod(1))
    );
  },
  "norms and moments": () => {
    const x = random([40, 50], { dtype: "float64" });
    return [x, x.mul(1e200), x.mul(1e-200)]
      .map((y) => digest(y.norm({ dim: 1 })) + digest(y.var(0)) + digest(y.std()) + digest(y.mean(0)))
      .join();
  },
  "gradients of moments": () =>
    gradients((x) => x.var(1), [40, 50]) +
    gradients((x) => x.std(0), [40, 50]) +
    [1, 1e30, 1e-44].map((size) => gradients((x) => x.mul(size).norm({ dim: 1 }), [40, 50])).join() +
    digest(nb.jacrev(nb.grad((x) => nb.rmsNorm(x, [6]).pow(3).sum()))(random([2, 6]))),
  products: () =>
    [1, 1e30].map((size) => gradients((x) => x.mul(size).prod(1), [40, 50])).join() +
    gradients((x) => x.prod(0), [40, 50]) +
    digest(random([2, 200_000]).prod(1)),
  logsumexp: () =>
    gradients((x) => x.logsumexp(1), [40, 50]) +
    gradients((x) => x.logsumexp(0), [40, 50]) +
    gradients((x) => x.logsumexp(1), [2, 200_000]),
  "arg reductions": () => digest(random([30, 40]).argmin(0)) + digest(random([30, 40]).t().argmin(1)),
  "scan backward": () => gradients((x) => x.cumprod(1).add(x.cumsum(0)), [20, 30]),
  "linear and relu": () => digest(nb.linear(random([8, 40]), random([30, 40]), random([30]), { activation: "relu" })),
  "matmul of halves": () =>
    digest(
      random([300, 400])
        .to("bfloat16")
        .matmul(random([400, 500]).to("bfloat16")),
    ) +
    digest(
      random([2, 400])
        .to("bfloat16")
        .matmul(random([400, 1]).to("bfloat16")),
    ),
  "matmul of few rows": () =>
    digest(
      random([400, 2])
        .t()
        .matmul(random([500, 400]).t()),
    ) +
    digest(
      random([400, 300])
        .t()
        .matmul(random([400])),
    ),
  "matmul of integers": () => {
    const x = nb.randint(0, 9, [70, 80], { generator: new nb.RandomGenerator(1) });
    return (
      digest(x.matmul(x.t())) +
      digest(x.oneHot({ numClasses: 9 })) +
      digest(x.assign(random([70, 80]).round().to("int32")))
    );
  },
  searchsorted: () =>
    digest(
      random([500])
        .sort()
        .values.searchsorted(random([50])),
    ),
  "sort of columns": () =>
    digest(random([3000, 4]).sort(0).values) + digest(random([3000, 4]).topk(5, { dim: 0 }).values),
  "parts of a tensor": () =>
    gradients(
      (x) =>
        x
          .narrow(0, 2, 3)
          .sum()
          .add(x.at([1, 4], ":").sum()),
      [20, 30],
    ),
  "second derivatives": () => {
    const x = leaf([20, 30]);
    const loss = nb.crossEntropy(x, nb.arange(20)).add(x.logsumexp(1).sum());
    const g = nb.grad((y) => nb.crossEntropy(y, nb.arange(20)))(x);
    loss.add(g.square().sum()).backward();
    return digest(x.grad);
  },
  "more linear algebra": () => {
    const a = spd(20);
    return (
      digest(a.slogdet().logabsdet) +
      digest(random([30, 20], { dtype: "float64" }).pinv()) +
      digest(a.tril().triangularSolve(random([20, 3], { dtype: "float64" }))) +
      digest(nb.grad((x) => x.det())(a))
    );
  },
  cholesky: () => digest(spd(40).cholesky()),
  qr: () => digest(random([60, 40], { dtype: "float64" }).qr().r),
  svd: () => digest(random([30, 20], { dtype: "float64" }).svd().s),
  eigh: () => digest(nb.eigh(spd(20)).values),
  solve: () =>
    digest(spd(40).solve(random([40, 3], { dtype: "float64" }))) + digest(spd(40).inv()) + digest(spd(30).det()),
  random: () => {
    nb.manualSeed(3);
    return (
      digest(nb.rand([5000])) +
      digest(nb.randperm(900)) +
      digest(nb.dropout(nb.ones([5000]), 0.5)) +
      digest(nb.bernoulli(nb.full([500], 0.5)))
    );
  },
  multinomial: () => {
    nb.manualSeed(3);
    return digest(nb.multinomial(nb.ones([500]), 20));
  },
  jvp: () => digest(nb.jvp((x) => x.sin().mul(x), [random([500])], [random([500])])[1]),
  hessian: () => digest(nb.hessian((x) => x.pow(3).sum())(random([6]))),
  vmap: () => digest(nb.vmap(nb.grad((x) => x.square().sum()))(random([20, 30]))),
  checkpoint: () => gradients((x) => nb.checkpoint((y) => y.sin().exp(), x), [500]),
  detectAnomaly: () => nb.detectAnomaly(() => gradients((x) => x.exp(), [50])),
  scope: () => digest(nb.scope(() => random([300, 300]).matmul(random([300, 300])))),
  retained: () => {
    const x = leaf([400]);
    const y = x.square().sum();
    y.backward({ retainGraph: true });
    y.backward();
    return digest(x.grad);
  },
  assign: () =>
    digest(nb.zeros([400]).assign(random([400]))) +
    digest(nb.zeros([400], { dtype: "uint8" }).assign(nb.ones([400], { dtype: "int64" }))),
  share: () => digest(nb.attach(random([400]).share())),
  safetensors: () => digest(nb.decodeSafetensors(nb.encodeSafetensors({ a: random([400]) })).a),
  print: () => String(random([40, 40])).length,
  graph: () => nb.graph(leaf([3]).mul(2).sum()).toDot().length,
  "clip the norm": () => {
    const p = leaf([4000]);
    p.square().sum().backward();
    return optim.clipGradNorm([p], 1).item();
  },
  SGD: () => train((p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 })),
  AdamW: () => train((p) => new optim.AdamW(p, { lr: 0.1 })),
  RMSprop: () => train((p) => new optim.RMSprop(p, { lr: 0.01 })),
  Adagrad: () => train((p) => new optim.Adagrad(p, { lr: 0.01 })),
  Lion: () => train((p) => new optim.Lion(p, { lr: 0.01 })),
  LBFGS: () => train((p) => new optim.LBFGS(p, { lr: 0.1, maxIter: 3 })),
};

/** For the kernels that allocate next to nothing. */
export const elementwise = {
  "functions of one tensor": () => {
    const names =
      "sign sqrt rsqrt floor ceil round trunc nanToNum expm1 log log2 log10 tan asin acos atan sinh cosh asinh acosh atanh";
    const others = "erf erfinv lgamma digamma logicalNot";
    const x = random([50]).abs();
    return [...names.split(" "), ...others.split(" ")].map((name) => digest(x[name]())).join();
  },
  "functions of two tensors": () =>
    ["remainder", "maximum", "le", "ge", "logaddexp", "atan2"]
      .map((name) => digest(random([50])[name](random([50, 50]).t())))
      .join() + digest(random([50]).clamp({ min: -1, max: 1 })),
  activations: () =>
    ["sigmoid", "logSigmoid", "leakyRelu", "elu", "gelu", "silu", "softplus", "mish"]
      .map((name) => gradients((x) => x[name](), [50]))
      .join() +
    gradients((x) => x.gelu({ approximate: "tanh" }), [50]) +
    gradients((x) => x.softplus({ beta: 2 }), [50]),
  "gradients of inverse functions": () => gradients((x) => x.asinh(), [50]),
  losses: () =>
    [nn.functional.binaryCrossEntropyWithLogits, nn.functional.klDiv, nn.functional.mseLoss, nn.functional.huberLoss]
      .map((loss) => gradients((x, y) => loss(x, y.sigmoid()), [50, 60], [50, 60]))
      .join(),
};
