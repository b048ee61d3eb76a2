import { needFunction, refuse, synchronous } from "../core/arguments.js";
import { type NoPromise, withGrad } from "../engine/modes.js";
import { Module } from "./module.js";

/**
 * Runs a synchronous function with the model in evaluation mode and without recording a graph. Afterwards, also if the
 * function throws, every module's mode is what it was. The function gets the model as its argument.
 * @throws ERR_ARGUMENT unless the model is a module, and if the function returns a promise.
 * @example
 * const probabilities = inference(model, () => model.forward(x).softmax(-1));
 */
export function inference<M extends Module, T>(model: M, f: (model: M) => NoPromise<T>): T {
  if (!(model instanceof Module)) refuse("inference", "the model", "a module", model);
  needFunction("inference", f);
  const before = model.modules().map((module) => [module, module.training] as const);
  try {
    model.eval();
    return withGrad(false, () => synchronous("inference", f(model) as T));
  } finally {
    for (const [module, training] of before) module.training = training;
  }
}
