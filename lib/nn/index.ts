/** Modules: layers, containers and losses with parameters of their own. */
export {
  ELU,
  GELU,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from "./activations.js";
export { Identity, type Layer, ModuleDict, ModuleList, Sequential } from "./containers.js";
export { Dropout } from "./dropout.js";
export { Flatten } from "./flatten.js";
export * as functional from "./functional.js";
export type { ForwardHook, ForwardPreHook } from "./hooks.js";
export * as init from "./init.js";
export { Linear, type LinearOptions } from "./linear.js";
export { BCEWithLogitsLoss, CrossEntropyLoss, MSELoss, NLLLoss } from "./losses.js";
export { Module, type StateDict } from "./module.js";
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from "./parameter.js";
export type { LoadOptions, LoadResult } from "./state.js";
