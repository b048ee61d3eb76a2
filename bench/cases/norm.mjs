// Norms and other ops over rows: softmax, layer norm, batch norm, cross-entropy, and an embedding's gradient.
import { batchNorm, crossEntropy, embedding, layerNorm, noGrad, softmax, tensor } from "nabla";
import { labels, uniform } from "../harness/inputs.mjs";
import { probe, repeat } from "../harness/steps.mjs";

/** Per op: its inputs that have a gradient, and its result from them. */
const ops = {
  softmax: ({ rows, size }) => [[[rows, size]], ([x]) => softmax(x, -1)],
  layerNorm: ({ rows, size }) => [
    [[rows, size], [size], [size]],
    ([x, weight, bias]) => layerNorm(x, size, { weight, bias }),
  ],
  batchNorm: ({ shape, training }) => {
    const sizes = [shape[1]];
    const mean = tensor(uniform(shape[1], 11), { shape: sizes });
    const variance = tensor(uniform(shape[1], 12, 0.5, 1.5), { shape: sizes });
    return [[shape, sizes, sizes], ([x, weight, bias]) => batchNorm(x, mean, variance, { weight, bias, training })];
  },
  crossEntropy: ({ rows, size }) => {
    const target = tensor(labels(rows, size, 9));
    return [[[rows, size]], ([x]) => crossEntropy(x, target)];
  },
  embedding: ({ rows, size, count }) => {
    const index = tensor(labels(count, rows, 9));
    return [[[rows, size]], ([x]) => embedding(index, x)];
  },
};

const elements = (shape) => shape.reduce((a, b) => a * b, 1);

function rowwise(spec) {
  const { op, backward } = spec;
  const [shapes, apply] = ops[op](spec);
  const inputs = shapes.map((shape, i) => tensor(uniform(elements(shape), 1 + i), { shape, requiresGrad: backward }));
  if (!backward) {
    const run = () => noGrad(() => apply(inputs));
    return { value: probe(run().toTypedArray()), run: repeat(run) };
  }
  const { shape } = apply(inputs);
  const gradient = shape.length === 0 ? undefined : tensor(uniform(elements(shape), 8), { shape });
  const step = () => {
    for (const x of inputs) x.grad = null;
    const y = apply(inputs);
    y.backward({ gradient });
    return y;
  };
  const y = step();
  return { value: [y, ...inputs.map((x) => x.grad)].flatMap((x) => probe(x.toTypedArray())), run: repeat(step) };
}

export const cases = { rowwise };
