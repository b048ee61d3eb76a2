// The perceptrons of the suites, as a job module: plain steps and DataParallel train the same model.
import { defineJob, nn, tensor } from "nabla";
import { networkInputs } from "../harness/inputs.mjs";

/** The model of a case, with the weights every contender starts from. */
export function perceptron(spec) {
  const { layers } = networkInputs({ ...spec, batch: 1 });
  const activation = () => (spec.task === "classes" ? new nn.ReLU() : new nn.Tanh());
  const model = new nn.Sequential(
    ...layers.flatMap((layer, i) => [...(i > 0 ? [activation()] : []), new nn.Linear(layer.in, layer.out)]),
  );
  const state = layers.flatMap((layer, i) => [
    [`${2 * i}.weight`, tensor(layer.weight, { shape: [layer.out, layer.in] })],
    [`${2 * i}.bias`, tensor(layer.bias)],
  ]);
  model.loadStateDict(Object.fromEntries(state));
  return model;
}

/** The loss of a case, as a function of outputs and targets. */
export function lossOf(spec) {
  return spec.task === "classes" ? nn.functional.crossEntropy : nn.functional.mseLoss;
}

export default defineJob({
  model: perceptron,
  loss: (model, [x, y]) => nn.functional.crossEntropy(model.forward(x), y),
});
