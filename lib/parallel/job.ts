/** A job: a model and its loss, in a module that every thread can load. */
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";

/** The default export of a job module, made by {@link defineJob}. */
export interface Job<M extends Module = Module, A = unknown, B = unknown> {
  /** Builds the model in each thread; its parameters then share the main thread's memory. */
  readonly model: (args: A) => M;
  /** The loss of one shard: the mean over its rows, as a one-element tensor. */
  readonly loss: (model: M, batch: B) => Tensor;
}

export const isJob = (value: unknown): value is Job =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Job).model === "function" &&
  typeof (value as Job).loss === "function";
