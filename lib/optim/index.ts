/** Optimizers, learning rate schedules and gradient clipping. */
export { Adagrad, type AdagradHyperparameters, type AdagradOptions } from "./adagrad.js";
export { Adam, type AdamHyperparameters, type AdamOptions, AdamW } from "./adam.js";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip.js";
export { LBFGS, type LbfgsHyperparameters, type LbfgsOptions } from "./lbfgs.js";
export { Lion, type LionHyperparameters, type LionOptions } from "./lion.js";
export { Optimizer } from "./optimizer.js";
export type { GroupInit, OptionsOf, Parameters, ParamGroup, ScheduleFields } from "./param-group.js";
export { RMSprop, type RmspropHyperparameters, type RmspropOptions } from "./rmsprop.js";
export { CosineAnnealingLR, type CosineAnnealingLROptions } from "./schedule/cosine-annealing-lr.js";
export {
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./schedule/cosine-annealing-warm-restarts.js";
export { ExponentialLR, type ExponentialLROptions } from "./schedule/exponential-lr.js";
export { LambdaLR, type LambdaLROptions, type LrLambda } from "./schedule/lambda-lr.js";
export { LinearLR, type LinearLROptions } from "./schedule/linear-lr.js";
export { LRScheduler, type Scheduled, type ScheduleState } from "./schedule/lr-scheduler.js";
export { MultiStepLR, type MultiStepLROptions } from "./schedule/multi-step-lr.js";
export { OneCycleLR, type OneCycleLROptions } from "./schedule/one-cycle-lr.js";
export {
  type PlateauState,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
} from "./schedule/reduce-lr-on-plateau.js";
export { SequentialLR, type SequentialLROptions, type SequentialState } from "./schedule/sequential-lr.js";
export { StepLR, type StepLROptions } from "./schedule/step-lr.js";
export { SGD, type SgdHyperparameters, type SgdOptions } from "./sgd.js";
export type { OptimizerState, ParameterState } from "./state.js";
