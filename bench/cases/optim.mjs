// An optimizer's step alone: the gradients stay what they are.
import { optim, tensor } from "nabla";
import { uniform } from "../harness/inputs.mjs";
import { probe, repeat } from "../harness/steps.mjs";

function optimizer({ tensors, size }) {
  const parameters = Array.from({ length: tensors }, (_, i) => {
    const p = tensor(uniform(size, 10 + 2 * i), { requiresGrad: true });
    p.grad = tensor(uniform(size, 11 + 2 * i));
    return p;
  });
  const rule = new optim.AdamW(parameters, { lr: 1e-3, weightDecay: 0.01 });
  const step = () => rule.step();
  for (let i = 0; i < 3; i++) step();
  return { value: parameters.flatMap((p) => probe(p.toTypedArray())), run: repeat(step) };
}

export const cases = { optimizer };
