/** How types flow in jobs: from `args` to `model`, from `data` to `loss`, from `loss` to `metrics`. Compiled, never run. */
import { DataLoader, defineJob, fit, nn, ones, optim, type Tensor, TensorDataset, Trainer, tensor } from "nabla";

const data = new TensorDataset(ones([4, 2]), ones([4]));
const { crossEntropy, mseLoss } = nn.functional;

export const whole = defineJob({
  args: { width: 128, decay: 0.1 },
  model: ({ width }) => new nn.Linear(784, width),
  data: async ({ args, seed }) => ({ train: data, test: data, few: [args.width + seed] }),
  loss: (model, [x, y]) => ({ loss: crossEntropy(model.forward(x), y), output: model.forward(x), log: { a: 1 } }),
  optimizer: (parameters, { lr, args }) => new optim.AdamW(parameters, { lr, weightDecay: args.decay }),
  schedule: (optimizer, { steps, lr }) => new optim.OneCycleLR(optimizer, { maxLr: lr, totalSteps: steps }),
  metrics: { accuracy: (output, [, y]) => output.argmax(1).eq(y) },
});
const inner: Tensor = whole.model({ width: 1, decay: 2 }).weight;
const result = await new Trainer(whole, { out: "runs/a", args: { width: inner.numel, decay: 1 }, epochs: 3 }).fit();
result.model.weight.item();
new Trainer("file:///job.js", { resume: true });
// @ts-expect-error a misspelt option
new Trainer(whole, { outt: "runs/a" });

// Annotated batches, with the loss before the data or without data.
defineJob({
  args: { width: 128 },
  model: ({ width }) => new nn.Linear(784, width),
  loss: (model, [x, y]: [Tensor, Tensor]) => crossEntropy(model.forward(x), y),
  data: () => ({ train: data, test: new DataLoader(data, { batchSize: 3 }) }),
});
const parallel = defineJob({
  model: ({ width }: { width: number }) => new nn.Linear(2, width),
  loss: (model, [x, y]: [Tensor, Tensor]): Tensor => crossEntropy(model.forward(x), y),
});
parallel.loss(parallel.model({ width: 1 }), [inner, inner]);

// Batches of arrays, of loaders, sums and counts.
defineJob({
  model: () => new nn.Linear(2, 1),
  data: () => ({ train: [{ x: ones([2]), n: 3 }] }),
  loss: (model, { x, n }) => model.forward(x).mul(n).mean(),
});
defineJob({
  model: () => new nn.Linear(2, 1),
  data: () => ({ train: new DataLoader(data, { batchSize: 2 }) }),
  loss: (model, [x, y]) => model.forward(x).mul(y).mean(),
});
defineJob({
  model: () => new nn.Linear(2, 1),
  data: () => ({ train: new DataLoader(data) }),
  // @ts-expect-error a misspelt op on a batch of a loader
  loss: (_, [x]) => x.sinn(),
});
defineJob({
  model: () => new nn.Linear(2, 1),
  data: () => ({ train: new DataLoader([1, 2, 3], { collate: (samples) => tensor(samples) }) }),
  loss: (model, x) => ({ sum: model.forward(x).sum(), count: x.ne(0).sum() }),
});

const model = () => new nn.Linear(2, 1);
const train = () => ({ train: data });
// @ts-expect-error nothing tells what a batch is
defineJob({ model, loss: (net, [x]) => net.forward(x) });
defineJob({
  args: { width: 1 },
  // @ts-expect-error a misspelt argument
  model: ({ widht }) => new nn.Linear(2, widht),
  loss: (net, x: Tensor) => net.forward(x),
});
// @ts-expect-error a misspelt op on a batch
defineJob({ model, data: train, loss: (net, [x]) => net.forward(x).mul(x.sinn()) });
// @ts-expect-error a misspelt op on an output
defineJob({ model, data: train, loss: (_, [x]) => ({ loss: x, output: x }), metrics: { a: (o) => o.sinn() } });
// @ts-expect-error metrics without an output
defineJob({ model, data: train, loss: (_, [x]) => x, metrics: { a: (o) => o.sin() } });
// @ts-expect-error an unknown field
defineJob({ model, data: train, loss: (_, [x]) => x, epoch: 3 });

const net = model();
for await (const event of fit(net, data, { loss: (m, [x, y]) => mseLoss(m.forward(x), y), lr: 3 }))
  if (event.type === "step") event.loss.toFixed();
for await (const event of fit(
  net,
  { train: data, test: new DataLoader(data) },
  {
    loss: (m, [x, y]) => ({ loss: m.forward(x).mul(y).mean(), output: x }),
    metrics: { a: (output, [x]) => output.mul(x) },
  },
))
  if (event.type === "evaluate") event.metrics["test.a"]?.toFixed();
const loss = (m: nn.Linear, [x, y]: [Tensor, Tensor]) => crossEntropy(m.forward(x), y);
fit(net, new DataLoader(data), { loss, epochs: 3 });
fit(net, new DataLoader(data), { loss: (m, [x, y]) => m.forward(x).mul(y).mean() });
// @ts-expect-error a misspelt op on a batch of a loader
fit(net, new DataLoader(data), { loss: (_, [x]) => x.sinn() });
// @ts-expect-error a misspelt op
fit(net, data, { loss: (_, [x]) => x.sinn() });
