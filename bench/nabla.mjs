// nabla as its users have it: the built package, tape on, validation on.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DataParallel, ones, optim, setNumThreads, tensor } from "nabla";
import { cases as attention } from "./cases/attention.mjs";
import { cases as autograd } from "./cases/autograd.mjs";
import { cases as convolutions } from "./cases/conv.mjs";
import { cases as jobSteps } from "./cases/jobs.mjs";
import { cases as norm } from "./cases/norm.mjs";
import { cases as optimizers } from "./cases/optim.mjs";
import { cases as reductions } from "./cases/reduce.mjs";
import { cases as gpt } from "./cases/train-gpt.mjs";
import { matmulInputs, networkInputs, uniform } from "./harness/inputs.mjs";
import { probe, repeat, repeatAsync } from "./harness/steps.mjs";
import { lossOf, perceptron } from "./jobs/mlp.mjs";
import { activations, steadySteps } from "./memory.mjs";

export const version = () => JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;

const threaded = (open) => (spec) => {
  setNumThreads(spec.threads);
  return open(spec);
};

function matmul(spec) {
  const { m, k, n, transA, transB, dtype = "float32", batch } = spec;
  const inputs = matmulInputs(spec);
  const operand = (values, rows, columns, transposed) => {
    const shape = [...(batch ? [batch] : []), ...(transposed ? [columns, rows] : [rows, columns])];
    const stored = tensor(values, { shape, dtype });
    return transposed ? stored.transpose(-2, -1) : stored;
  };
  const [a, b] = [operand(inputs.a, m, k, transA), operand(inputs.b, k, n, transB)];
  return { value: probe(a.matmul(b).toTypedArray()), run: repeat(() => a.matmul(b)) };
}

function elementwise({ op, size }) {
  const [a, b] = [tensor(uniform(size, 1)), tensor(uniform(size, 2))];
  const apply = { add: () => a.add(b), mul: () => a.mul(b) }[op] ?? (() => a[op]());
  return { value: probe(apply().toTypedArray()), run: repeat(apply) };
}

function forward({ recorded = false }) {
  const [a, b] = [1, 2].map((seed) => tensor(uniform(4, seed), { requiresGrad: recorded }));
  return { value: a.mul(b).toArray(), run: repeat(() => a.mul(b)) };
}

function bothWays({ through }) {
  const [a, b] = [1, 2].map((seed) => tensor(uniform(4, seed), { requiresGrad: true }));
  const gradient = ones([4]);
  const step = () => {
    a.grad = null;
    b.grad = null;
    const y = a.mul(b);
    if (through === "sum") y.sum().backward();
    else y.backward({ gradient });
  };
  step();
  return { value: [...a.grad.toArray(), ...b.grad.toArray()], run: repeat(step) };
}

function rule(parameters, { optimizer, lr }) {
  return optimizer === "sgd"
    ? new optim.SGD(parameters, { lr })
    : new optim.AdamW(parameters, { lr, weightDecay: 0.01 });
}

function batchOf(spec) {
  const { x, y } = networkInputs(spec);
  const outputs = spec.sizes[spec.sizes.length - 1];
  return [
    tensor(x, { shape: [spec.batch, spec.sizes[0]] }),
    spec.task === "classes" ? tensor(y) : tensor(y, { shape: [spec.batch, outputs] }),
  ];
}

function training(spec) {
  const model = perceptron(spec);
  const opt = rule(model.parameters(), spec);
  const [x, y] = batchOf(spec);
  const measure = lossOf(spec);
  const step = () => {
    const loss = measure(model.forward(x), y);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss;
  };
  return { value: [1, 2, 3].map(() => step().item()), run: repeat(step) };
}

async function parallel(spec) {
  const { batch: _, ...args } = spec;
  const dp = new DataParallel(new URL("./jobs/mlp.mjs", import.meta.url), {
    workers: spec.workers,
    shards: spec.shards,
    args,
  });
  const opt = rule(dp.model.parameters(), spec);
  const batch = batchOf(spec);
  const step = async () => {
    const loss = await dp.backward(batch);
    opt.step();
    return loss;
  };
  const value = [];
  for (let i = 0; i < 3; i++) {
    const loss = await step();
    value.push(typeof loss === "number" ? loss : loss.item());
  }
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const times = repeatAsync(step);
  let rest;
  return {
    value,
    // Idle time between samples would dilute the percentile; the moment after one still belongs to it.
    async run(count) {
      clearTimeout(rest);
      delay.enable();
      await times(count);
      rest = setTimeout(() => delay.disable(), 5);
    },
    async close(say) {
      clearTimeout(rest);
      say({ metrics: [{ metric: "event-loop delay p99", unit: "ms", value: delay.percentile(99) / 1e6 }] });
      await dp.close();
    },
  };
}

const own = { matmul, elementwise, forward, bothWays, training, parallel, steadySteps, activations };
const open = {
  ...own,
  ...autograd,
  ...convolutions,
  ...optimizers,
  ...reductions,
  ...attention,
  ...norm,
  ...gpt,
  ...jobSteps,
};
export const cases = Object.fromEntries(Object.entries(open).map(([kind, f]) => [kind, threaded(f)]));
