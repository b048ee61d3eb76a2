/** Initialization of parameters. Each function fills a tensor in place, outside the graph, and returns it. */
import { needChoice, needFinite, needNumber } from "../core/arguments.js";
import { fail, named } from "../core/errors.js";
import { checkOptions, keysOf } from "../core/options.js";
import { showShape } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { qr } from "../ops/decompose.js";
import { type RandomGenerator, rand, randn } from "../ops/random.js";
import { eye } from "../tensor/create.js";
import { tensor } from "../tensor/from-data.js";
import type { Tensor } from "../tensor/tensor.js";

interface Source {
  /** The random number generator; default that of this JavaScript thread. */
  readonly generator?: RandomGenerator | undefined;
}

function fill(op: string, x: Tensor, value: () => Tensor | number): Tensor {
  needTensor(op, x);
  return withGrad(false, () => named(op, () => x.assign(value())));
}

const numbers = (op: string, values: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(values)) needNumber(op, name, value);
};

const fillUniform = (op: string, x: Tensor, a: number, b: number, generator: RandomGenerator | undefined): Tensor =>
  fill(op, x, () =>
    rand(x.shape, { dtype: needFloat(op, x).type.compute.name, generator })
      .mul(b - a)
      .add(a),
  );

const fillNormal = (op: string, x: Tensor, mean: number, std: number, generator: RandomGenerator | undefined): Tensor =>
  fill(op, x, () =>
    randn(x.shape, { dtype: needFloat(op, x).type.compute.name, generator })
      .mul(std)
      .add(mean),
  );

export interface UniformOptions extends Source {
  /** The lower bound; default 0. */
  readonly a?: number | undefined;
  /** The upper bound; default 1. */
  readonly b?: number | undefined;
}

/**
 * Fills with uniform random numbers between a and b.
 * @throws ERR_ARGUMENT if b is below a; ERR_DTYPE for an integer tensor.
 * @example nn.init.uniform(zeros([2, 3]), { a: -1, b: 1 });
 */
export function uniform(x: Tensor, options?: UniformOptions): Tensor {
  const { a = 0, b = 1, generator } = checkOptions<UniformOptions>("uniform", options, ["a", "b", "generator"]);
  numbers("uniform", { a, b });
  if (b < a) fail("ERR_ARGUMENT", "uniform", "the bounds are the wrong way round", "a <= b", `${a} and ${b}`);
  return fillUniform("uniform", x, a, b, generator);
}

export interface NormalOptions extends Source {
  /** The mean; default 0. */
  readonly mean?: number | undefined;
  /** The standard deviation; default 1. */
  readonly std?: number | undefined;
}

/**
 * Fills with normal random numbers.
 * @throws ERR_ARGUMENT for a negative deviation; ERR_DTYPE for an integer tensor.
 * @example nn.init.normal(zeros([2, 3]), { std: 0.02 });
 */
export function normal(x: Tensor, options?: NormalOptions): Tensor {
  const { mean = 0, std = 1, generator } = checkOptions<NormalOptions>("normal", options, ["mean", "std", "generator"]);
  numbers("normal", { mean, std });
  needFinite("normal", "std", std, { least: 0 });
  return fillNormal("normal", x, mean, std, generator);
}

export interface TruncNormalOptions extends NormalOptions {
  /** The lower bound; default -2. */
  readonly a?: number | undefined;
  /** The upper bound; default 2. */
  readonly b?: number | undefined;
}

/**
 * Fills with random numbers from a normal distribution truncated to [a, b], by the inverse of its distribution
 * function.
 * @throws ERR_ARGUMENT for a deviation that is not above 0, or where b is not above a; ERR_DTYPE for an integer tensor.
 * @example nn.init.truncNormal(zeros([2, 3]), { std: 0.02 });
 */
export function truncNormal(x: Tensor, options?: TruncNormalOptions): Tensor {
  const op = "truncNormal";
  const given = checkOptions<TruncNormalOptions>(op, options, ["mean", "std", "a", "b", "generator"]);
  const { mean = 0, std = 1, a = -2, b = 2, generator } = given;
  numbers(op, { mean, std, a, b });
  needFinite(op, "std", std, { above: 0 });
  if (!(a < b)) fail("ERR_ARGUMENT", op, "the bounds are the wrong way round", "a < b", `${a} and ${b}`);
  return fill(op, x, () => {
    const { dtype } = needFloat(op, x);
    // erf of the bounds: twice the probability below each, less 1.
    const bounds = tensor([a, b], { dtype: "float64" })
      .sub(mean)
      .div(std * Math.SQRT2)
      .erf();
    const [low, high] = bounds.toArray() as [number, number];
    const level = rand(x.shape, { dtype: "float64", generator })
      .mul(high - low)
      .add(low);
    return level
      .erfinv()
      .mul(std * Math.SQRT2)
      .add(mean)
      .clamp({ min: a, max: b })
      .to(dtype);
  });
}

/**
 * Fills with one number. @throws ERR_DTYPE if the dtype does not hold it.
 * @example nn.init.constant(zeros([2]), 3).toArray(); // [3, 3]
 */
export const constant = (x: Tensor, value: number): Tensor =>
  fill("constant", x, () => needNumber("constant", "the value", value));

/**
 * Fills with zeros.
 * @example nn.init.zeros(ones([2])).toArray(); // [0, 0]
 */
export const zeros = (x: Tensor): Tensor => fill("zeros", x, () => 0);

/**
 * Fills with ones.
 * @example nn.init.ones(zeros([2])).toArray(); // [1, 1]
 */
export const ones = (x: Tensor): Tensor => fill("ones", x, () => 1);

interface Fans {
  readonly in: number;
  readonly out: number;
}

/** The fan in and fan out of a weight [out, in, kernel..]. */
function fansOf(op: string, x: Tensor): Fans {
  const { shape } = needTensor(op, x);
  if (shape.length < 2)
    fail("ERR_SHAPE", op, "the tensor is no weight of a layer", "[out, in] or [out, in, ..]", showShape(shape));
  const window = shape.slice(2).reduce((product, size) => product * size, 1);
  return { in: shape[1]! * window, out: shape[0]! * window };
}

export interface XavierOptions extends Source {
  /** A factor on the standard deviation, see {@link calculateGain}; default 1. */
  readonly gain?: number | undefined;
}

function xavierDeviation(
  op: string,
  x: Tensor,
  options: XavierOptions | undefined,
): [number, RandomGenerator | undefined] {
  const { gain = 1, generator } = checkOptions<XavierOptions>(op, options, ["gain", "generator"]);
  const fans = fansOf(op, x);
  return [needNumber(op, "gain", gain) * Math.sqrt(2 / (fans.in + fans.out)), generator];
}

/**
 * Xavier (Glorot) initialization: uniform random numbers with the variance 2 gain² / (fan in + fan out), a compromise
 * between preserving the variance of activations and that of gradients.
 * @shape [out, in] or [out, in, ..]. @throws ERR_SHAPE for fewer dimensions.
 * @source Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
 * @example nn.init.xavierUniform(zeros([2, 3]), { gain: nn.init.calculateGain("tanh") });
 */
export function xavierUniform(x: Tensor, options?: XavierOptions): Tensor {
  const [std, generator] = xavierDeviation("xavierUniform", x, options);
  const bound = Math.sqrt(3) * std;
  return fillUniform("xavierUniform", x, -bound, bound, generator);
}

/**
 * Xavier (Glorot) initialization: normal random numbers with the variance 2 gain² / (fan in + fan out).
 * @shape [out, in] or [out, in, ..]. @throws ERR_SHAPE for fewer dimensions.
 * @source as {@link xavierUniform}.
 * @example nn.init.xavierNormal(zeros([2, 3]));
 */
export function xavierNormal(x: Tensor, options?: XavierOptions): Tensor {
  const [std, generator] = xavierDeviation("xavierNormal", x, options);
  return fillNormal("xavierNormal", x, 0, std, generator);
}

/** The name of a nonlinearity for {@link calculateGain}. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * The factor on a weight's standard deviation that makes up for the change of variance by the nonlinearity. `slope` is
 * that of leakyRelu, default 0.01.
 * @throws ERR_ARGUMENT for an unknown nonlinearity.
 * @example nn.init.calculateGain("relu"); // Math.sqrt(2)
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  needNumber("calculateGain", "the slope", slope);
  const gains: Readonly<Record<Nonlinearity, number>> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + slope ** 2)),
    selu: 3 / 4,
  };
  return gains[needChoice("calculateGain", "nonlinearity", nonlinearity, keysOf(gains))];
}

export interface KaimingOptions extends Source {
  /** The slope of leakyRelu; default 0. */
  readonly a?: number | undefined;
  /** Whether to preserve the variance of activations ("fanIn") or of gradients ("fanOut"); default "fanIn". */
  readonly mode?: "fanIn" | "fanOut" | undefined;
  /** The nonlinearity after the layer, which determines the gain; default "leakyRelu". */
  readonly nonlinearity?: Nonlinearity | undefined;
}

function kaimingDeviation(
  op: string,
  x: Tensor,
  options: KaimingOptions | undefined,
): [number, RandomGenerator | undefined] {
  const given = checkOptions<KaimingOptions>(op, options, ["a", "mode", "nonlinearity", "generator"]);
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu", generator } = given;
  needChoice(op, "mode", mode, ["fanIn", "fanOut"]);
  const fans = fansOf(op, x);
  return [calculateGain(nonlinearity, a) / Math.sqrt(mode === "fanIn" ? fans.in : fans.out), generator];
}

/**
 * Kaiming (He) initialization: uniform random numbers with the variance gain² / fan, where fan is the fan in or the fan
 * out (`mode`).
 * @shape [out, in] or [out, in, ..]. @throws ERR_SHAPE for fewer dimensions.
 * @source He et al., Delving deep into rectifiers, 2015.
 * @example nn.init.kaimingUniform(zeros([2, 3]), { nonlinearity: "relu" });
 */
export function kaimingUniform(x: Tensor, options?: KaimingOptions): Tensor {
  const [std, generator] = kaimingDeviation("kaimingUniform", x, options);
  const bound = Math.sqrt(3) * std;
  return fillUniform("kaimingUniform", x, -bound, bound, generator);
}

/**
 * Kaiming (He) initialization: normal random numbers with the variance gain² / fan, where fan is the fan in or the fan
 * out (`mode`).
 * @shape [out, in] or [out, in, ..]. @throws ERR_SHAPE for fewer dimensions.
 * @source as {@link kaimingUniform}.
 * @example nn.init.kaimingNormal(zeros([2, 3]), { nonlinearity: "relu" });
 */
export function kaimingNormal(x: Tensor, options?: KaimingOptions): Tensor {
  const [std, generator] = kaimingDeviation("kaimingNormal", x, options);
  return fillNormal("kaimingNormal", x, 0, std, generator);
}

export interface OrthogonalOptions extends Source {
  /** A factor on the result; default 1. */
  readonly gain?: number | undefined;
}

/**
 * Fills with a random orthogonal matrix times `gain`: the rows (or the columns, if there are fewer of them) are
 * orthogonal and have length `gain`. The dimensions from the second on are treated as one.
 * @shape [out, in] or [out, in, ..]. @throws ERR_SHAPE for fewer dimensions; ERR_DTYPE for an integer tensor.
 * @source Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear neural networks, 2014.
 * @example
 * const w = nn.init.orthogonal(zeros([2, 3]));
 * allClose(w.matmul(w.t()), eye(2), { atol: 1e-6 }); // true
 */
export function orthogonal(x: Tensor, options?: OrthogonalOptions): Tensor {
  const op = "orthogonal";
  const { gain = 1, generator } = checkOptions<OrthogonalOptions>(op, options, ["gain", "generator"]);
  numbers(op, { gain });
  const { out } = fansOf(op, x);
  const dtype = needFloat(op, x).type.compute.name;
  if (x.numel === 0) return x;
  return fill(op, x, () => {
    const rest = x.numel / out;
    const tall = randn([Math.max(out, rest), Math.min(out, rest)], { dtype, generator });
    const { q, r } = qr(tall);
    // Fixes the signs, which otherwise depend on the algorithm, so that the distribution is uniform.
    const diagonal = r.mul(eye(r.shape[0]!, { dtype })).sum(0);
    const even = q.mul(diagonal.ge(0).where(gain, -gain));
    return (out < rest ? even.t() : even).reshape(x.shape);
  });
}
