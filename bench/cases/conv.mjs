// Convolutions, pooling and batch norm, each way by itself; the step of a small convolutional network.
import { grad, nn, ones, optim, tensor, zeros } from "nabla";
import { convolutionInputs } from "../harness/images.mjs";
import { uniform } from "../harness/inputs.mjs";
import { batchOf, networks, parametersOf } from "../harness/networks.mjs";
import { probe, repeat } from "../harness/steps.mjs";

const { avgPool2d, batchNorm, conv2d, maxPool2d, crossEntropy } = nn.functional;

/** y itself, or its gradient by one of its operands along g. */
function oneWay(f, operands, direction) {
  if (direction === "forward") {
    const step = () => f(...operands);
    return { value: probe(step().toTypedArray()), run: repeat(step) };
  }
  const of = operands[{ input: 0, weight: 1 }[direction]];
  of.requiresGrad = true;
  const y = f(...operands);
  const gradient = tensor(uniform(y.numel, 3), { shape: y.shape });
  const step = () => grad(y, of, { gradOutputs: gradient, retainGraph: true })[0];
  return { value: probe(step().toTypedArray()), run: repeat(step) };
}

function convolution(spec) {
  const { x, weight, shapes } = convolutionInputs(spec);
  const { stride, padding, groups = 1 } = spec;
  const operands = [tensor(x, { shape: shapes.x }), tensor(weight, { shape: shapes.weight })];
  return oneWay((image, w) => conv2d(image, w, null, { stride, padding, groups }), operands, spec.direction);
}

function pooling({ op, shape, window, stride, padding = 0, direction }) {
  const x = tensor(
    uniform(
      shape.reduce((a, b) => a * b),
      1,
    ),
    { shape },
  );
  const channels = shape[1];
  const [mean, variance] = [zeros([channels]), ones([channels])];
  const f = {
    maxPool2d: (t) => maxPool2d(t, window, { stride, padding }),
    avgPool2d: (t) => avgPool2d(t, window, { stride, padding }),
    batchNorm: (t) => batchNorm(t, mean, variance, { training: true }),
  }[op];
  return oneWay(f, [x], direction);
}

const modules = {
  conv: (from, to) => new nn.Conv2d(from, to, 3),
  linear: (from, to) => new nn.Linear(from, to),
  relu: () => new nn.ReLU(),
  pool: () => new nn.MaxPool2d(2),
  flatten: () => new nn.Flatten(),
};

function imageTraining(spec) {
  const net = networks["conv net"];
  const { x, y } = batchOf(net, spec.batch);
  const model = new nn.Sequential(...net.layers.map(([kind, ...sizes]) => modules[kind](...sizes)));
  const values = parametersOf(net).map(({ shape, value }) => tensor(value, { shape }));
  model.loadStateDict(Object.fromEntries(Object.keys(model.stateDict()).map((name, i) => [name, values[i]])));
  const rule = new optim.AdamW(model.parameters(), { lr: spec.lr, weightDecay: 0.01 });
  const [images, classes] = [tensor(x, { shape: [spec.batch, ...net.input] }), tensor(y)];
  const step = () => {
    const loss = crossEntropy(model.forward(images), classes);
    rule.zeroGrad();
    loss.backward();
    rule.step();
    return loss;
  };
  return { value: [1, 2, 3].map(() => step().item()), run: repeat(step) };
}

export const cases = { convolution, pooling, imageTraining };
