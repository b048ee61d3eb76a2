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
export { MultiheadAttention, type MultiheadAttentionOptions, type MultiheadCallOptions } from "./attention.js";
export { Identity, type Layer, ModuleDict, ModuleList, Sequential } from "./containers.js";
export {
  Conv1d,
  Conv2d,
  type ConvModuleOptions,
  ConvTranspose2d,
  type ConvTransposeModuleOptions,
} from "./conv.js";
export { Dropout } from "./dropout.js";
export { Embedding, type EmbeddingModuleOptions } from "./embedding.js";
export { Flatten } from "./flatten.js";
export * as functional from "./functional.js";
export type { ForwardHook, ForwardPreHook } from "./hooks.js";
export * as init from "./init.js";
export { Linear, type LinearOptions } from "./linear.js";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  NLLLoss,
} from "./losses.js";
export { Module, type StateDict } from "./module.js";
export {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormModuleOptions,
  GroupNorm,
  type GroupNormModuleOptions,
  LayerNorm,
  type LayerNormModuleOptions,
  RMSNorm,
  type RMSNormOptions,
} from "./norm.js";
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from "./parameter.js";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "./pool.js";
export {
  GRU,
  type GruState,
  LSTM,
  type LstmState,
  type RecurrentOptions,
  type RecurrentParameters,
} from "./recurrent.js";
export type { LoadOptions, LoadResult } from "./state.js";
export {
  type EncoderCallOptions,
  TransformerEncoderLayer,
  type TransformerEncoderLayerOptions,
} from "./transformer.js";
