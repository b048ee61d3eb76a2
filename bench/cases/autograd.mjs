// A loss as a function of all parameters: its value alone, its derivative along one direction, its whole gradient.
import { jvp, nn, noGrad, tensor, valueAndGrad } from "nabla";
import { uniform } from "../harness/inputs.mjs";
import { batchOf, networks, parametersOf } from "../harness/networks.mjs";
import { repeat } from "../harness/steps.mjs";
import { Block } from "./train-gpt.mjs";

const { conv2d, linear, maxPool2d, crossEntropy } = nn.functional;
const apply = { conv: conv2d, linear };
const plain = { relu: (x) => x.relu(), pool: (x) => maxPool2d(x, 2), flatten: (x) => x.flatten(1) };

function derivative({ network, batch, mode }) {
  const net = networks[network];
  const all = parametersOf(net);
  const data = batchOf(net, batch);
  const [x, y] = [tensor(data.x, { shape: [batch, ...net.input] }), tensor(data.y)];
  const values = all.map(({ shape, value }) => tensor(value, { shape }));
  const directions = all.map(({ shape, direction }) => tensor(direction, { shape }));
  const loss = (...parameters) => {
    let [act, next] = [x, 0];
    for (const [kind, ...sizes] of net.layers)
      act = sizes.length ? apply[kind](act, parameters[next++], parameters[next++]) : plain[kind](act);
    return crossEntropy(act, y);
  };
  const gradient = valueAndGrad(loss, { argnums: values.map((_, i) => i) });
  const along = (gradients) => gradients.reduce((sum, g, i) => sum + g.mul(directions[i]).sum().item(), 0);
  const modes = {
    function: { step: () => noGrad(() => loss(...values)), read: (value) => [value.item()] },
    forward: { step: () => jvp(loss, values, directions), read: ([value, d]) => [value.item(), d.item()] },
    reverse: { step: () => gradient(...values), read: ([value, gradients]) => [value.item(), along(gradients)] },
  };
  const { step, read } = modes[mode];
  return { value: read(step()), run: repeat(step) };
}

/** Value and gradient by the input of a block whose weights are trainable: as part of their graph, or inside noGrad. */
function byInput({ width, heads, length, batch, graph }) {
  const block = new Block({ width, heads });
  const bound = 1 / Math.sqrt(width);
  noGrad(() => {
    block.namedParameters().forEach(([name, p], i) => {
      if (!name.startsWith("norm")) p.assign(tensor(uniform(p.numel, 10 + i, -bound, bound), { shape: p.shape }));
    });
  });
  const shape = [batch, length, width];
  const [x, direction] = [3, 4].map((seed) => tensor(uniform(batch * length * width, seed, -1, 1), { shape }));
  const gradient = valueAndGrad((x) => block.forward(x).square().sum());
  const step = graph ? () => gradient(x) : () => noGrad(() => gradient(x));
  const [value, byX] = step();
  if (value.requiresGrad !== graph || byX.requiresGrad !== graph)
    throw new Error("the graph is not what was asked for");
  return { value: [value.item(), byX.mul(direction).sum().item()], run: repeat(step) };
}

export const cases = { derivative, byInput };
