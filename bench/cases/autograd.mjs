// A loss as a function of all parameters: its value alone, its derivative along one direction, its whole gradient.
import { jvp, nn, noGrad, tensor, valueAndGrad } from "nabla";
import { batchOf, networks, parametersOf } from "../harness/networks.mjs";
import { repeat } from "../harness/steps.mjs";

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

export const cases = { derivative };
