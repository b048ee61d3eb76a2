/** What a training run reports, in the order in which it happens. */

/** The run begins, or goes on from a checkpoint. */
export interface StartEvent {
  readonly type: "start";
  /** The folder of the run; null where nothing is written. */
  readonly run: string | null;
  /** The steps made before, and the epoch that goes on. */
  readonly step: number;
  readonly epoch: number;
  /** The checkpoint from which the run goes on. */
  readonly resumedFrom: string | null;
  /** The number of numbers that are trained. */
  readonly parameters: number;
  /** The steps of the whole run; null where the data does not tell. */
  readonly steps: number | null;
}

/** The optimizer has made a step. */
export interface StepEvent {
  readonly type: "step";
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  /** The norm of the whole gradient before clipping; null without `clip`. */
  readonly gradNorm: number | null;
  readonly rows: number;
  /** Since the step before. */
  readonly seconds: number;
  /** Of these, the seconds in which the run waited for data. */
  readonly wait: number;
  /** The step events before this one that were dropped because the reader was slow. */
  readonly missed: number;
  /** The scalars of the user's own that `loss` returned as `log`. */
  readonly log: Readonly<Record<string, number>>;
}

/** The metrics of a data set, by names such as `test.accuracy`: the set, a dot, the metric. */
export interface EvaluateEvent {
  readonly type: "evaluate";
  readonly step: number;
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Whether the metric that decides is better than ever before. */
  readonly best: boolean;
  readonly seconds: number;
}

/** A checkpoint is on disk. */
export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly step: number;
  readonly path: string;
  readonly bytes: number;
  readonly seconds: number;
  /** The seconds during which no step could be made. */
  readonly blocked: number;
}

/** Something went wrong, and the run goes on. */
export interface WarningEvent {
  readonly type: "warning";
  readonly code: string;
  readonly message: string;
  readonly step: number;
}

/** The last event of a run. */
export interface EndEvent {
  readonly type: "end";
  readonly reason: "finished" | "stopped" | "aborted" | "signal" | "nan";
  readonly step: number;
  /** The newest checkpoint that is whole. */
  readonly checkpoint: string | null;
}

export type TrainEvent = StartEvent | StepEvent | EvaluateEvent | CheckpointEvent | WarningEvent | EndEvent;
