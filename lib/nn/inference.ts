import { needFunction, refuse } from "../core/arguments.js";
import { type NoPromise, synchronous, withGrad } from "../engine/modes.js";
import { Module } from "./module.js";

/**
 * Runs a synchronous function with the model in evaluation mode and without recording; both are restored afterwards,
 * module by module, also if it throws. The function gets the model as its argument.
 * @throws ERR_ARGUMENT unless the argument is a module, and when the function returns a promise.
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
