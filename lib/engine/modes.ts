import { types } from "node:util";
import { fail } from "../core/errors.js";
import { needFunction } from "../core/options.js";
import type { Interceptor } from "./call.js";

/** Ambient state of this JavaScript thread. It is changed only around synchronous code. */
export const mode = {
  /** Whether ops on tensors that require grad are recorded. */
  grad: true,
  /** Whether a backward is running that frees its graph (no retainGraph): a rule may write to saved values. */
  freesGraph: false,
  /** Whether results of ops on halves stay float32, inside an op that rounds once at its end: see {@link inFloat32}. */
  keepFloat32: false,
  /**
   * What takes every call in place of the engine: vmap and detectAnomaly. Null costs an op one comparison. Only the engine
   * and the interceptors read it: an op that took another way while it is watched would not be what is seen.
   */
  intercept: null as Interceptor | null,
};

/** Runs `f` with another interceptor, or none, and puts the one before back. */
export function intercepting<T>(intercept: Interceptor | null, f: () => T): T {
  const before = mode.intercept;
  mode.intercept = intercept;
  try {
    return f();
  } finally {
    mode.intercept = before;
  }
}

const ignore = (): void => undefined;

/** Refuses a promise where a synchronous result is needed: the mode would be left before the work is done. */
export function synchronous<T>(op: string, result: T): T {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== "function") return result;
  // Nobody else will see how the promise ends, and a rejection without a handler ends the process.
  if (types.isPromise(result)) Promise.prototype.then.call(result, undefined, ignore);
  return fail("ERR_ARGUMENT", op, "the function must be synchronous", "a value", "a promise");
}

/** Runs `f` with recording on or off, and puts the mode back as it was. */
export function withGrad<T>(on: boolean, f: () => T): T {
  const before = mode.grad;
  mode.grad = on;
  try {
    return f();
  } finally {
    mode.grad = before;
  }
}

/** Runs `f` with the results of halves left in float32, and puts the mode back as it was. */
export function unrounded<T>(f: () => T): T {
  const before = mode.keepFloat32;
  mode.keepFloat32 = true;
  try {
    return f();
  } finally {
    mode.keepFloat32 = before;
  }
}

/** Runs rules that may write to what was saved for them, or may not, and puts the mode back as it was. */
export function freeingGraph<T>(frees: boolean, f: () => T): T {
  const before = mode.freesGraph;
  mode.freesGraph = frees;
  try {
    return f();
  } finally {
    mode.freesGraph = before;
  }
}

export type NoPromise<T> = T extends PromiseLike<unknown> ? never : T;

/**
 * Runs a synchronous function without recording a graph: what it computes does not require grad.
 * @throws ERR_ARGUMENT for what is no function, and when the function returns a promise.
 *
 * @example
 * const accuracy = noGrad(() => model.forward(x).argmax(1).eq(y).to("float32").mean().item());
 */
export function noGrad<T>(f: () => NoPromise<T>): T {
  needFunction("noGrad", f);
  return withGrad(false, () => synchronous("noGrad", f() as T));
}

/** Whether ops are being recorded. */
export const isGradEnabled = (): boolean => mode.grad;
