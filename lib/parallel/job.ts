/** What a job is: a model and its loss, in a module that every thread can load. */
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";

/** What a job module exports by default; made by {@link defineJob}. */
export interface Job<M extends Module = Module, A = unknown, B = unknown> {
  /** Builds the model; every thread builds its own and then shares the main thread's parameters. */
  readonly model: (args: A) => M;
  /** The loss of one shard of a batch: its mean over the shard's rows, as a one-element tensor. */
  readonly loss: (model: M, batch: B) => Tensor;
}

export const isJob = (value: unknown): value is Job =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Job).model === "function" &&
  typeof (value as Job).loss === "function";
