import { needFunction, synchronous } from "../core/arguments.js";
import type { Interceptor } from "./call.js";

/** Global state of this JavaScript thread. It is changed only around synchronous code. */
export const mode = {
  /** Whether ops on tensors that require grad are recorded. */
  grad: true,
  /** Whether a rule may take a residual output over and write to it; not if a graph is only displayed. */
  takesResiduals: true,
  /** Whether half-precision results stay float32, inside an op that rounds once at its end: see {@link inFloat32}. */
  keepFloat32: false,
  /**
   * The interceptor that receives every call instead of the engine (vmap, detectAnomaly), or null, at the cost of one
   * comparison. Only the engine and the interceptors may read it: an op that took another path while observed would not
   * show what normally runs.
   */
  intercept: null as Interceptor | null,
};

/** Runs `f` with another interceptor, or none, and restores the previous one. */
export function intercepting<T>(intercept: Interceptor | null, f: () => T): T {
  const before = mode.intercept;
  mode.intercept = intercept;
  try {
    return f();
  } finally {
    mode.intercept = before;
  }
}

/** Runs `f` with recording on or off, and restores the mode. */
export function withGrad<T>(on: boolean, f: () => T): T {
  const before = mode.grad;
  mode.grad = on;
  try {
    return f();
  } finally {
    mode.grad = before;
  }
}

/** Runs `f` with half-precision results kept in float32, and restores the mode. */
export function unrounded<T>(f: () => T): T {
  const before = mode.keepFloat32;
  mode.keepFloat32 = true;
  try {
    return f();
  } finally {
    mode.keepFloat32 = before;
  }
}

/** Runs `f` while rules may not take residual outputs, and restores the mode. */
export function leavingResiduals<T>(f: () => T): T {
  const before = mode.takesResiduals;
  mode.takesResiduals = false;
  try {
    return f();
  } finally {
    mode.takesResiduals = before;
  }
}

export type NoPromise<T> = T extends PromiseLike<unknown> ? never : T;

/**
 * Runs a synchronous function without recording a graph: its results do not require grad.
 * @throws ERR_ARGUMENT unless the argument is a function, and if the function returns a promise.
 * @example
 * const accuracy = noGrad(() => model.forward(x).argmax(1).eq(y).to("float32").mean().item());
 */
export function noGrad<T>(f: () => NoPromise<T>): T {
  needFunction("noGrad", f);
  return withGrad(false, () => synchronous("noGrad", f() as T));
}

/**
 * Whether ops are being recorded: false inside {@link noGrad}.
 * @example noGrad(() => isGradEnabled()); // false
 */
export const isGradEnabled = (): boolean => mode.grad;
