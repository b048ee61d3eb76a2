/** Checks derivatives against central differences. */
import { needFunction, needInteger, needNumber, refuse, synchronous } from "../core/arguments.js";
import { dtypes } from "../core/dtype.js";
import { fail, NablaError, sentence } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { type Shape, sameShape, showIndex, showShape } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { cat } from "../ops/join.js";
import { defaultGenerator, RandomGenerator, randnLike } from "../ops/random.js";
import { fromTyped } from "../tensor/allocate.js";
import { zerosLike } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { jvpFor, vjpFor } from "./transforms.js";

export interface GradcheckOptions {
  /** The step of the central differences; default 1e-6. */
  readonly eps?: number | undefined;
  /** The absolute tolerance; default 1e-5. */
  readonly atol?: number | undefined;
  /** The relative tolerance; default 1e-3. */
  readonly rtol?: number | undefined;
  /** The order: 2 checks the second derivatives too; default 1. */
  readonly order?: 1 | 2 | undefined;
  /** The seed of the random direction for second derivatives; default 0. */
  readonly seed?: number | undefined;
  /** Whether to throw for a wrong derivative instead of returning false; default true. */
  readonly raise?: boolean | undefined;
}

type Function = (...inputs: Tensor[]) => Tensor;
type Settings = { readonly [K in "eps" | "atol" | "rtol"]: number };

const op = "gradcheck";

const float64 = (values: Float64Array, shape: Shape): Tensor => fromTyped(op, values, dtypes.float64, shape);
const read = (x: Tensor): Float64Array => x.toTypedArray() as Float64Array;

function unit(shape: Shape, n: number, position: number): Tensor {
  const values = new Float64Array(n);
  values[position] = 1;
  return float64(values, shape);
}

/** The function on arrays of numbers; its result must be float64 and keep its shape. */
function evaluator(f: Function, inputs: readonly Tensor[]) {
  let shape: Shape | null = null;
  const evaluate = (changed = -1, values?: Float64Array): Float64Array => {
    const xs = inputs.map((x, i) => (i === changed ? float64(values!, x.shape) : x));
    const y = needTensor(
      op,
      withGrad(false, () => synchronous(op, f(...xs))),
      "what the function returns",
    );
    if (y.type !== dtypes.float64)
      fail("ERR_DTYPE", op, "the function's result has too few digits", "float64", y.dtype);
    if (shape !== null && !sameShape(shape, y.shape))
      fail("ERR_SHAPE", op, "the function's results differ in shape", showShape(shape), showShape(y.shape));
    shape = y.shape;
    return read(y);
  };
  return evaluate;
}

const random = (): NablaError =>
  new NablaError(
    "ERR_GRADIENT",
    op,
    sentence(
      op,
      "the function is random: it gives other results for the same inputs",
      "one that depends on its inputs alone, with random numbers drawn outside of it",
    ),
  );

/** The error message, or null. */
function check(
  f: Function,
  inputs: readonly Tensor[],
  settings: Settings,
  nameOf: (input: number) => string,
): NablaError | null {
  const { eps, atol, rtol } = settings;
  const evaluate = evaluator(f, inputs);
  const before = defaultGenerator.copyKey();
  const value = evaluate();
  // Only a function that draws random numbers is repeated often: a few of its results may be equal by chance.
  const repeats = defaultGenerator.copyKey().calls === before.calls ? 1 : 32;
  for (let i = 0; i < repeats; i++) if (evaluate().some((y, k) => !Object.is(y, value[k]))) return random();
  const [y, pull] = vjpFor(op, f, inputs);
  const rows = Array.from(value, (_, k) => (pull(unit(y.shape, value.length, k)) as Tensor[]).map(read));

  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!;
    const values = read(x);
    for (let j = 0; j < values.length; j++) {
      const at = values[j]!;
      const move = (by: number): Float64Array => {
        const moved = values.slice();
        moved[j] = at + by;
        return evaluate(i, moved);
      };
      const [above, below] = [move(eps), move(-eps)];
      // The actual step: at + eps is rounded.
      const width = at + eps - (at - eps);
      const directions = inputs.map((other, k) => (k === i ? unit(x.shape, values.length, j) : zerosLike(other)));
      const column = read(jvpFor(op, f, inputs, directions)[1]);
      for (let k = 0; k < value.length; k++) {
        const numeric = (above[k]! - below[k]!) / width;
        const found = { reverse: rows[k]![i]![j]!, forward: column[k]! };
        for (const [mode, derivative] of Object.entries(found)) {
          if (Number.isFinite(numeric) && Math.abs(derivative - numeric) <= atol + rtol * Math.abs(numeric)) continue;
          const fact = `in ${mode} mode the derivative of element ${showIndex(k, y.shape)} of the result by element ${showIndex(j, x.shape)} of ${nameOf(i)} is wrong`;
          const details = { input: i, element: j, output: k, mode, numeric, derivative };
          return new NablaError(
            "ERR_GRADIENT",
            op,
            sentence(op, fact, `${numeric} (central difference)`, String(derivative)),
            details,
          );
        }
      }
    }
  }
  return null;
}

/**
 * Compares the derivatives of a function, in reverse and in forward mode, with central differences, for every element
 * of the result and of the inputs, which should be small. Returns true, or throws.
 *
 * With `order: 2` the derivative in a random direction is checked in the same way, as a function of the inputs and the
 * direction. Within `eps` of a kink (relu at 0) a difference is between the slopes of both sides, so choose inputs away
 * from kinks.
 * @dtype float64: differences need its precision.
 * @throws ERR_GRADIENT for a wrong derivative unless `raise` is false; the message has the input, the elements and both
 * numbers. ERR_DTYPE for inputs or results that are not float64; ERR_ARGUMENT for an invalid option.
 * @example gradcheck((x) => x.sin(), tensor([0.5, 1], { dtype: "float64" })); // true
 */
export function gradcheck(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor | readonly Tensor[],
  options?: GradcheckOptions,
): boolean {
  const {
    eps = 1e-6,
    atol = 1e-5,
    rtol = 1e-3,
    order = 1,
    seed = 0,
    raise = true,
  } = checkOptions<GradcheckOptions>(op, options, ["eps", "atol", "rtol", "order", "seed"], ["raise"]);
  needNumber(op, "eps", eps, { above: 0 });
  for (const [name, number] of Object.entries({ atol, rtol })) needNumber(op, name, number, { least: 0 });
  if (order !== 1 && order !== 2) refuse(op, "order", "1 or 2", order);
  needInteger(op, "the seed", seed, 0);
  needFunction(op, f);
  const given: readonly Tensor[] = Array.isArray(inputs) ? inputs : [inputs];
  if (given.length === 0) fail("ERR_ARGUMENT", op, "there is no input");
  const xs = Array.from(given, (x, i) => {
    if (needTensor(op, x, `input ${i}`).type !== dtypes.float64)
      fail("ERR_DTYPE", op, `input ${i} has too few digits for differences`, "float64", x.dtype);
    return x.detach();
  });

  let wrong = check(f, xs, { eps, atol, rtol }, (i) => `input ${i}`);
  if (wrong === null && order === 2) {
    const direction = randnLike(
      withGrad(false, () => f(...xs)),
      { generator: new RandomGenerator(seed) },
    );
    const derivative: Function = (...all) =>
      cat((vjpFor(op, f, all.slice(0, -1))[1](all.at(-1)!) as Tensor[]).map((g) => g.flatten()));
    const nameOf = (i: number) => (i < xs.length ? `input ${i}, of second order,` : "the direction, of second order,");
    wrong = check(derivative, [...xs, direction], { eps, atol, rtol }, nameOf);
  }
  if (wrong !== null && raise) throw wrong;
  return wrong === null;
}
