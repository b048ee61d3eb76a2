/** Internals for the tests. Not exported by the package. */

export { vmapWays, type Way } from "./autograd/batching.js";
export { dtypes } from "./core/dtype.js";
export { describe, fail, NablaError } from "./core/errors.js";
export { checkOptions, nearest } from "./core/options.js";
export { feistel, permutation } from "./data/permutation.js";
export { philox, wordsOf } from "./data/philox.js";
export { apply } from "./engine/apply.js";
export { ask, costOf, dryRun, placeholder, ValuesNeeded } from "./engine/dry-run.js";
export { mode } from "./engine/modes.js";
export { defineRow, kernels, type Row, table } from "./engine/row.js";
export { general } from "./engine/rule.js";
export { type FileLock, lockFile } from "./io/lock.js";
export { collector } from "./native/collector.js";
export { type Door, eager, standIn } from "./native/door.js";
export { kernelNames, layout, rawFrame } from "./native/frame.js";
export { addon } from "./native/load.js";
export * as activationBackward from "./ops/activation-backward.js";
export { hypot, scaledDiv } from "./ops/hypot.js";
export { timesWritten } from "./parallel/share.js";
export { writeReport } from "./report/html/report.js";
export { MetricsFile } from "./report/metrics-file.js";
export { Progress } from "./report/progress/progress.js";
export { readEvents } from "./report/read-events.js";
export { EventFile } from "./report/tensorboard/event-file.js";
export { formatTensor, type PrintOptions } from "./tensor/print.js";
