// Scaled dot-product attention, forward alone and both ways.
import { noGrad, scaledDotProductAttention, tensor } from "nabla";
import { attentionInputs } from "../harness/inputs.mjs";
import { probe, repeat } from "../harness/steps.mjs";

function attention(spec) {
  const { heads, length, size, causal, backward } = spec;
  const { query, key, value, gradient } = attentionInputs(spec);
  const shape = [1, heads, length, size];
  const inputs = [query, key, value].map((data) => tensor(data, { shape, requiresGrad: backward }));
  const g = tensor(gradient, { shape });
  const forward = () => scaledDotProductAttention(...inputs, { isCausal: causal });
  if (!backward) {
    const run = () => noGrad(forward);
    return { value: probe(run().toTypedArray()), run: repeat(run) };
  }
  const step = () => {
    for (const x of inputs) x.grad = null;
    const y = forward();
    y.backward({ gradient: g });
    return y;
  };
  const y = step();
  return { value: [y, ...inputs.map((x) => x.grad)].flatMap((x) => probe(x.toTypedArray())), run: repeat(step) };
}

export const cases = { attention };
