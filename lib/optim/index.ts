/** Optimizers: what turns gradients into better parameters. */
export { Adagrad, type AdagradHyperparameters, type AdagradOptions } from "./adagrad.js";
export { Adam, type AdamHyperparameters, type AdamOptions, AdamW } from "./adam.js";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip.js";
export { LBFGS, type LbfgsHyperparameters, type LbfgsOptions } from "./lbfgs.js";
export { Lion, type LionHyperparameters, type LionOptions } from "./lion.js";
export { type GroupInit, Optimizer, type OptionsOf, type Parameters, type ParamGroup } from "./optimizer.js";
export {
  type PlateauState,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
} from "./plateau.js";
export {
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./restarts.js";
export { RMSprop, type RmspropHyperparameters, type RmspropOptions } from "./rmsprop.js";
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  ExponentialLR,
  type ExponentialLROptions,
  LambdaLR,
  type LambdaLROptions,
  LinearLR,
  type LinearLROptions,
  LRScheduler,
  type LrLambda,
  MultiStepLR,
  type MultiStepLROptions,
  OneCycleLR,
  type OneCycleLROptions,
  type Scheduled,
  type ScheduleState,
  StepLR,
  type StepLROptions,
} from "./schedule.js";
export { SequentialLR, type SequentialLROptions } from "./sequential.js";
export { SGD, type SgdHyperparameters, type SgdOptions } from "./sgd.js";
export type { OptimizerState, ParameterState } from "./state.js";
