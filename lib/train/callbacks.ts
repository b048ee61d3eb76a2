/** What may take part in a run. */
import { needChoice } from "../core/arguments.js";
import type { Module } from "../nn/module.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { CheckpointEvent, EndEvent, EvaluateEvent, StartEvent, StepEvent, TrainEvent } from "./events.js";

const reasons = ["stopped", "aborted", "signal"] as const;
/** Why a run is asked to end. */
export type StopReason = (typeof reasons)[number];

export const needReason = (reason: unknown): StopReason => needChoice("stop", "the reason", reason, reasons);

/** What a callback may ask for and look at. Requests are met between two batches. */
export interface Control {
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** The optimizer's steps so far. */
  readonly step: number;
  /** The epochs that are over. */
  readonly epoch: number;
  /** Ends the run, with a checkpoint. */
  stop(reason?: StopReason): void;
  /** Asks for a checkpoint. */
  save(): void;
  /** Asks for an evaluation. */
  evaluate(): void;
}

type Answer = void | Promise<void>;

/**
 * Takes part in a run. What a callback throws ends the run, with a checkpoint. A state is saved in each checkpoint, and
 * restored when a run goes on.
 */
export interface Callback {
  /** Names its state in checkpoints. */
  readonly name: string;
  stateDict?(): unknown;
  loadStateDict?(state: never): void;
  /** Gets every event as it happens, and returns at once. */
  observe?(event: TrainEvent): void;
  onStart?(event: StartEvent, control: Control): Answer;
  /** After the gradients have been computed, checked and clipped, and before the optimizer uses them. */
  beforeStep?(control: Control): Answer;
  afterStep?(event: StepEvent, control: Control): Answer;
  onEvaluate?(event: EvaluateEvent, control: Control): Answer;
  onCheckpoint?(event: CheckpointEvent, control: Control): Answer;
  onEnd?(event: EndEvent, control: Control): Answer;
  /** At the very end, also after an error. */
  close?(): Answer;
}

/** The method of a callback for an event. */
export const handlers = {
  start: "onStart",
  step: "afterStep",
  evaluate: "onEvaluate",
  checkpoint: "onCheckpoint",
  end: "onEnd",
} as const;
