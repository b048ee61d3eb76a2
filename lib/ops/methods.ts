/**
 * Makes methods of ops: every function here takes a tensor first. To add a file of ops, add its line to `modules` and to
 * the interface below.
 */
import { renamed } from "../core/errors.js";
import { Tensor } from "../tensor/tensor.js";
import * as activation from "./activation.js";
import * as binary from "./binary.js";
import * as cast from "./cast.js";
import * as compare from "./compare.js";
import * as decompose from "./decompose.js";
import * as diagonals from "./diagonals.js";
import * as extreme from "./extreme.js";
import * as inPlace from "./in-place.js";
import type { Index } from "./index-entries.js";
import * as indexOps from "./index-ops.js";
import * as indexing from "./indexing.js";
import * as join from "./join.js";
import * as lookup from "./lookup.js";
import * as masks from "./masks.js";
import * as matmul from "./matmul.js";
import * as movement from "./movement.js";
import * as multinomial from "./multinomial.js";
import * as quantile from "./quantile.js";
import * as random from "./random.js";
import * as reduce from "./reduce.js";
import * as repeat from "./repeat.js";
import * as scan from "./scan.js";
import * as search from "./search.js";
import * as softmax from "./softmax.js";
import * as solve from "./solve.js";
import * as sort from "./sort.js";
import * as special from "./special.js";
import * as trig from "./trig.js";
import * as unary from "./unary.js";
import * as vectorNorm from "./vector-norm.js";

const modules = [
  activation,
  binary,
  cast,
  compare,
  diagonals,
  decompose,
  extreme,
  indexing,
  indexOps,
  inPlace,
  join,
  lookup,
  masks,
  matmul,
  movement,
  multinomial,
  vectorNorm,
  quantile,
  random,
  reduce,
  repeat,
  scan,
  search,
  softmax,
  sort,
  solve,
  special,
  trig,
  unary,
];

/** Functions in these files that make tensors, or take none first: they are not methods. */
const functionsOnly = new Set([
  "viewed",
  "sliceRange",
  "embed",
  "positions",
  "asFloat",
  "flatAtZero",
  "lengthOf",
  "meshgrid",
  "reduceArguments",
  "variance",
  "cat",
  "stack",
  "RandomGenerator",
  "masked",
  "defaultGenerator",
  "manualSeed",
  "rand",
  "randn",
  "randint",
  "randperm",
  "normal",
]);

type Op = (x: Tensor, a?: unknown, b?: unknown, c?: unknown, d?: unknown) => unknown;

const define = (name: string, method: unknown): void => {
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
};

/** @internal Adds a method that calls `f` with the tensor first. */
export function install(name: string, f: (...args: never[]) => unknown): void {
  const call = f as Op;
  // Not by f.length: parameters with a default value do not count in it.
  define(name, function (this: Tensor, a: unknown, b: unknown, c: unknown, d: unknown) {
    return call(this, a, b, c, d);
  });
}

/** As {@link install}: errors of the ops that this one is made of bear its name. */
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

for (const module of modules)
  for (const [name, f] of Object.entries(module))
    if (typeof f === "function" && !functionsOnly.has(name)) installOp(name, f as (...args: never[]) => unknown);
installOp("var", reduce.variance);
// A getter, since `x.at.outer` has to know x. Call sites remember the function, so a call of it as a method lets go of x:
// else a minor collection would find x in use.
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

declare module "../tensor/tensor.js" {
  interface Tensor
    extends Methods<Omit<typeof activation, never>>,
      Methods<typeof binary>,
      Methods<typeof cast>,
      Methods<typeof compare>,
      Methods<typeof decompose>,
      Methods<typeof inPlace>,
      Methods<Pick<typeof indexOps, "indexSelect" | "indexAdd" | "gather" | "scatter" | "scatterAdd">>,
      Methods<typeof diagonals>,
      Methods<typeof lookup>,
      Methods<typeof masks>,
      Methods<typeof multinomial>,
      Methods<typeof vectorNorm>,
      Methods<Pick<typeof quantile, "quantile">>,
      Methods<Omit<typeof repeat, "meshgrid">>,
      Methods<typeof search>,
      Methods<typeof matmul>,
      Methods<Omit<typeof movement, "sliceRange" | "embed">>,
      Methods<Pick<typeof join, "chunk" | "unbind">>,
      Methods<Pick<typeof random, "randLike" | "randnLike" | "bernoulli" | "dropout">>,
      Methods<
        Pick<
          typeof reduce,
          | "sum"
          | "mean"
          | "prod"
          | "amax"
          | "amin"
          | "all"
          | "any"
          | "argmax"
          | "argmin"
          | "std"
          | "logsumexp"
          | "sumTo"
        >
      >,
      Methods<typeof scan>,
      Methods<typeof softmax>,
      Methods<typeof sort>,
      Methods<typeof solve>,
      Methods<typeof special>,
      Methods<typeof trig>,
      Methods<typeof unary> {
    /** The largest element, or with `dim` the largest along it and their indices; see {@link extreme.max}. */
    max(): Tensor;
    max(dim: number, options?: extreme.ExtremeOptions): extreme.Extreme;
    /** The smallest element, or with `dim` the smallest along it and their indices; see {@link extreme.min}. */
    min(): Tensor;
    min(dim: number, options?: extreme.ExtremeOptions): extreme.Extreme;
    /** The middle element, or with `dim` the middle ones along it and their indices; see {@link quantile.median}. */
    median(): Tensor;
    median(dim: number, options?: extreme.ExtremeOptions): extreme.Extreme;
    /** The variance; see {@link reduce.variance}. */
    var: Method<typeof reduce.variance>;
    /** Views of consecutive pieces; see {@link join.split}. */
    split<const S extends number | readonly number[]>(
      size: S,
      dim?: number,
    ): S extends readonly number[] ? { -readonly [K in keyof S]: Tensor } : Tensor[];
    /** The part of x at an index; see {@link indexing.at}. */
    readonly at: indexing.At;
  }
}
