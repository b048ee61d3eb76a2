/** Random tensors. Element i of a result depends on (seed, stream, i) only, not on the number of threads. */
import { needInteger, needNumber, needShare, refuse } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { type DType, type DTypeRow, defaultFloat, dtypeRow, dtypes, holds, showRange } from "../core/dtype.js";
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { RandomKey } from "../core/random-key.js";
import { checkShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineRow, type Row } from "../engine/row.js";
import { onesLike } from "../tensor/create.js";
import { finish } from "../tensor/create-options.js";
import type { Tensor } from "../tensor/tensor.js";
import { probabilities } from "./checked.js";

/**
 * A random number generator with its own state, for the option `generator`. {@link manualSeed} seeds the default
 * generator of this JavaScript thread.
 * @throws ERR_ARGUMENT unless the seed is an integer of at least 0.
 * @example
 * const generator = new RandomGenerator(1);
 * rand([2], { generator });
 */
export class RandomGenerator {
  private key: RandomKey;

  constructor(seed: number) {
    this.key = new RandomKey(needInteger("RandomGenerator", "the seed", seed, 0));
  }
  /** Restarts from a seed, an integer of at least 0; returns this generator. */
  manualSeed(seed: number): this {
    this.key = new RandomKey(needInteger("manualSeed", "the seed", seed, 0));
    return this;
  }
  /** The state, as plain numbers: the seed, and the number of random calls since. */
  stateDict(): { seed: number; calls: number } {
    return { seed: this.key.seed, calls: this.key.calls };
  }
  /** Restores a state from {@link stateDict}; ERR_ARGUMENT for anything else. */
  loadStateDict(state: { seed: number; calls: number }): void {
    this.key = new RandomKey(needInteger("loadStateDict", "seed", state?.seed, 0));
    this.key.calls = needInteger("loadStateDict", "calls", state.calls, 0);
  }
  /** @internal The attributes of the next random call. */
  next(): number[] {
    return this.key.next();
  }
  /** @internal The state, for {@link replaceKey}. */
  copyKey(): RandomKey {
    return this.key.copy();
  }
  /** @internal Sets the state and returns the previous one. */
  replaceKey(key: RandomKey): RandomKey {
    const before = this.key;
    this.key = key;
    return before;
  }
}
brand("other", RandomGenerator);

/** @internal The default generator of this JavaScript thread; randomly seeded until manualSeed is called. */
export const defaultGenerator = new RandomGenerator(Math.floor(Math.random() * 2 ** 48));

/**
 * Seeds the default generator of this JavaScript thread, and returns it.
 * @throws ERR_ARGUMENT unless the seed is an integer of at least 0.
 * @example manualSeed(1) === manualSeed(2); // true
 */
export const manualSeed = (seed: number): RandomGenerator => defaultGenerator.manualSeed(seed);

export interface RandomOptions {
  /** The dtype of the result; the default depends on the function. */
  readonly dtype?: DType | undefined;
  /** Whether the result is a leaf that requires grad; default false. */
  readonly requiresGrad?: boolean | undefined;
  /** The random number generator; default that of this JavaScript thread. */
  readonly generator?: RandomGenerator | undefined;
}
const known = ["dtype", "generator"] as const;

interface Draw {
  readonly attrs: readonly number[];
  readonly shape: readonly number[];
  readonly type: DTypeRow;
}

function source(name: string, kernel: string): Row<Draw> {
  const row: Row<Draw> = defineRow<Draw>({
    name,
    family: "random",
    kernel,
    inputs: 0,
    accuracy: "exact",
    rule: { kind: "none", reason: "random numbers depend on nothing" },
    replay: (_, p) => apply(row, [], p.type, p.type, p.shape, p.attrs, p),
    batch: { params: (p, batchSize) => ({ ...p, shape: [batchSize, ...p.shape] }) },
  });
  return row;
}

function draw(op: string, row: Row<Draw>, shape: readonly number[], type: DTypeRow, attrs: readonly number[]): Tensor {
  const checked = checkShape(op, shape);
  return row.replay([], { attrs, shape: checked, type });
}

function generatorOf(op: string, generator: RandomGenerator | undefined): RandomGenerator {
  if (generator === undefined || generator instanceof RandomGenerator) return generator ?? defaultGenerator;
  return refuse(op, "generator", "a RandomGenerator", generator);
}

function floats(
  op: string,
  row: Row<Draw>,
  shape: readonly number[],
  options: RandomOptions | undefined,
  like?: DTypeRow,
): Tensor {
  const given = checkOptions<RandomOptions>(op, options, known, ["requiresGrad"]);
  const type = given.dtype === undefined ? (like ?? defaultFloat()) : dtypeRow(op, given.dtype);
  if (type.kind !== "float") fail("ERR_DTYPE", op, "not a float dtype", "a float dtype", type.name);
  const wide = draw(op, row, shape, type.compute, generatorOf(op, given.generator).next());
  const x = type.half ? (row === uniformRow ? onGrid(wide, type) : wide).to(type.name) : wide;
  return finish(op, x, given.requiresGrad);
}

/** Truncates uniform numbers to half precision, as rounding could give 1. */
function onGrid(u: Tensor, half: DTypeRow): Tensor {
  const steps = half === dtypes.bfloat16 ? 2 ** 8 : 2 ** 11;
  return u.mul(steps).floor().div(steps);
}

const uniformRow = source("rand", "uniform");
const normalRow = source("randn", "normal");
const integerRow = source("randint", "randomIntegers");
const orderRow = source("randperm", "permutation");

/**
 * Uniform random numbers in [0, 1).
 * @dtype a float dtype; default `getDefaultDtype()`.
 * @throws ERR_DTYPE for an integer dtype; ERR_ARGUMENT for an invalid size.
 * @example rand([2, 3]).shape; // [2, 3]
 */
export const rand = (shape: readonly number[], options?: RandomOptions): Tensor =>
  floats("rand", uniformRow, shape, options);

/**
 * Random numbers from the standard normal distribution: mean 0, standard deviation 1.
 * @dtype a float dtype; default `getDefaultDtype()`.
 * @throws ERR_DTYPE for an integer dtype; ERR_ARGUMENT for an invalid size.
 * @source Box and Muller, A note on the generation of random normal deviates, 1958.
 * @example randn([2, 3]).shape; // [2, 3]
 */
export const randn = (shape: readonly number[], options?: RandomOptions): Tensor =>
  floats("randn", normalRow, shape, options);

/**
 * As {@link rand}, with the shape and dtype of x. @throws as {@link rand}.
 * @example randLike(zeros([2, 3], { dtype: "float64" })).dtype; // "float64"
 */
export const randLike = (x: Tensor, options?: RandomOptions): Tensor =>
  floats("randLike", uniformRow, needTensor("randLike", x).shape, options, x.type);

/**
 * As {@link randn}, with the shape and dtype of x. @throws as {@link randn}.
 * @example randnLike(zeros([2, 3])).shape; // [2, 3]
 */
export const randnLike = (x: Tensor, options?: RandomOptions): Tensor =>
  floats("randnLike", normalRow, needTensor("randnLike", x).shape, options, x.type);

/**
 * Uniform random integers in [low, high). @dtype default int32.
 * @throws ERR_ARGUMENT for an empty range; ERR_DTYPE if the dtype does not hold all of them exactly.
 * @example randint(0, 10, [3]).shape; // [3]
 */
export function randint(low: number, high: number, shape: readonly number[], options?: RandomOptions): Tensor {
  needInteger("randint", "low", low);
  needInteger("randint", "high", high, low + 1);
  const given = checkOptions<RandomOptions>("randint", options, known, ["requiresGrad"]);
  const type = given.dtype === undefined ? dtypes.int32 : dtypeRow("randint", given.dtype);
  const wide = type === dtypes.int32 || type === dtypes.int64 ? type : dtypes.int64;
  if (!holds(type, low) || !holds(type, high - 1)) {
    const fact = `the range does not fit ${type.name}`;
    fail("ERR_DTYPE", "randint", fact, `${showRange(type)}, or another dtype`, `${low} to ${high - 1}`);
  }
  if (high - low > Number.MAX_SAFE_INTEGER)
    fail("ERR_ARGUMENT", "randint", "the range is too long", "at most 2^53 - 1 integers", `${low} to ${high - 1}`);
  const attrs = [...generatorOf("randint", given.generator).next(), low, high - low];
  return finish("randint", draw("randint", integerRow, shape, wide, attrs).to(type.name), given.requiresGrad);
}

/**
 * A random permutation of the integers 0 to n - 1.
 * @shape [n]. @dtype default int32.
 * @throws ERR_ARGUMENT unless n is an integer of at least 0; ERR_DTYPE if the dtype does not hold all of them exactly.
 * @example randperm(4).shape; // [4]
 */
export function randperm(n: number, options?: RandomOptions): Tensor {
  if (needInteger("randperm", "n", n, 0) > 2 ** 31)
    fail("ERR_ARGUMENT", "randperm", "the numbers do not fit int32", "at most 2^31", String(n));
  const given = checkOptions<RandomOptions>("randperm", options, known, ["requiresGrad"]);
  const type = given.dtype === undefined ? dtypes.int32 : dtypeRow("randperm", given.dtype);
  if (n > 0 && !holds(type, n - 1))
    fail("ERR_DTYPE", "randperm", `the numbers do not fit ${type.name}`, showRange(type), `0 to ${n - 1}`);
  const drawn = type === dtypes.int64 ? dtypes.int64 : dtypes.int32;
  const order = draw("randperm", orderRow, [n], drawn, generatorOf("randperm", given.generator).next());
  return finish("randperm", order.to(type.name), given.requiresGrad);
}

/**
 * For each element p of x, 1 with probability p, else 0.
 * @shape that of x. @dtype that of x. @gradient none.
 * @throws ERR_ARGUMENT unless 0 <= p <= 1; ERR_DTYPE for integers.
 * @example full([4], 1).bernoulli().toArray(); // [1, 1, 1, 1]
 */
export function bernoulli(x: Tensor, options?: Pick<RandomOptions, "generator">): Tensor {
  needFloat("bernoulli", needTensor("bernoulli", x));
  const { generator } = checkOptions<Pick<RandomOptions, "generator">>("bernoulli", options, ["generator"]);
  return named("bernoulli", () => {
    const p = probabilities(x.detach(), "an element is not a probability");
    return randLike(x, { generator, dtype: x.type.compute.name }).lt(p).to(x.dtype);
  });
}

/**
 * Normal random numbers with the given mean and standard deviation.
 * @dtype a float dtype; default `getDefaultDtype()`.
 * @throws ERR_ARGUMENT for a negative deviation; ERR_DTYPE for an integer dtype.
 * @example normal(5, 0.1, [3]).shape; // [3]
 */
export function normal(mean: number, deviation: number, shape: readonly number[], options?: RandomOptions): Tensor {
  needNumber("normal", "the mean", mean);
  needNumber("normal", "the deviation", deviation, { least: 0 });
  const { dtype, generator, requiresGrad } = checkOptions<RandomOptions>("normal", options, known, ["requiresGrad"]);
  const half = dtype === "bfloat16" || dtype === "float16";
  const x = named("normal", () => randn(shape, { dtype: half ? "float32" : dtype, generator }))
    .mul(deviation)
    .add(mean);
  return finish("normal", half ? x.to(dtype) : x, requiresGrad);
}

const dropoutRow = defineRow<readonly number[]>({
  name: "dropout",
  family: "random",
  kernel: "dropout",
  inputs: 1,
  accuracy: "exact",
  // The mask is recomputed from its key, so nothing is saved.
  rule: { kind: "linear", transpose: (g, c) => masked(g, c.params) },
  replay: ([x], attrs) => masked(x as Tensor, attrs),
  batch: {
    params: (attrs) => attrs,
    composed: ([x], attrs) => (x as Tensor).mul(masked(onesLike(x as Tensor), attrs)),
  },
});

/** @internal Applies the dropout mask of a random key to x. */
export const masked = (x: Tensor, attrs: readonly number[]): Tensor =>
  apply(dropoutRow, [x.contiguous()], x.type, x.type, x.shape, attrs, attrs);

export interface DropoutOptions {
  /** Whether dropout is applied; default true. If false, the result is a copy of x. */
  readonly training?: boolean | undefined;
  /** The random number generator; default that of this JavaScript thread. */
  readonly generator?: RandomGenerator | undefined;
}

/**
 * Sets each element to 0 with probability p, and divides the others by 1 - p.
 * @shape that of x. @dtype that of x.
 * @gradient the incoming gradient, with the same elements set to 0 and the others divided by 1 - p.
 * @throws ERR_ARGUMENT unless 0 <= p <= 1; ERR_DTYPE for an integer tensor.
 * @source Srivastava et al., Dropout: A simple way to prevent neural networks from overfitting, 2014.
 * @example ones([2]).dropout(0.5, { training: false }).toArray(); // [1, 1]
 */
export function dropout(x: Tensor, p = 0.5, options?: DropoutOptions): Tensor {
  needFloat("dropout", needTensor("dropout", x));
  const { training = true, generator } = checkOptions<DropoutOptions>("dropout", options, ["generator"], ["training"]);
  needShare("dropout", "p", p);
  if (!training || p === 0) return x.clone();
  if (p === 1) return x.mul(0);
  return masked(x, [...generatorOf("dropout", generator).next(), p]);
}
