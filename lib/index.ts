/** The public surface: re-exports only. */
import "./install.js";

export { detectAnomaly } from "./autograd/anomaly.js";
export { checkpoint } from "./autograd/checkpoint.js";
export { type CustomFunction, customFunction, type PerArgument } from "./autograd/custom.js";
export { type GradcheckOptions, gradcheck } from "./autograd/gradcheck.js";
export { hessian, hvp, type JacobianOptions, jacfwd, jacobian, jacrev } from "./autograd/jacobian.js";
export { type BackwardOptions, backward } from "./autograd/methods.js";
export { type GradientsOptions, type GradOptions, grad, jvp, valueAndGrad, vjp } from "./autograd/transforms.js";
export { type Dims, type VmapOptions, vmap } from "./autograd/vmap.js";
export { type DType, getDefaultDtype, setDefaultDtype, type TypedArray } from "./core/dtype.js";
export { type ErrorCode, type ErrorDetails, NablaError } from "./core/errors.js";
export type { FilePath } from "./core/path.js";
export type { Shape } from "./core/shape.js";
export type { Column, NumberColumn, TextColumn } from "./data/column.js";
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from "./data/data-loader.js";
export { type Dataset, TensorDataset } from "./data/dataset.js";
export { type Cifar, type CifarOptions, type CifarPart, decodeCifar, loadCifar } from "./data/formats/cifar.js";
export { type CsvOptions, parseCsv, readCsv } from "./data/formats/csv.js";
export { decodeIdx, type IdxArray, type IdxData, loadIdx } from "./data/formats/idx.js";
export { JsonLines, type JsonLinesOptions, readJsonLines } from "./data/formats/json-lines.js";
export { loadMnist, type Mnist, type MnistPart } from "./data/formats/mnist.js";
export { ByteTokenizer, CharacterTokenizer, readText, type Tokenizer } from "./data/formats/text.js";
export type { LoaderWorkers } from "./data/loader-workers.js";
export type { Seekable } from "./data/rows.js";
export type { SampleContext } from "./data/sample.js";
export {
  fromIterable,
  type StreamEpoch,
  type StreamFactory,
  StreamLoader,
  type StreamOptions,
  type StreamState,
} from "./data/stream.js";
export { type RandomSplitOptions, randomSplit, Subset } from "./data/subset.js";
export { Table, type TableRow } from "./data/table.js";
export type { EncodedFeature, EncodedTable, EncodeOptions, TableEncoder } from "./data/table-encoder.js";
export { TokenWindows, type TokenWindowsOptions } from "./data/token-windows.js";
export { isGradEnabled, noGrad } from "./engine/modes.js";
export { scope } from "./engine/scope.js";
export { type FormulaOptions, formula } from "./graph/formula.js";
export { Graph, type GraphOptions, graph } from "./graph/graph.js";
export type { PictureEdge, PictureNode } from "./graph/picture.js";
export { type CheckpointParts, type CheckpointTargets, loadCheckpoint, saveCheckpoint } from "./io/checkpoint.js";
export { decodeNpy, encodeNpy, type LoadNpyOptions, loadNpy, saveNpy } from "./io/npy.js";
export { decodeNpz, encodeNpz, loadNpz, type NpzOptions, saveNpz } from "./io/npz.js";
export {
  decodeSafetensors,
  decodeSafetensorsMetadata,
  encodeSafetensors,
  type LoadSafetensorsOptions,
  loadSafetensors,
  type SafetensorsOptions,
  saveSafetensors,
  type Tensors,
} from "./io/safetensors.js";
export type { Stateful } from "./io/state-json.js";
export type {
  CheckpointOptions,
  DataContext,
  EvaluateOptions,
  Every,
  EveryStepsOrEpochs,
  Goal,
  InitOptions,
  Job,
  Metric,
  OptimizerContext,
  Schedule,
  ScheduleContext,
  StopOptions,
} from "./job/job.js";
export type { Log, LossAndOutput, LossResult, SumAndCount } from "./job/loss.js";
export type { BatchOf, DataSets, Loader, Source } from "./job/sources.js";
export { functionalCall } from "./nn/functional-call.js";
export * as nn from "./nn/index.js";
export { inference } from "./nn/inference.js";
export { summary } from "./nn/summary.js";
export * from "./ops/activation.js";
export { type AttentionOptions, scaledDotProductAttention } from "./ops/attention.js";
export { type BatchNormOptions, batchNorm } from "./ops/batch-norm.js";
export * from "./ops/binary.js";
export * from "./ops/cast.js";
export * from "./ops/compare.js";
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose2d,
  type Pair,
} from "./ops/conv.js";
export * from "./ops/cross-entropy.js";
export * from "./ops/decompose.js";
export * from "./ops/diagonals.js";
export { einsum } from "./ops/einsum.js";
export type { Extreme, ExtremeOptions } from "./ops/extreme.js";
export { type Index, Slice, slice } from "./ops/index-entries.js";
export { type At, at } from "./ops/indexing.js";
export { cat, stack } from "./ops/join.js";
export * from "./ops/lookup.js";
export type { LossOptions, LossReduction } from "./ops/loss-reduction.js";
export * from "./ops/losses.js";
export type { Activation, LinearCallOptions } from "./ops/matmul.js";
export * from "./ops/method-list.js";
export * from "./ops/multinomial.js";
export { groupNorm, layerNorm, rmsNorm } from "./ops/norm.js";
export type { LayerNormOptions, RmsNormOptions } from "./ops/norm-arguments.js";
export {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool2d,
} from "./ops/pool.js";
export * from "./ops/quantile.js";
export {
  manualSeed,
  normal,
  RandomGenerator,
  type RandomOptions,
  rand,
  randint,
  randn,
  randperm,
} from "./ops/random.js";
export {
  type GruOptions,
  type GruResult,
  gru,
  type LstmOptions,
  type LstmResult,
  lstm,
  type RecurrentWeights,
} from "./ops/recurrent.js";
export type { DimOrOptions, ReduceOptions } from "./ops/reduction.js";
export * from "./ops/repeat.js";
export * from "./ops/scan.js";
export * from "./ops/search.js";
export * from "./ops/softmax.js";
export * from "./ops/solve.js";
export * from "./ops/sort.js";
export * from "./ops/special.js";
export * from "./ops/trig.js";
export * from "./ops/unary.js";
export { variance } from "./ops/variance.js";
export * from "./ops/vector-norm.js";
export * as optim from "./optim/index.js";
export { DataParallel, type DataParallelOptions, type DataParallelState } from "./parallel/data-parallel.js";
export { defineJob } from "./parallel/define-job.js";
export { memory, numThreads, setNumThreads, trim } from "./parallel/settings.js";
export { attach, type SharedTensor, share } from "./parallel/share.js";
export { allClose, type CloseOptions, equal } from "./tensor/compare.js";
export { arange, eye, full, fullLike, linspace, ones, onesLike, zeros, zerosLike } from "./tensor/create.js";
export type { CreateOptions } from "./tensor/create-options.js";
export { type AssertEqualOptions, assertEqual, tensorEquality } from "./tensor/equality.js";
export { scalar, type TensorOptions, tensor } from "./tensor/from-data.js";
export { isTensor, type NestedArray, Tensor } from "./tensor/tensor.js";
export type { Callback, Control, StopReason } from "./train/callbacks.js";
export type {
  CheckpointEvent,
  EndEvent,
  EvaluateEvent,
  StartEvent,
  StepEvent,
  TrainEvent,
  WarningEvent,
} from "./train/events.js";
export { fit, type VisibleFitOptions } from "./train/fit.js";
export type { FitResult } from "./train/fit-result.js";
export type { BestState } from "./train/goals.js";
export type { RunFolderOptions } from "./train/run-options.js";
export { type FitOptions, Trainer, type TrainerOptions } from "./train/trainer.js";
