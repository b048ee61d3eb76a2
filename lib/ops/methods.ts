/** Makes methods of the ops in method-list.ts, at run time and for the type checker. */
import { renamed } from "../core/errors.js";
import { Tensor } from "../tensor/tensor.js";
import type * as extreme from "./extreme.js";
import type { Index } from "./index-entries.js";
import * as indexing from "./indexing.js";
import type * as join from "./join.js";
import * as list from "./method-list.js";
import type * as quantile from "./quantile.js";

type Op = (x: Tensor, a?: unknown, b?: unknown, c?: unknown, d?: unknown) => unknown;

const define = (name: string, method: unknown): void => {
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
};

/** @internal Adds a method that calls `f` with the tensor first. */
export function install(name: string, f: (...args: never[]) => unknown): void {
  const call = f as Op;
  // Not by f.length, which does not count parameters with a default.
  define(name, function (this: Tensor, a: unknown, b: unknown, c: unknown, d: unknown) {
    return call(this, a, b, c, d);
  });
}

/** As {@link install}; errors of ops called inside name this method. */
function installOp(name: string, f: (...args: never[]) => unknown): void {
  const call = f as Op;
  define(name, function (this: Tensor, a: unknown, b: unknown, c: unknown, d: unknown) {
    try {
      return call(this, a, b, c, d);
    } catch (error) {
      throw renamed(error, name);
    }
  });
}

for (const [name, f] of Object.entries(list)) installOp(name, f as (...args: never[]) => unknown);
// A getter, because `x.at.outer` has to know x. V8 keeps the function that a call site last called, and with it x, so a
// call as a method clears the reference: else a minor collection could not free x.
Object.defineProperty(Tensor.prototype, "at", {
  get(this: Tensor): indexing.At {
    let x: Tensor | null = this;
    const at = function (this: Tensor | undefined, ...index: readonly Index[]): Tensor {
      const of = this ?? x;
      if (this !== undefined) x = null;
      return indexing.at(of as Tensor, ...index);
    };
    at.outer = (...index: readonly Index[]): Tensor => indexing.at.outer(x as Tensor, ...index);
    return at;
  },
  configurable: true,
});

/** The method form of a function whose first parameter is a tensor. */
export type Method<F> = F extends (x: never, ...rest: infer A) => infer R ? (...args: A) => R : never;
/** The methods made from a module of ops. Homomorphic, so that the docs of each op follow it. */
export type Methods<M> = { [K in keyof M]: Method<M[K]> };

/** A mapped type keeps one overload of a function only: these are written out below. */
type Overloaded = "max" | "min" | "median" | "split";

declare module "../tensor/tensor.js" {
  interface Tensor extends Methods<Omit<typeof list, Overloaded>> {
    /** The largest element, or with `dim` the largest along it and their indices; see {@link extreme.max}. */
    max(): Tensor;
    max(dim: number, options?: extreme.ExtremeOptions): extreme.Extreme;
    /** The smallest element, or with `dim` the smallest along it and their indices; see {@link extreme.min}. */
    min(): Tensor;
    min(dim: number, options?: extreme.ExtremeOptions): extreme.Extreme;
    /** The middle element, or with `dim` the middle ones along it and their indices; see {@link quantile.median}. */
    median(): Tensor;
    median(dim: number, options?: extreme.ExtremeOptions): extreme.Extreme;
    /** Views of consecutive pieces; see {@link join.split}. */
    split<const S extends number | readonly number[]>(
      size: S,
      dim?: number,
    ): S extends readonly number[] ? { -readonly [K in keyof S]: Tensor } : Tensor[];
    /** The part of x at an index; see {@link indexing.at}. */
    readonly at: indexing.At;
  }
}
