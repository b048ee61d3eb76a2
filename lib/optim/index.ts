/** Optimizers: what turns gradients into better parameters. */
export { Adam, type AdamHyperparameters, type AdamOptions, AdamW } from "./adam.js";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip.js";
export { type GroupInit, Optimizer, type OptionsOf, type Parameters, type ParamGroup } from "./optimizer.js";
export { SGD, type SgdHyperparameters, type SgdOptions } from "./sgd.js";
export type { OptimizerState, ParameterState } from "./state.js";
